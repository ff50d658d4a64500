"""Codes by predictability minimization: few labels, and dependence of units.

    python doc/benchmarks/predictability.py

For bundled sets and codes of as many units: accuracy of a logistic regression of
standardized codes from few labels of each class, over ten draws of labeled rows, on
the other half of the rows, which no code has seen; and the mean share of a unit's
variance that the others tell there, by ridge regression and by nearest neighbors,
cross-validated. Columns are between 0 and 1 (digits), or standardized.
"""

import time
import warnings

import numpy as np
from _machine import describe
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdgm import Autoencoder, PredictabilityMinimization

# Units, and labeled rows of each class.
SETS = {"iris": (load_iris, 3, 3), "wine": (load_wine, 4, 3)}
SETS["digits"] = load_digits, 16, 5
N_DRAWS = 10


def codes_of(k, kind):
    """Methods by name."""
    own = {"column_types": kind, "random_state": 0}
    deep = own | {"predictor_layer_sizes": 8}
    return {
        "PCA": PCA(k, random_state=0),
        "Autoencoder": Autoencoder(k, (), **own),
        "linear predictors": PredictabilityMinimization(k, **own),
        "deep predictors": PredictabilityMinimization(k, **deep),
        "real codes": PredictabilityMinimization(k, codes="real", **deep),
    }


def accuracy(H, y, H_test, y_test, n_labels):
    """Mean accuracy from few labels of each class."""
    found = []
    for seed in range(N_DRAWS):
        rng = np.random.default_rng(seed)
        index = [rng.choice(np.flatnonzero(y == c), n_labels, False) for c in set(y)]
        index = np.concatenate(index)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        found.append(model.fit(H[index], y[index]).score(H_test, y_test))
    return np.mean(found)


def told(H, regressor):
    """Mean share of a column's variance that the others tell."""
    H = StandardScaler().fit_transform(H)
    guesses = [
        cross_val_predict(regressor, np.delete(H, k, axis=1), H[:, k])
        for k in range(H.shape[1])
    ]
    return 1 - np.mean((np.transpose(guesses) - H) ** 2)


def main():
    warnings.simplefilter("ignore")
    print(describe())
    print("| set | code | accuracy | R² by ridge | R² by neighbors | seconds |")
    print("|---|---|---|---|---|---|")
    for name, (load, k, n_labels) in SETS.items():
        X, y = load(return_X_y=True)
        parts = train_test_split(X, y, test_size=0.5, random_state=0, stratify=y)
        X, X_test, y, y_test = parts
        if name == "digits":
            X, X_test, kind = X / 16, X_test / 16, "bernoulli"
        else:
            scaler, kind = StandardScaler().fit(X), "gaussian"
            X, X_test = scaler.transform(X), scaler.transform(X_test)
        for method, model in codes_of(k, kind).items():
            start = time.perf_counter()
            model.fit(X)
            seconds = time.perf_counter() - start
            H, H_test = model.transform(X), model.transform(X_test)
            score = accuracy(H, y, H_test, y_test, n_labels)
            shares = [told(H_test, r) for r in (Ridge(1.0), KNeighborsRegressor(10))]
            print(
                f"| {name} | {method} | {score:.3f} | {shares[0]:.2f} | "
                f"{shares[1]:.2f} | {seconds:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
