"""Machines of units that are no bits: counts of digits, and tables of several kinds.

    python doc/benchmarks/units.py [--only digits tables speed] [--rbms CLONE]

``digits``: the pixels of scikit-learn's digits are counts from 0 to 16, of how many of
16 points are black. Nats of held-out images as integers: all models give them a
probability, that of a density being the integral over cubes around them, for which the
mean log density of points drawn in them is a lower bound. ``tables``: bundled tables
with columns of several kinds, nats of held-out rows, densities of the real columns.
``speed``: an epoch of a machine of categories beside rbms, for which give a clone of
https://github.com/DsysDML/rbms by --rbms, where PyTorch can be imported. Seconds are of
the processor, and the speed is that of one thread.
"""

import argparse
import sys
import time
import warnings
from types import SimpleNamespace

import numba
import numpy as np
import pandas as pd
from _machine import describe
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import KFold
from threadpoolctl import threadpool_limits

from skdgm import NADE, RBM, VAE, BernoulliRBM, EoNADE, GaussianRBM
from skdgm.exceptions import LikelihoodWarning, PrecisionWarning
from skdgm.options import PCD, Columns

HEADER = (
    "| model | held-out nats | of training rows | kind | fit s |\n|---|---|---|---|---|"
)


def timed(model, X):
    """Fit, and return CPU seconds."""
    start = time.process_time()
    model.fit(X)
    return time.process_time() - start


def told(name, held, seen, kind, seconds):
    """Print a row of a table."""
    print(f"| {name} | {held:.1f} | {seen:.1f} | {kind} | {seconds:.1f} |", flush=True)


def in_cubes(X, seed=0):
    """Points drawn in the cubes around integers."""
    return X + np.random.default_rng(seed).uniform(-0.5, 0.5, X.shape)


def thermometer(X):
    """Bits that say whether a count is at least 1, 2, ... 16."""
    return (X[:, :, None] > np.arange(16)).reshape(len(X), -1)


def digits(args):
    """Counts of points of 8 x 8 digits."""
    X = load_digits().data
    order = np.random.default_rng(0).permutation(len(X))
    X, V = X[order[:1400]], X[order[1400:]]
    print(f"{len(X)} images to learn from, {len(V)} held out.\n\n{HEADER}")
    share = (np.array([(k == X).sum(axis=0) for k in range(17)]) + 1) / (len(X) + 17)
    parts = [
        np.log(share[rows.astype(int), np.arange(64)]).sum(axis=1).mean()
        for rows in (V, X)
    ]
    told("shares of each pixel's values", *parts, "exact", 0.0)
    learn = {"n_iter": args.n_iter, "random_state": 0}
    machines = {
        'RBM(16, column_types="binomial(16)")': RBM(
            16, column_types="binomial(16)", **learn
        ),
        'RBM(16, column_types="poisson", gradient="pcd")': RBM(
            16, column_types="poisson", gradient="pcd", **learn
        ),
        'RBM(1, "binomial(16)", hidden="categorical(50)"), a mixture': RBM(
            1, column_types="binomial(16)", hidden="categorical(50)", **learn
        ),
        'RBM(16, column_types="binomial(16)", gradient="pcd")': RBM(
            16, column_types="binomial(16)", gradient="pcd", **learn
        ),
        'RBM(64, column_types="binomial(16)")': RBM(
            64, column_types="binomial(16)", **learn
        ),
        'RBM(16, column_types="categorical(17)")': RBM(
            16, column_types="categorical(17)", **learn
        ),
        'NADE(64, column_types="categorical")': NADE(
            64, column_types=Columns("categorical", min_categories=17), random_state=0
        ),
    }
    for name, model in machines.items():
        seconds = timed(model, X)
        found = model.score(V), model.score(X)
        told(name, *found, model.density_kind_, seconds)
    for size in (16, 64):
        model = GaussianRBM(size, **learn)
        seconds = timed(model, in_cubes(X))
        found = model.score(in_cubes(V, 1)), model.score(in_cubes(X, 1))
        told(f"GaussianRBM({size}), of cubes", *found, "lower bound", seconds)
        model = BernoulliRBM(size, **learn)
        seconds = timed(model, thermometer(X))
        found = model.score(thermometer(V)), model.score(thermometer(X))
        told(
            f"BernoulliRBM({size}), 16 bits for each pixel",
            *found,
            model.density_kind_,
            seconds,
        )
    model = GaussianMixture(20, reg_covar=0.1, random_state=0)
    seconds = timed(model, in_cubes(X))
    found = model.score(in_cubes(V, 1)), model.score(in_cubes(X, 1))
    told("GaussianMixture(20), of cubes", *found, "lower bound", seconds)


def wine():
    """Chemical analyses, the class of the wine, and two columns as bits."""
    frame = load_wine(as_frame=True).frame
    frame["target"] = pd.Categorical(frame["target"].map(str))
    for name in ("malic_acid", "ash"):
        frame[name] = frame[name] > frame[name].median()
    return frame


def cancer():
    """Measurements of cells, the diagnosis, and the errors' columns as bits."""
    frame = load_breast_cancer(as_frame=True).frame
    frame["target"] = frame["target"] == 1
    for name in [own for own in frame if own.endswith("error")]:
        frame[name] = frame[name] > frame[name].median()
    return frame


def tables(args):
    """Bundled tables with real columns, bits and categories."""
    for name, frame in (("wine", wine()), ("breast_cancer", cancer())):
        counts = frame.dtypes.map(str).value_counts().to_dict()
        print(f"\n### {name}\n\n{len(frame)} rows, columns {counts}; five folds.\n")
        print(HEADER)
        learn = {"n_iter": args.n_iter, "random_state": 0}
        models = {
            'RBM(1, hidden="categorical(1)"), independent columns': RBM(
                1, hidden="categorical(1)", **learn
            ),
            "RBM(16)": RBM(16, **learn),
            'RBM(8, hidden="binomial(4)")': RBM(8, hidden="binomial(4)", **learn),
            'RBM(1, hidden="categorical(8)"), a mixture': RBM(
                1, hidden="categorical(8)", **learn
            ),
            "VAE()": VAE(random_state=0),
            "NADE()": NADE(random_state=0),
            "EoNADE()": EoNADE(random_state=0),
        }
        for title, model in models.items():
            found, seconds = [], 0.0
            for train, held in KFold(5, shuffle=True, random_state=0).split(frame):
                seconds += timed(model, frame.iloc[train])
                parts = frame.iloc[held], frame.iloc[train]
                found.append([model.score(part) for part in parts])
            told(title, *np.mean(found, axis=0), model.density_kind_, seconds)


def epoch_of_rbms(clone, X, n_hidden, batch_size, n_steps):
    """A function that does an epoch as rbms does, without its files and gauges."""
    sys.path.insert(0, clone)
    import torch
    from rbms.potts_bernoulli.classes import PBRBM
    from rbms.training.pcd import fit_batch_pcd

    torch.set_num_threads(1)
    rows = torch.from_numpy(X)
    device, dtype = torch.device("cpu"), torch.float32
    machine = PBRBM.init_parameters(n_hidden, SimpleNamespace(data=rows), device, dtype)
    for part in machine.parameters():
        part.grad = torch.zeros_like(part)
    optimizer = torch.optim.SGD(machine.parameters(), lr=0.01, maximize=True)
    chains = [machine.init_chains(batch_size)]

    def epoch():
        with torch.no_grad():
            for batch in torch.split(rows[torch.randperm(len(rows))], batch_size):
                given = batch, torch.ones(len(batch))
                chains[0], _ = fit_batch_pcd(given, chains[0], machine, n_steps, 1.0)
                optimizer.step()

    return epoch


def speed(args):
    """Seconds of an epoch of 2,000 rows with as many chains as a batch has rows."""
    print("| columns | values | units | batch | steps | ours s | rbms s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        numba.set_num_threads(1)
        for n_columns, n_values, n_hidden, batch_size, n_steps in SPEEDS:
            X = rng.integers(0, n_values, (2000, n_columns)).astype(np.float32)
            machine = RBM(
                n_hidden,
                column_types=f"categorical({n_values})",
                gradient=PCD(n_chains=batch_size, n_steps=n_steps),
                batch_size=batch_size,
                learning_rate=0.01,
                n_iter=N_EPOCHS,
                warm_start=True,
                random_state=0,
            ).fit(X)
            theirs = epoch_of_rbms(args.rbms, X, n_hidden, batch_size, n_steps)
            theirs()
            taken = []
            for _ in range(5):
                start = time.process_time()
                machine.fit(X)
                middle = time.process_time()
                for _ in range(N_EPOCHS):
                    theirs()
                taken.append((middle - start, time.process_time() - middle))
            ours, rival = np.median(taken, axis=0) / N_EPOCHS
            print(
                f"| {n_columns} | {n_values} | {n_hidden} | {batch_size} | {n_steps} "
                f"| {ours:.3f} | {rival:.3f} | {rival / ours:.1f} |",
                flush=True,
            )


# Epochs of each of five fits.
N_EPOCHS = 5
# Columns, their values, hidden units, rows of a batch, steps of the chains.
SPEEDS = [
    (100, 4, 100, 100, 1),
    (100, 21, 100, 100, 1),
    (100, 21, 100, 500, 10),
    (64, 17, 500, 100, 1),
]
PARTS = {"digits": digits, "tables": tables, "speed": speed}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=["digits", "tables"]
    )
    parser.add_argument("--rbms", help="a clone of rbms, for the part speed")
    parser.add_argument("--n-iter", type=int, default=40)
    args = parser.parse_args()
    for category in ConvergenceWarning, LikelihoodWarning, PrecisionWarning:
        warnings.simplefilter("once", category)
    print(describe())
    for name in args.only:
        print(f"\n## {name}\n", flush=True)
        PARTS[name](args)


if __name__ == "__main__":
    main()
