"""Flows: nats of held-out rows of small tables, beside other densities, and seconds.

    python doc/benchmarks/flows.py [--sets SETS] [--splits N] [--data FOLDER]

Each fit sees four fifths of the rows, all densities the same, standardized; whole
numbers are spread by a draw that all of them share. Nats are means over held-out rows
and splits, of standardized columns; standard errors are those of differences from the
shrunk normal distribution, over splits. In the data folder are usps, of which 1,500
rows are in 16 gray levels; frey_faces, 1,565 of 560 pixels; and adult_mixed, of which
4,000 rows of six columns of whole numbers are taken.
"""

import argparse
import time
import warnings

import numpy as np
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.decomposition import FactorAnalysis
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.neighbors import KernelDensity
from sklearn.preprocessing import StandardScaler

from skdgm import RNADE, Flow, GaussianRBM

SETS = {
    "iris": load_iris,
    "wine": load_wine,
    "diabetes": load_diabetes,
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
}


def rows_of(name, folder):
    """Rows of a set."""
    if name in SETS:
        X = SETS[name]().data.astype(np.float64)
        return X if name != "digits" else _spread(X)
    with np.load(f"{folder}/{name}.npz") as found:
        X = found["train"]
        if name == "usps":
            X = X * float(found["scale"]) + float(found["offset"])
            return _spread(np.round((X[:1500] + 1) * 7.5))
        if name == "adult_mixed":
            X = X[:4000, ~found["is_categorical"]]
    return _spread(X)


def _spread(X):
    return X + np.random.default_rng(0).random(X.shape)


class Normal:
    """Normal distribution whose covariance is shrunk as Ledoit and Wolf do."""

    def __init__(self, X):
        found = LedoitWolf().fit(X)
        self.p = multivariate_normal(found.location_, found.covariance_)

    def score_samples(self, X):
        """Log densities of rows."""
        return self.p.logpdf(X)


def mixture(X):
    """GaussianMixture with as many components as BIC says."""
    found = [GaussianMixture(k, random_state=0).fit(X) for k in range(1, 9)]
    return min(found, key=lambda model: model.bic(X))


def chosen(model, **grid):
    """Best model of a grid by cross-validation."""
    grid = {name: list(values) for name, values in grid.items()}
    return lambda X: GridSearchCV(model, grid, cv=5).fit(X).best_estimator_


MODELS = {
    "full Gaussian, shrunk": Normal,
    "Flow": lambda X: Flow(random_state=0).fit(X),
    "GaussianMixture": mixture,
    "KernelDensity": chosen(KernelDensity(), bandwidth=np.geomspace(0.05, 2, 12)),
    "FactorAnalysis": lambda X: chosen(
        FactorAnalysis(),
        n_components=[k for k in (1, 2, 3, 5, 10, 20, 30) if k < X.shape[1]],
    )(X),
    "RNADE": lambda X: RNADE(random_state=0).fit(X),
    "GaussianRBM": lambda X: GaussianRBM(16, random_state=0).fit(X),
}


def table(name, n_splits, folder, models):
    """Print a line for each model."""
    X = rows_of(name, folder)
    found = {model: [] for model in models}
    for train, test in ShuffleSplit(n_splits, test_size=0.2, random_state=0).split(X):
        scale = StandardScaler().fit(X[train])
        for model in models:
            start = time.perf_counter()
            fitted = MODELS[model](scale.transform(X[train]))
            seconds = time.perf_counter() - start
            nats = fitted.score_samples(scale.transform(X[test])).mean()
            found[model].append((nats, seconds))
    base = np.array(found[models[0]])[:, 0]
    for model, pairs in found.items():
        nats, seconds = np.array(pairs).T
        se = (nats - base).std(ddof=1) / np.sqrt(len(base))
        line = f"| {name} | {model} | {nats.mean():.2f} | {(nats - base).mean():+.2f}"
        print(f"{line} ± {se:.2f} | {seconds.mean():.1f} |", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--models", default=";".join(MODELS))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--data")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| set | model | nats | compared with a full Gaussian | seconds |")
    print("|---|---|---|---|---|")
    for name in asked.sets.split(","):
        table(name, asked.splits, asked.data, asked.models.split(";"))


if __name__ == "__main__":
    main()
