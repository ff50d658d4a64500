"""Effect of each default of BernoulliRBM that differs from scikit-learn's.

    python doc/benchmarks/rbm_defaults.py --data FOLDER

Each line of the tables changes one more default. FOLDER holds ``<name>.npz`` files
with arrays ``train``, ``valid`` and, where there are labels, ``train_y`` and
``valid_y``, read by its ``load.py``; without it only the bundled digits are used.
Figures are for held-out rows: log-likelihoods in nats (by ``score``, so that a model
that mixes badly is not flattered), and the accuracy of a logistic regression on the
features. Means over the seeds.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import BernoulliRBM as ScikitRBM

from skdgm import BernoulliRBM
from skdgm.options import PCD, SGD

SETS = ["adult", "mushrooms", "dna", "nltcs", "plants", "ocr_letters", "usps", "mnist"]
SETS += ["caltech101_silhouettes"]
FEW, LINEAR = {"gradient": PCD(n_chains=None), "n_iter": 10}, SGD(schedule="linear")
STEPS = {
    "as scikit-learn's": FEW
    | {"solver": SGD(schedule="constant", init_biases="zeros")},
    'init_biases="marginals"': FEW | {"solver": SGD(schedule="constant")},
    'schedule="linear"': FEW | {"solver": LINEAR},
    "n_chains=50": {"solver": LINEAR, "n_iter": 10},
    "n_iter=20": {"solver": LINEAR},
    'schedule="cooldown"': {},
}
MAX_TRAIN, MAX_VALID = 10_000, 2_000


def split(folder, name):
    """Rows in [0, 1] and labels (or None): train, valid, train_y, valid_y."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X, V, y, w = train_test_split(X / 16, y, test_size=500, random_state=0)
        return X.astype(np.float32), V.astype(np.float32), y, w
    data = load(folder, name)
    X, V = (data[k].astype(np.float32) for k in ("train", "valid"))
    low, high = X.min(), X.max()
    X, V = ((part - low) / (high - low) for part in (X, V))
    y, w = data.get("train_y"), data.get("valid_y")
    parts = X[:MAX_TRAIN], V[:MAX_VALID]
    return (*parts, None, None) if y is None else (*parts, y[:MAX_TRAIN], w[:MAX_VALID])


def likelihood(rbm, X, V):
    """Held-out log-likelihood; a scikit-learn RBM's parameters are copied to ours."""
    if isinstance(rbm, BernoulliRBM):
        return rbm.score(V)
    ours = BernoulliRBM(rbm.n_components, n_iter=0, random_state=0).fit(X)
    for name in ("components_", "intercept_hidden_", "intercept_visible_"):
        setattr(ours, name, getattr(rbm, name))
    return ours.score(V)


def accuracy(rbm, X, V, y, w):
    """Accuracy of the better of two logistic regressions on the features."""
    X, V = rbm.transform(X), rbm.transform(V)
    return max(
        LogisticRegression(C=C, max_iter=1000).fit(X, y).score(V, w) for C in (1, 10)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    known = ["digits", *SETS]
    parser.add_argument("--only", nargs="+", choices=known, default=known)
    options = parser.parse_args()
    names = [name for name in options.only if options.data or name == "digits"]
    models = {"scikit-learn": lambda seed: ScikitRBM(random_state=seed)}
    for step, parameters in STEPS.items():
        models[step] = lambda seed, p=parameters: BernoulliRBM(random_state=seed, **p)
    tables = {"log-likelihood": {}, "accuracy": {}}
    for name in names:
        X, V, y, w = split(options.data, name)
        for model, make in models.items():
            fitted = [make(seed).fit(X) for seed in range(options.seeds)]
            found = {"log-likelihood": np.mean([likelihood(m, X, V) for m in fitted])}
            if y is not None and name != "caltech101_silhouettes":
                found["accuracy"] = 100 * np.mean(
                    [accuracy(m, X, V, y, w) for m in fitted]
                )
            for table, value in found.items():
                tables[table].setdefault(model, {})[name] = value
            print(name, model, found, flush=True)
    print(f"\n{describe()}; {options.seeds} seeds; at most {MAX_TRAIN} rows")
    for title, rows in tables.items():
        columns = list(next(iter(rows.values())))
        print(f"\n| {title} | " + " | ".join(columns) + " |")
        print("|---" * (len(columns) + 1) + "|")
        for model, values in rows.items():
            cells = [f"{values[c]:.2f}" for c in columns]
            print(f"| {model} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
