"""Times of an epoch of a deep Boltzmann machine and of its log Z, relative to BLAS.

    python doc/benchmarks/deep_speed.py [--data FOLDER] [--rows N] [--threads N]

784-500-1000 units, batches of 100, one Gibbs step, at most ten sweeps of mean field.
The time of an epoch is compared with that of the same products alone by BLAS, on dense
arrays of float32: as many sweeps for every row as the slowest row of its batch took,
the sweep of the chains, and the gradient. Annealed importance sampling has 100 chains
and 1,000 temperatures. Both sides have the same number of threads. Without FOLDER rows
are random bits, of which an eighth are on.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from threadpoolctl import threadpool_limits

from skdgm import DBM
from skdgm.inference import mean_field
from skdgm.options import PCD
from skdgm.partition import ais
from skdgm.partition.ladder import quadratic
from skdgm.utils.random import stream

SIZES, BATCH, N_BETAS = (784, 500, 1000), 100, 1000


def data(options):
    """Load or draw binary rows."""
    rng = np.random.default_rng(0)
    if options.data is None:
        return (rng.random((options.rows, SIZES[0])) < 0.125).astype(np.float32)
    gray = load(options.data, "mnist")["train"][: options.rows] / 255
    return (rng.random(gray.shape) < gray).astype(np.float32)


def timed(function):
    """Seconds of a call, the best of three."""
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


def n_sweeps(dbm, X):
    """Mean number of mean-field sweeps of a batch's slowest row."""
    energy, params = dbm.density_.energy, dbm.density_.params
    slowest = []
    for start in range(0, len(X), BATCH):
        x, clamp = dbm._present(X[start : start + BATCH])
        _, info = mean_field(energy, params, x, clamp, max_sweeps=10)
        slowest.append(info.n_sweeps.max())
    return np.mean(slowest)


def epoch_by_blas(n_rows, sweeps):
    """Return a function that computes the matrix products of an epoch."""
    rng = np.random.default_rng(0)
    W1, W2 = (rng.random(shape, np.float32) for shape in pairwise(SIZES))
    v, h1, h2 = (rng.random((BATCH, n), np.float32) for n in SIZES)

    def run():
        for _ in range(n_rows // BATCH):
            v @ W1  # The data's input, and an upward pass.
            h1 @ W2
            for _ in range(round(sweeps)):
                h2 @ W2.T
                h1 @ W2
            h1 @ W1.T  # The sweep of the chains.
            h1 @ W2
            v @ W1
            h2 @ W2.T
            for _ in range(2):  # Both phases of the gradient.
                v.T @ h1
                h1.T @ h2

    return run


def ais_by_blas():
    """Return a function that computes the matrix products of annealing."""
    rng = np.random.default_rng(0)
    W1, W2 = (rng.random(shape, np.float32) for shape in pairwise(SIZES))
    v, h1, h2 = (rng.random((BATCH, n), np.float32) for n in SIZES)

    def run():
        for _ in range(N_BETAS):
            v @ W1
            h2 @ W2.T
            h1 @ W1.T
            h1 @ W2

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    X = data(options)
    with threadpool_limits(options.threads):
        dbm = DBM(
            SIZES[1:],
            batch_size=BATCH,
            gradient=PCD(n_chains=BATCH),
            n_iter=3,
            random_state=0,
        )
        dbm.fit(X)
        sweeps = n_sweeps(dbm, X)
        ours = timed(lambda: dbm.partial_fit(X))
        floor = timed(epoch_by_blas(len(X), sweeps))
        energy, params = dbm.density_.energy, dbm.density_.params_for_chains
        base = energy.base(params, dbm.density_.moments)
        annealed = timed(
            lambda: ais.forward(
                stream(0), energy, params, base, BATCH, quadratic(N_BETAS)
            )
        )
        annealed_floor = timed(ais_by_blas())
    print(f"{describe()}; {options.threads} threads, {len(X)} rows")
    print(f"sweeps of mean field: {sweeps:.1f}\n")
    print("| | seconds | products alone | ratio |\n|---|---|---|---|")
    print(f"| an epoch | {ours:.2f} | {floor:.2f} | {ours / floor:.2f} |")
    print(
        f"| AIS, {BATCH} chains x {N_BETAS} | {annealed:.2f} | {annealed_floor:.2f}",
        end="",
    )
    print(f" | {annealed / annealed_floor:.2f} |")


if __name__ == "__main__":
    main()
