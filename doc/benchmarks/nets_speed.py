"""Time of a step of fine-tuning, relative to its matrix products alone.

    NUMBA_NUM_THREADS=1 python doc/benchmarks/nets_speed.py

A net of 784-500-500-2000-10 in float32, 5,000 rows of random numbers in batches of 100,
on one thread: medians of milliseconds per step, measured in turns.
"""

import time
from itertools import pairwise
from types import SimpleNamespace

import numpy as np

from skdgm.nets import Tuner, softmax_cross_entropy
from skdgm.optim import Clock
from skdgm.training import Run, canonical
from skdgm.utils.given import Given
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread

SIZES, N_ROWS, BATCH, N_EPOCHS = (784, 500, 500, 2000, 10), 5000, 100, 5
COMMON = {"learning_rate": 1e-3, "schedule": "constant", "power_t": 0.5}
COMMON |= {"activation": "logistic", "solver": "adam", "momentum": 0.9, "alpha": 1e-4}
COMMON |= {"batch_size": BATCH, "dropout": 0.0, "max_norm": None}
KINDS = {
    "adam": {},
    "sgd": {"solver": "sgd"},
    "relu": {"activation": "relu"},
    "dropout": {"dropout": (0.2, 0.5)},
    "max-norm": {"max_norm": 3.0},
}


def products(rng):
    """Return a function that computes the matrix products of a step.

    Each layer has one product in the forward pass and up to two in the backward pass.
    """
    x = [rng.random((BATCH, size), dtype=np.float32) for size in SIZES]
    W = [rng.random(shape, dtype=np.float32) for shape in pairwise(SIZES)]
    up, down = [np.empty_like(part) for part in x], [np.empty_like(part) for part in W]

    def run():
        for i in range(len(W)):
            np.matmul(x[i], W[i], out=up[i + 1])
        for i in reversed(range(len(W))):
            np.matmul(x[i].T, x[i + 1], out=down[i])
            if i:
                np.matmul(x[i + 1], W[i].T, out=up[i])

    return run


def step(table, targets, options):
    """Return a function that takes one step after the other, epoch after epoch."""
    recipe = SimpleNamespace(**{**COMMON, **options})
    tuner = Tuner(
        Run(recipe, None, 0),
        inputs=table.rows.take,
        targets=targets,
        loss=softmax_cross_entropy,
    )
    state, batches = tuner.start(SIZES, np.float32), []

    def run():
        if not batches:
            batches.extend(tuner.draw(table, 0))
        tuner.step(state, batches.pop(), Clock(0))

    return run


def main():
    rng = np.random.default_rng(0)
    X, y = rng.random((N_ROWS, SIZES[0]), dtype=np.float32), rng.integers(0, 10, N_ROWS)
    table = canonical(Rows(X, np.float32, complete=True, given=Given(y)))
    runs = {"products": products(rng)}
    targets = np.eye(SIZES[-1], dtype=bool)[y]
    runs |= {name: step(table, targets, options) for name, options in KINDS.items()}
    seconds = {name: [] for name in runs}
    n_steps = N_ROWS // BATCH
    for _ in range(N_EPOCHS):
        for name, run in runs.items():
            for _ in range(n_steps):
                start = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - start)
    alone = np.median(seconds["products"])
    print("| | ms a step | × products |\n|---|---|---|")
    for name, times in seconds.items():
        middle = np.median(times)
        print(f"| {name} | {1e3 * middle:.2f} | {middle / alone:.2f} |")


if __name__ == "__main__":
    with one_blas_thread():
        main()
