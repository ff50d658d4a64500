"""Machines of covariances: held-out nats of natural patches and of small tables.

    python doc/benchmarks/covariance.py [--only patches ...] [--models S3C ...]

``patches``: 10,000 patches of 8 x 8 pixels of the left halves of scikit-learn's two
photographs, logs of grey values, centred one by one and whitened; 4,000 of the right
halves are held out. ``normalised``: the same, each divided by the root of its variance
and of a hundredth of the mean variance, before it is whitened. ``tables``:
scikit-learn's, a quarter of the rows held out. ``digits``: the same of digits, for
likelihoods, and for the accuracy of a logistic regression of features from ten labels a
class. Seconds are of the processor.
"""

import argparse
import sys
import time
import warnings

import numpy as np
from _machine import describe
from scipy.stats import multivariate_t
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_sample_images,
    load_wine,
)
from sklearn.decomposition import PCA, FactorAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from skdgm import (
    FVBN,
    S3C,
    GaussianRBM,
    MeanCovarianceRBM,
    MeanProductOfT,
    SpikeSlabRBM,
)

SIZE = 8
TABLES = load_iris, load_wine, load_diabetes, load_breast_cancer
# Names of models to measure; all if none.
ASKED = set()


class StudentT:
    """A multivariate t distribution of whitened columns: one scale for each row."""

    def fit(self, X):
        """Choose degrees of freedom and the scale that are likeliest."""
        found = []
        for df in (1, 1.5, 2, 3, 4, 6, 10, 20, 50, 1000):
            for scale in np.logspace(-2.5, 0.5, 13):
                own = multivariate_t(np.zeros(X.shape[1]), scale, df)
                found.append((own.logpdf(X[::10]).mean(), own))
        self.best = max(found, key=lambda pair: pair[0])[1]
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows."""
        return self.best.logpdf(X)


def patches(n, seed, right):
    """Logs of patches of grey values, each centred."""
    rng, found = np.random.default_rng(seed), []
    for image in load_sample_images().images:
        grey = np.log1p(image.mean(axis=2))
        grey = grey[:, 320 + SIZE :] if right else grey[:, :320]
        ends = np.array(grey.shape) - SIZE
        for top, left in rng.integers(0, ends, (n // 2, 2)):
            found.append(grey[top : top + SIZE, left : left + SIZE].ravel())
    found = np.array(found)
    return found - found.mean(axis=1, keepdims=True)


def measured(name, model, X, X_test):
    """Print a row: nats of held-out rows, their standard error, and seconds of fit."""
    if ASKED and name.split("(")[0] not in ASKED:
        return None
    start = time.process_time()
    model.fit(X)
    seconds = time.process_time() - start
    score = model.score_samples(X_test)
    se = score.std() / np.sqrt(len(score))
    print(f"| {name} | {score.mean():.2f} ± {se:.2f} | {seconds:.0f} |", flush=True)
    return model


def of_patches(normalised=False):
    """Whitened patches of photographs."""
    X, X_test = patches(10_000, 0, False), patches(4_000, 1, True)
    if normalised:
        least = 0.01 * X.var()
        X, X_test = (
            own / np.sqrt(own.var(axis=1, keepdims=True) + least) for own in (X, X_test)
        )
    values, vectors = np.linalg.eigh(X.T @ X / len(X))
    white = vectors[:, 1:] / np.sqrt(values[1:])
    X, X_test = X @ white, X_test @ white
    name = "normalised" if normalised else "patches"
    print(f"\n## {name}\n\n| model | held-out nats | fit s |\n|---|---|---|")
    given = X, X_test
    measured("normal", FVBN(column_types="gaussian"), *given)
    machine = GaussianRBM(144, n_iter=30, random_state=0)
    measured("GaussianRBM(144, n_iter=30)", machine, *given)
    measured("multivariate t", StudentT(), *given)
    mixture = GaussianMixture(10, reg_covar=1e-4, max_iter=30, random_state=0)
    measured("GaussianMixture(10)", mixture, *given)
    machines = {
        "MeanCovarianceRBM(16, 64, n_iter=30)": MeanCovarianceRBM(16, 64),
        "MeanProductOfT(0, 16, n_factors=126, n_iter=30)": MeanProductOfT(
            0, 16, n_factors=126
        ),
        "SpikeSlabRBM(128, n_iter=30)": SpikeSlabRBM(128),
        "S3C(128, n_iter=30)": S3C(128),
    }
    for name, machine in machines.items():
        machine.set_params(n_iter=30, random_state=0)
        found = measured(name, machine, *given)
        if hasattr(found, "log_Z_"):
            told = f"log Z {found.log_Z_:.2f} ± {found.log_Z_se_:.2f}"
            print(told, file=sys.stderr)


def of_tables():
    """Tables of scikit-learn."""
    for load in TABLES:
        X = load().data
        order = np.random.default_rng(0).permutation(len(X))
        train, test = X[order[len(X) // 4 :]], X[order[: len(X) // 4]]
        print(
            f"\n## {load.__name__}\n\n| model | held-out nats | fit s |\n|---|---|---|"
        )
        measured("normal", FVBN(column_types="gaussian"), train, test)
        machine = GaussianRBM(16, n_iter=300, random_state=0)
        measured("GaussianRBM(16, n_iter=300)", machine, train, test)
        for cls, sizes in (
            (MeanCovarianceRBM, (8, 16)),
            (MeanProductOfT, (8, 16)),
            (SpikeSlabRBM, (16,)),
        ):
            machine = cls(*sizes, n_iter=300, random_state=0)
            name = f"{cls.__name__}({str(sizes)[1:-1].rstrip(',')}, n_iter=300)"
            measured(name, machine, train, test)
        measured("FactorAnalysis", StandardFactors(), train, test)
        measured("S3C()", S3C(random_state=0), train, test)


class StandardFactors:
    """Factor analysis of standardised columns, with the number of factors that three
    folds of cross-validation prefer."""

    def fit(self, X):
        """Choose a number of factors, and fit."""
        numbers = range(1, min(X.shape[1], 31), 1 if X.shape[1] < 20 else 5)
        self.scaler = StandardScaler().fit(X)
        search = GridSearchCV(FactorAnalysis(), {"n_components": list(numbers)}, cv=3)
        self.best = search.fit(self.scaler.transform(X)).best_estimator_
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows."""
        volume = np.log(self.scaler.scale_).sum()
        return self.best.score_samples(self.scaler.transform(X)) - volume


def of_digits():
    """Digits: pixels that are not zero in a twentieth of the rows."""
    X, y = load_digits(return_X_y=True)
    X = X[:, (X > 0).mean(axis=0) > 0.05] / 16
    order = np.random.default_rng(0).permutation(len(X))
    here, there = order[len(X) // 4 :], order[: len(X) // 4]
    train, test = X[here], X[there]
    print("\n## load_digits\n\n| model | held-out nats | fit s |\n|---|---|---|")
    measured("normal", FVBN(column_types="gaussian"), train, test)
    measured("FactorAnalysis", StandardFactors(), train, test)
    for k in 10, 64:
        measured(f"S3C({k})", S3C(k, random_state=0), train, test)
    print("\n| features | accuracy with 10 labels a class |\n|---|---|")
    features = {
        "pixels": FunctionTransformer(),
        "PCA(30)": PCA(30, random_state=0),
        "GaussianRBM(64)": GaussianRBM(64, random_state=0),
        "SpikeSlabRBM(64)": SpikeSlabRBM(64, random_state=0),
        "S3C(64)": S3C(64, random_state=0),
        'S3C(64, features="spike_slab")': S3C(
            64, features="spike_slab", random_state=0
        ),
    }
    for name, model in features.items():
        model.fit(train)
        parts, found = [model.transform(part) for part in (train, test)], []
        for seed in range(10):
            own = np.random.default_rng(seed).permutation(len(train))
            few = np.concatenate(
                [own[y[here][own] == label][:10] for label in range(10)]
            )
            net = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
            net.fit(parts[0][few], y[here][few])
            found.append(net.score(parts[1], y[there]))
        se = np.std(found) / 3
        print(f"| {name} | {np.mean(found):.3f} ± {se:.3f} |", flush=True)


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = "patches", "normalised", "tables", "digits"
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--models", nargs="+", default=[], help="of rows of scores")
    asked = parser.parse_args()
    ASKED.update(asked.models)
    print(describe())
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if "tables" in asked.only:
            of_tables()
        if "digits" in asked.only:
            of_digits()
        if "patches" in asked.only:
            of_patches()
        if "normalised" in asked.only:
            of_patches(normalised=True)


if __name__ == "__main__":
    main()
