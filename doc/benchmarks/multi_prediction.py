"""Multi-prediction machines: errors with and without missing pixels.

    python doc/benchmarks/multi_prediction.py [--data DATA] [--only PART ...]

``digits``: errors of scikit-learn's digits in five folds, complete and with random half
of the pixels of test rows missing: multi-prediction machines, classifiers of deep
machines with fine-tuning and default parameters, and multilayer perceptrons with means
filled in. ``options``: the same of multi-prediction machines, by option, one split.
``mnist``: errors of MNIST's validation rows. Seconds are CPU time.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skdgm import DBM, DBMClassifier
from skdgm.options import Adam, Columns

PREDICTING = DBM(
    gradient="multi-prediction",
    solver=Adam(beta_1=0.9, schedule="linear"),
    centering=None,
    learning_rate=0.01,
    batch_size=50,
    mean_field_steps=5,
    column_types=Columns(resample=False),
    n_iter=150,
)


def machine(sizes, **options):
    """A classifier by multi-prediction."""
    dbm = clone(PREDICTING).set_params(hidden_layer_sizes=sizes, **options)
    return DBMClassifier(dbm, fine_tune=None, random_state=0)


MODELS = {
    "multi-prediction, 256": machine((256,)),
    "multi-prediction, 128-128, pre-trained": machine(
        (128, 128), pretrain="layerwise", learning_rate=0.005
    ),
    "DBMClassifier": DBMClassifier(random_state=0),
    "MLPClassifier, means filled in": make_pipeline(
        SimpleImputer(), MLPClassifier((256,), max_iter=500, random_state=0)
    ),
}
VARIANTS = {
    "256 units": {},
    "resample=True": {"column_types__resample": True},
    "10 sweeps": {"mean_field_steps": 10},
    "2 sweeps": {"mean_field_steps": 2},
    "alpha=0.15": {"penalty__alpha": 0.15},
    "300 epochs": {"n_iter": 300},
    "learning rate 0.005": {"learning_rate": 0.005},
    "128-128": {"hidden_layer_sizes": (128, 128)},
    '128-128, pretrain="layerwise"': {
        "hidden_layer_sizes": (128, 128),
        "pretrain": "layerwise",
    },
}


def errors(clf, X, y, V, v):
    """Errors of complete rows, and of those with half of the pixels missing; seconds of
    the fit."""
    start = time.process_time()
    clf.fit(X, y)
    seconds = time.process_time() - start
    missing = np.random.default_rng(0).random(V.shape) < 0.5
    holes = np.where(missing, np.nan, V).astype(V.dtype)
    return 1 - clf.score(V, v), 1 - clf.score(holes, v), seconds


def digits(_):
    """Five folds of digits."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    print("| model | error | half missing | s a fit |\n|---|---|---|---|")
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    for name, clf in MODELS.items():
        found = [errors(clf, X[a], y[a], X[b], y[b]) for a, b in folds]
        whole, half, seconds = np.mean(found, axis=0)
        print(f"| {name} | {whole:.2%} | {half:.1%} | {seconds:.0f} |", flush=True)


def options_of_digits(_):
    """One split of digits, by option."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    X, V, y, v = train_test_split(X, y, test_size=500, random_state=0, stratify=y)
    print("| change | error | half missing | s |\n|---|---|---|---|")
    for name, change in VARIANTS.items():
        how = {"sizes": (256,)} | change
        sizes = how.pop("hidden_layer_sizes", how.pop("sizes"))
        how.pop("sizes", None)
        whole, half, seconds = errors(machine(sizes, **how), X, y, V, v)
        print(f"| {name} | {whole:.1%} | {half:.1%} | {seconds:.0f} |", flush=True)


def mnist(asked):
    """MNIST's validation rows."""
    data = load(asked.data, "mnist")
    X, V = (data[part].astype(np.float32) / 255 for part in ("train", "valid"))
    y, v = data["train_y"], data["valid_y"]
    print("| model | error | half missing | s |\n|---|---|---|---|")
    for size in asked.sizes:
        how = {"n_iter": asked.epochs, "batch_size": 100, "learning_rate": 0.003}
        clf, spent = machine((size,), **how), 0.0
        for name, change in (
            (f"{size} units, {asked.epochs} epochs", {}),
            (
                f"and a net, {asked.net_epochs} epochs",
                NET | {"n_iter": asked.net_epochs},
            ),
        ):
            clf.set_params(**change)
            whole, half, seconds = errors(clf, X, y, V, v)
            spent += seconds
            print(f"| {name} | {whole:.2%} | {half:.1%} | {spent:.0f} |", flush=True)


# A net above a machine that has learned.
NET = {
    "fine_tune": "backprop",
    "warm_start": True,
    "dbm__n_iter": 0,
    "dropout": (0.2, 0.5),
    "batch_size": 100,
}
PARTS = {"digits": digits, "options": options_of_digits, "mnist": mnist}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--net-epochs", type=int, default=40)
    parser.add_argument("--sizes", nargs="+", type=int, default=[500])
    asked = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(describe(), "\n")
    for name in asked.only:
        if name != "mnist" or asked.data:
            PARTS[name](asked)
            print()
