"""Machines of covariances: held-out nats of natural patches and of small tables.

    python doc/benchmarks/covariance.py [--only patches normalised tables]

``patches``: 10,000 patches of 8 x 8 pixels of the left halves of scikit-learn's two
photographs, logs of grey values, centred one by one and whitened; 4,000 of the right
halves are held out. ``normalised``: the same, each divided by the root of its variance
and of a hundredth of the mean variance, before it is whitened. ``tables``:
scikit-learn's, a quarter of the rows held out. Seconds are of the processor.
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
    load_iris,
    load_sample_images,
    load_wine,
)
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from skdgm import FVBN, GaussianRBM, MeanCovarianceRBM, MeanProductOfT, SpikeSlabRBM

SIZE = 8
TABLES = load_iris, load_wine, load_diabetes, load_breast_cancer


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
    }
    for name, machine in machines.items():
        measured(name, machine.set_params(n_iter=30, random_state=0), *given)
        print(f"log Z {machine.log_Z_:.2f} ± {machine.log_Z_se_:.2f}", file=sys.stderr)


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


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = "patches", "normalised", "tables"
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    asked = parser.parse_args()
    print(describe())
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        if "tables" in asked.only:
            of_tables()
        if "patches" in asked.only:
            of_patches()
        if "normalised" in asked.only:
            of_patches(normalised=True)


if __name__ == "__main__":
    main()
