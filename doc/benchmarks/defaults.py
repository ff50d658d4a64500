"""Estimators with default parameters, and scikit-learn's: seconds and quality.

    python doc/benchmarks/defaults.py [--only NAME ...] [--data DATA] | tee TABLE

Two thirds of scikit-learn's digits are learned, in [0, 1] (models of real columns take
pixels as they are), and a third is held out. Models of images know their shape, series
are the eight lines of a digit, pairs are digits and their second halves. With DATA,
models of mixed columns learn 5,000 training rows of adult_mixed, too, and are judged by
2,500 validation rows. Columns:

``accuracy``
    of predictions, or of a logistic regression on features, %.
``nats``
    ``score`` of held-out rows: exact, an estimate, or a bound on the log-likelihood.
``told``
    area under the curve of a random forest that tells drawn rows from held-out ones:
    0.5 is the best.

Seconds are those of one thread's processor, so that other work on the machine counts
little.
"""

import argparse
import os
import time
import warnings
from functools import partial
from pathlib import Path

# ruff: noqa: E402  Where set, before NumPy is imported, these hold BLAS back.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np
from _data import load
from _machine import describe
from sklearn.base import is_classifier, is_regressor
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.neural_network import BernoulliRBM, MLPClassifier
from threadpoolctl import threadpool_limits

import skdgm
from skdgm.anomaly import DensityOutlierDetector
from skdgm.registry import MODELS
from skdgm.utils.threading.parallel import limit

# Models that take pixels from 0 to 16, as they are.
REAL = "GaussianRBM", "RNADE", "ReplicatedSoftmax"
GIVEN = "ConditionalRBM", "GatedRBM"
SERIES = "RNNNADE", "RNNRBM", "RTRBM", "VRNN"
# Kinds of columns and shapes, which have no default that suits these rows.
NEEDED = {
    "RBM": {"column_types": "bernoulli"},
} | {
    name: {"image_shape": (8, 8)}
    for name in ("ConvRBM", "ConvDBM", "ConvDBN", "ConvDBNClassifier", "DRAW", "LAPGAN")
}
X, Y = load_digits(return_X_y=True)
ROWS = train_test_split(X.astype(np.float32), Y, test_size=1 / 3, random_state=0)
# Most rows of a mixed table.
N_MIXED = 5000
HOLES = np.random.default_rng(0).random(ROWS[1].shape) < 0.3


def seconds(call):
    """Seconds of a call, and what it returns."""
    start = time.thread_time()
    found = call()
    return time.thread_time() - start, found


def told(drawn, real):
    """Area under the curve of a forest that tells rows drawn from real ones; bits from
    bits that are drawn of gray values."""
    if real.max() <= 1 and np.isin(drawn, (0, 1)).all():
        real = np.random.default_rng(0).random(real.shape) < real
    n = min(len(drawn), len(real))
    both = np.concatenate([drawn[:n], real[:n]])
    labels = np.arange(2 * n) < n
    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=0)
    shares = cross_val_predict(forest, both, labels, cv=5, method="predict_proba")
    return roc_auc_score(labels, shares[:, 1])


def features(model, A, B, a, b):
    """Accuracy of a logistic regression on features, %."""
    A, B = (np.asarray(model.transform(part)) for part in (A, B))
    if A.ndim != 2 or len(A) != len(a) or not np.isfinite(A).all():
        return None
    spread = A.std(axis=0) + 0.01
    logistic = LogisticRegression(max_iter=2000).fit(A / spread, a)
    return 100 * logistic.score(B / spread, b)


def known(call):
    """Result of a call, or None where a model has no such thing."""
    try:
        return call()
    except (AttributeError, TypeError, ValueError, MemoryError):
        return None


def quality(model, given, A, B, a, b):
    """Accuracy, nats and their kind, and how well draws are told from rows."""
    targets = {"y": b} if given else {}
    if is_classifier(model) or is_regressor(model):
        accuracy = 100 * model.score(B, b)
    else:
        accuracy = known(partial(features, model, A, B, a, b))
    nats = None
    if not is_classifier(model) and not is_regressor(model):
        nats = known(partial(model.score, B, **targets))
    kind = getattr(model, "density_kind_", "") if nats is not None else ""
    drawn = known(partial(model.sample, len(B), random_state=0))
    if drawn is None and given:
        drawn = known(partial(model.sample, len(B), y=b, random_state=0))
    if isinstance(drawn, tuple):
        drawn = drawn[0]
    return accuracy, nats, kind, None if drawn is None else told(np.asarray(drawn), B)


def line(name, took, anchor, accuracy=None, nats=None, kind="", auc=None, note=""):
    """Print a row of the table."""

    def shown(value, form):
        return "" if value is None else format(value, form)

    print(
        f"| {name} | {took:.1f} | {took / anchor:.1f} | {shown(accuracy, '.1f')} |",
        f"{shown(nats, '.1f')} {kind} | {shown(auc, '.2f')} | {note} |",
        flush=True,
    )


def rivals(A, B, a, b):
    """Print the rows of scikit-learn's estimators; return MLPClassifier's seconds."""
    anchor, mlp = seconds(partial(MLPClassifier(random_state=0).fit, A, a))
    line("scikit-learn: MLPClassifier", anchor, anchor, 100 * mlp.score(B, b))
    took, trees = seconds(
        partial(HistGradientBoostingClassifier(random_state=0).fit, A, a)
    )
    line("HistGradientBoostingClassifier", took, anchor, 100 * trees.score(B, b))
    took, rbm = seconds(partial(BernoulliRBM(random_state=0).fit, A))
    line("BernoulliRBM", took, anchor, features(rbm, A, B, a, b))
    took, mixture = seconds(partial(GaussianMixture(random_state=0).fit, 16 * A))
    drawn = mixture.sample(len(B))[0]
    line(
        *("GaussianMixture", took, anchor, None, mixture.score(16 * B), "density"),
        *(told(drawn, 16 * B), "one component"),
    )
    return anchor


def others(A, B, a, b, anchor):
    """Print rows of imputers and of detectors of anomalies."""
    holed = np.where(HOLES, np.nan, B)
    for imputer in IterativeImputer(random_state=0), skdgm.GenerativeImputer():
        name = type(imputer).__name__
        took, filled = seconds(lambda own=imputer: own.fit(A).transform(holed))
        error = np.sqrt(((filled - B)[HOLES] ** 2).mean())
        line(name, took, anchor, note=f"error of 30 % of the entries {error:.3f}")
    for detector in IsolationForest(random_state=0), DensityOutlierDetector():
        took, _ = seconds(partial(detector.fit, A[a == 8]))
        area = roc_auc_score(b != 8, -detector.score_samples(B))
        note = f"AUC of digits that are no 8 {area:.3f}"
        line(type(detector).__name__, took, anchor, note=note)


def digits(names):
    """Print the table of digits."""
    A, B, a, b = ROWS
    A, B = A / 16, B / 16
    head = "| estimator | seconds | times MLP | accuracy | nats | told | |"
    print(f"\n{head}\n|---|---|---|---|---|---|---|", flush=True)
    anchor = rivals(A, B, a, b)
    for name in names:
        kind, scale = getattr(skdgm, name), 16 if name in REAL else 1
        model = kind(random_state=0, **NEEDED.get(name, {}))
        C, D = A * scale, B * scale
        if name in SERIES:
            fit = partial(model.fit, C.reshape(-1, 8), lengths=[8] * len(C))
            took, _ = seconds(fit)
            score = known(partial(model.score, D.reshape(-1, 8), lengths=[8] * len(D)))
            line(name, took, anchor, None, score, "a step")
        elif name in GIVEN:
            took, _ = seconds(partial(model.fit, C[:, :32], C[:, 32:]))
            score = known(partial(model.score, D[:, :32], D[:, 32:]))
            line(name, took, anchor, None, score, "of lower halves")
        else:
            given = model.__sklearn_tags__().target_tags.required
            took, _ = seconds(
                partial(model.fit, C, a) if given else partial(model.fit, C)
            )
            line(name, took, anchor, *quality(model, given, C, D, a, b))
    others(A, B, a, b, anchor)


def mixed(names, folder):
    """Print the table of adult_mixed."""
    found = load(folder, "adult_mixed")
    A, B = (np.where(found[k] < 0, np.nan, found[k]) for k in ("train", "valid"))
    A, B = A[:N_MIXED], B[: N_MIXED // 2]
    kinds = tuple(
        "categorical" if own else "numeric" for own in found["is_categorical"]
    )
    head = "| estimator | seconds | nats | told |"
    print(f"\n{head}\n|---|---|---|---|", flush=True)
    for name in names:
        kind = getattr(skdgm, name)
        if name in (*SERIES, *GIVEN) or "column_types" not in kind().get_params():
            continue
        model = kind(column_types=kinds, random_state=0)
        if model.__sklearn_tags__().target_tags.required:
            continue
        fit = known(lambda own=model: seconds(partial(own.fit, A)))
        if fit is None:
            continue
        _, nats, density, auc = quality(model, False, A, B, None, None)
        shown = "" if nats is None else f"{nats:.2f} {density}"
        print(f"| {name} | {fit[0]:.0f} | {shown} | {auc or np.nan:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", default=sorted(MODELS, key=MODELS.get))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--skip-digits", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(describe(), flush=True)
    with threadpool_limits(1), limit(1):
        if not options.skip_digits:
            digits(options.only)
        if options.data:
            mixed(options.only, options.data)


if __name__ == "__main__":
    main()
