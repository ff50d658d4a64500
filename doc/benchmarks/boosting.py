"""Densities corrected by classifiers: held-out nats of tables and of the plane.

    python doc/benchmarks/boosting.py [--only real bits plane]

Real tables of scikit-learn, bits of its digits, and two sets in the plane, of which a
quarter of the rows is held out; means over three splits, with the standard error of the
mean over rows of all. Each density by default, and then with classifiers; seconds are
of the processor.
"""

import argparse
import time
import warnings

import numpy as np
from _machine import describe
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_moons,
)
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from skdgm import FVBN, NADE, Flow, SelfSupervisedBoosting

N_SPLITS = 3


class BestMixture:
    """Normal mixture of standardized columns, with the best number of parts by BIC."""

    def fit(self, X):
        """Fit mixtures of up to ten parts."""
        self.scaler = StandardScaler().fit(X)
        own = self.scaler.transform(X)
        found = [
            GaussianMixture(k, reg_covar=1e-4, random_state=0).fit(own)
            for k in range(1, 11)
        ]
        self.best = min(found, key=lambda mixture: mixture.bic(own))
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows."""
        volume = np.log(self.scaler.scale_).sum()
        return self.best.score_samples(self.scaler.transform(X)) - volume


def smooth(degree=2):
    """Logistic regression of polynomials."""
    return make_pipeline(
        StandardScaler(), PolynomialFeatures(degree), LogisticRegression(max_iter=1000)
    )


def ours(*given, **options):
    """A density with classifiers."""
    return SelfSupervisedBoosting(*given, random_state=0, **options)


def measured(title, X, models):
    """Print the rows of a table."""
    print(f"\n## {title}\n\n| density | held-out nats | classifiers | fit s |")
    print("|---|---|---|---|")
    for name, model in models.items():
        scores, counts, seconds = [], [], 0.0
        for seed in range(N_SPLITS):
            order = np.random.default_rng(seed).permutation(len(X))
            own = clone(model) if hasattr(model, "get_params") else model
            start = time.process_time()
            own.fit(X[order[len(X) // 4 :]])
            seconds += time.process_time() - start
            scores.append(own.score_samples(X[order[: len(X) // 4]]))
            counts.append(len(getattr(own, "weights_", ())) if "with" in name else 0)
        scores = np.concatenate(scores)
        se = scores.std() / np.sqrt(len(scores))
        count = f"{np.mean(counts):.0f}" if any(counts) else ""
        told = f"{scores.mean():.2f} ± {se:.2f} | {count} | {seconds / N_SPLITS:.1f}"
        print(f"| {name} | {told} |", flush=True)


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = "real", "bits", "plane"
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    asked = parser.parse_args()
    print(describe())
    warnings.simplefilter("ignore")
    real = {
        "normal": FVBN("gaussian"),
        "normal, with trees": ours(),
        "normal, with squares": ours(classifier=smooth()),
        "Flow": Flow(random_state=0),
        "Flow, with trees": ours(Flow(random_state=0)),
        "mixture by BIC": BestMixture(),
    }
    with threadpool_limits(1):
        if "real" in asked.only:
            for table in load_iris, load_wine, load_diabetes, load_breast_cancer:
                measured(table.__name__, table().data, real)
        if "bits" in asked.only:
            bits = {}
            for name, base in (("FVBN", FVBN(alpha=0.1)), ("NADE", NADE())):
                base.set_params(random_state=0)
                bits |= {name: base, f"{name}, with trees": ours(base)}
            measured("digits, bits", (load_digits().data > 7).astype(float), bits)
        if "plane" in asked.only:
            rng = np.random.default_rng(0)
            ring = rng.normal(size=(4000, 2))
            ring /= np.linalg.norm(ring, axis=1, keepdims=True)
            ring += 0.1 * rng.normal(size=ring.shape)
            plane = {**real, "normal, with quartics": ours(classifier=smooth(4))}
            measured("moons", make_moons(4000, noise=0.1, random_state=0)[0], plane)
            measured("ring", ring, plane)


if __name__ == "__main__":
    main()
