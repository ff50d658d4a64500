"""Objectives of restricted machines: held-out nats and seconds.

    python doc/benchmarks/objectives.py [--data DATA] [--only PART ...]

``digits``: scikit-learn's digits as bits, drawn once with the gray values as
probabilities; three quarters to learn from; 16 units, whose log Z is exact, and 64.
``real``: their gray values as real columns, GaussianRBM with 16 units. ``tables``: dna
and usps (bits above 1/2), 200 units. Everything by default options, and by Adam in
batches of 50. Log Z of 64 and 200 units is estimated from both sides; pseudo-likelihood
is of held-out rows, too. Seconds are CPU time.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skdgm import BernoulliRBM, GaussianRBM

BITS = (
    "pcd",
    "cd",
    "tempering",
    "pseudo-likelihood",
    "block-pseudo-likelihood",
    "ratio-matching",
    "probability-flow",
    "noise-contrastive",
)
REALS = ("pcd", "cd", "score-matching", "denoising")
ADAM = {"solver": "adam", "learning_rate": 0.01, "batch_size": 50, "n_iter": 40}
WAYS = {"default": {}, "Adam": ADAM}


def table(X, V, kind, names, n_components, more=WAYS):
    """A line for each objective."""
    print(f"\n{n_components} units, {len(X)} rows\n")
    print("| objective | options | held-out nats | pseudo-likelihood | s |")
    print("|---|---|---|---|---|")
    for name in names:
        for how, options in more.items():
            rbm = kind(n_components, gradient=name, random_state=0, **options)
            start = time.process_time()
            rbm.fit(X)
            seconds = time.process_time() - start
            pseudo = rbm.pseudo_likelihood(V).mean()
            found = f"{rbm.score(V):.2f} | {pseudo:.2f} | {seconds:.1f}"
            print(f"| {name} | {how} | {found} |", flush=True)


def digits(_):
    """Bits of digits."""
    X = load_digits().data / 16
    X = (np.random.default_rng(0).random(X.shape) < X).astype(np.float32)
    X, V = train_test_split(X, random_state=0)
    for n_components in (16, 64):
        table(X, V, BernoulliRBM, BITS, n_components)


def real(_):
    """Gray values of digits."""
    X = load_digits().data
    X = X[:, X.std(axis=0) > 0.5].astype(np.float32)
    table(*train_test_split(X, random_state=0), GaussianRBM, REALS, 16)


def tables(asked):
    """Tables of bits."""
    for name in ("dna", "usps"):
        data = load(asked.data, name)
        X, V = (data[part].astype(np.float32) for part in ("train", "valid"))
        if name == "usps":
            X, V = ((part > 0.5).astype(np.float32) for part in (X, V))
        print(f"\n{name}")
        ways = {"Adam, 20 epochs": ADAM | {"n_iter": 20}}
        table(X[:5000], V[:1000], BernoulliRBM, BITS, 200, ways)


PARTS = {"digits": digits, "real": real, "tables": tables}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    asked = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(describe())
    for name in asked.only:
        if name != "tables" or asked.data:
            PARTS[name](asked)
