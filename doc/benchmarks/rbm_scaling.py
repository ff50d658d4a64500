"""Cost of learning as a function of rows, hidden units and density.

    python doc/benchmarks/rbm_scaling.py [--rows 1000000]

Draws ``rbm_scaling.png`` in this folder and prints its points: microseconds per row
for one epoch of PCD-1 with everything a fit does, 784 visible units, batches of 100.
"""

import argparse
import tempfile
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from _machine import describe

from skdgm import BernoulliRBM
from skdgm.options import PCD


def rows_file(folder, n_rows, density, seed=0):
    """Write random bits to a file and return it as a memory-mapped uint8 array."""
    path = Path(folder) / f"{n_rows}-{density}.npy"
    X = np.lib.format.open_memmap(path, "w+", np.uint8, (n_rows, 784))
    rng = np.random.default_rng(seed)
    for start in range(0, n_rows, 10_000):
        part = X[start : start + 10_000]
        part[:] = rng.random(part.shape, dtype=np.float32) < density
    X.flush()
    return np.load(path, mmap_mode="r")


def cost(X, n_hidden):
    """Microseconds per row: the median of three fits (one of a million rows)."""
    times = []
    for _ in range(3 if len(X) < 10**6 else 1):
        rbm = BernoulliRBM(
            n_hidden,
            batch_size=100,
            gradient=PCD(n_chains=100),
            n_iter=1,
            random_state=0,
        )
        start = time.perf_counter()
        rbm.fit(X)
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times)) / len(X)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**6)
    options = parser.parse_args()
    sizes = [10**k for k in range(3, 7) if 10**k <= options.rows]
    units = [50, 100, 200, 500, 1000, 2000, 4000]
    densities = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0]
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        X = rows_file(folder, 10_000, 0.13)
        cost(X[:500], 20)
        curves = {
            "rows (100 hidden units, memory-mapped)": (
                sizes,
                [cost(rows_file(folder, n, 0.13), 100) for n in sizes],
            ),
            "hidden units (10,000 rows)": (units, [cost(X, n) for n in units]),
            "density (10,000 rows, 500 hidden units)": (
                densities,
                [cost(rows_file(folder, 10_000, d), 500) for d in densities],
            ),
        }
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    for ax, (title, (x, y)) in zip(axes, curves.items()):
        print(f"\n| {title} | " + " | ".join(map(str, x)) + " |")
        print("|---" * (len(x) + 1) + "|")
        print("| us/row | " + " | ".join(f"{value:.1f}" for value in y) + " |")
        ax.plot(x, y, "o-")
        if not title.startswith("density"):
            ax.set_xscale("log")
        if title.startswith("hidden"):
            ax.set_yscale("log")
        else:
            ax.set_ylim(0, None)
        ax.set(xlabel=title, ylabel="µs a row")
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
