"""CPU time of an epoch and peak memory of fits to large tables, on one thread.

    python doc/benchmarks/limits.py --results FILE.json

Each case runs in a process of its own. The time of an epoch is half the difference of
the CPU times of fits with three epochs and with one epoch. Memory is the increase of
the peak of the process during the fits, without the table, which is in memory (or, if
the case says so, a memory map). Loss is that of the last epoch, in nats per row. Tables
are random: columns depend on one hidden class of eight.
"""

import argparse
import json
import resource
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from _machine import describe
from _processes import asked

from skdgm import (
    GAN,
    RNNNADE,
    VAE,
    BernoulliRBM,
    EoNADE,
    ReplicatedSoftmax,
)


def bits(n_rows, n_columns, rng):
    """Memory map of bits, of which a fifth are 1 on average."""
    p = rng.beta(0.2, 0.8, (8, n_columns))
    path = Path(tempfile.mkdtemp()) / "rows.npy"
    shape = n_rows, n_columns
    rows = np.lib.format.open_memmap(path, "w+", dtype=np.uint8, shape=shape)
    for start in range(0, n_rows, 10_000):
        part = rows[start : start + 10_000]
        part[:] = rng.random(part.shape) < p[rng.integers(0, 8, len(part))]
    return np.load(path, mmap_mode="r")


def table(n_rows, sizes, n_numbers, rng):
    """DataFrame with categorical columns of given sizes, and numbers."""
    of_row = rng.integers(0, 8, n_rows)
    columns = {}
    for j, size in enumerate(sizes):
        values = (rng.geometric(20 / size, n_rows) + 7 * of_row) % size
        columns[f"category_{j}"] = np.array([f"v{value}" for value in range(size)])[
            values
        ]
    centers = rng.normal(size=(8, n_numbers))
    numbers = centers[of_row] + 0.5 * rng.normal(size=(n_rows, n_numbers))
    return pd.DataFrame(columns | {f"number_{j}": x for j, x in enumerate(numbers.T)})


def wide(n_rows, n_levels, rng):
    """DataFrame with a column of n_levels equally frequent categories, and four other
    columns."""
    rows = table(n_rows, [20, 20], 2, rng)
    names = [f"v{value}" for value in range(n_levels)]
    codes = rng.integers(0, n_levels, n_rows)
    rows["level"] = pd.Categorical.from_codes(codes, names)
    return rows


def documents(n_rows, n_words, rng):
    """CSR matrix of counts of 100 words a document, of one of 20 topics each.

    A topic has the words of an equal share of the vocabulary.
    """
    topic = rng.integers(0, 20, (n_rows, 1))
    words = topic + 20 * rng.integers(0, n_words // 20, (n_rows, 100))
    rows = np.repeat(np.arange(n_rows), 100)
    shape = n_rows, n_words
    return sp.csr_array((np.ones(len(rows)), (rows, words.ravel())), shape=shape)


def series(n_steps, n_columns, rng):
    """Autoregressive series of real columns."""
    rows = rng.normal(size=(n_steps, n_columns))
    for step in range(1, n_steps):
        rows[step] = 0.8 * rows[step - 1] + 0.6 * rows[step]
    return rows


CASES = {
    "BernoulliRBM(500), 100,000 x 784 bits, memory map": (
        lambda rng: bits(100_000, 784, rng),
        lambda: BernoulliRBM(500, batch_size=100),
    ),
    "EoNADE(), 100,000 x 15, mixed": (
        lambda rng: table(100_000, [50] * 5, 10, rng),
        EoNADE,
    ),
    "VAE(), 100,000 x 15, mixed": (
        lambda rng: table(100_000, [50] * 5, 10, rng),
        VAE,
    ),
    "GAN(), 100,000 x 15, mixed": (
        lambda rng: table(100_000, [50] * 5, 10, rng),
        GAN,
    ),
    **{
        f"{model.__name__}(), 10,000 x 5, a column of {n_levels:,} categories": (
            partial(wide, 10_000, n_levels),
            model,
        )
        for model, sizes in ((EoNADE, (10, 1000, 50_000)), (VAE, (10, 1000)))
        for n_levels in sizes
    },
    **{
        f"ReplicatedSoftmax(), 500 documents, {n_words:,} words": (
            partial(documents, 500, n_words),
            ReplicatedSoftmax,
        )
        for n_words in (1000, 20_000, 100_000)
    },
    **{
        f"RNNNADE(), one series of {n_steps:,} steps x 20, real": (
            partial(series, n_steps, 20),
            RNNNADE,
        )
        for n_steps in (100, 10_000)
    },
}


def megabytes():
    """Peak memory of the process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name):
    """CPU seconds of an epoch, peak memory in MB and last loss of a case."""
    make, model = CASES[name]
    rows, before = make(np.random.default_rng(0)), megabytes()
    seconds = {}
    for n_iter in (1, 3):
        estimator = model().set_params(n_iter=n_iter, random_state=0)
        if "early_stopping" in estimator.get_params():
            estimator.set_params(early_stopping=False)
        # Kernels are compiled, or read, by the first fit.
        few = rows[:1000] if n_iter == 1 else rows[:200]
        estimator.fit(few)
        start = time.process_time()
        estimator.fit(rows)
        seconds[n_iter] = time.process_time() - start
    memory = megabytes() - before
    loss = estimator.loss_curve_[-1]
    epoch = (seconds[3] - seconds[1]) / 2
    return {"epoch": epoch, "first": seconds[1], "memory": memory, "loss": loss}


def main():
    """Measure all cases, or print one as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measured(options.case)))
        return
    known = {}
    if options.results and options.results.exists():
        known = json.loads(options.results.read_text())
    print(describe())
    print("\n| fit | CPU s an epoch | CPU s, one epoch with preparation | MB | loss |")
    print("|---|---|---|---|---|")
    for name in CASES:
        if name not in known:
            known[name] = asked(__file__, 1, case=name)
            if options.results:
                options.results.write_text(json.dumps(known, indent=1))
        case = known[name]
        cells = [f"{case['epoch']:.1f}", f"{case['first']:.1f}"]
        cells += [f"{case['memory']:.0f}", f"{case['loss']:.2f}"]
        print(f"| {' | '.join([name, *cells])} |", flush=True)


if __name__ == "__main__":
    main()
