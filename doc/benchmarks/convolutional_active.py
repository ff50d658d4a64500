"""Correlation with filters: over active numbers only, or over patches with BLAS.

    python doc/benchmarks/convolutional_active.py

Time over that of patches, of what a coupling does with 100 images of 28 x 28 random
bits, by the share of bits that are on: their input to the maps above, and the sum of
patches times maps. One thread; the least time of some turns each, in one run. What is
below one is faster.
"""

import time
from functools import partial
from itertools import product

import numpy as np
from _machine import describe

from skdgm.couplings import _correlation
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.windows import Window, by_images

N_IMAGES, N_TURNS = 100, 7
SHARES = 0.05, 0.1, 0.15, 0.2, 0.3, 0.5


def least(*functions):
    """Least seconds of each, by turns."""
    found = np.full(len(functions), np.inf)
    for _ in range(N_TURNS):
        for number, function in enumerate(functions):
            start = time.process_time()
            function()
            found[number] = min(found[number], time.process_time() - start)
    return found


def ratios(maps, size, share, rng):
    """Both ratios of some filters."""
    n = 29 - size
    window = Window(28, 28, 1, size, size, 1, 1, 0, 0, n, n)
    W = rng.normal(0, 0.1, (size * size, maps)).astype(np.float32)
    below, above = (
        (rng.random((N_IMAGES, width)) < share).astype(np.float32)
        for width in (784, n * n * maps)
    )
    y = np.empty_like(above)
    turned, b = _correlation._turned(W, window), np.zeros(1, np.float32)
    parts = [np.empty((16, *shape), np.float32) for shape in (turned.shape, W.shape)]
    found = []
    for name, given, *rest in (
        ("_up", below, (y,), (y,)),
        ("_multiply", below, *((above, sums) for sums in parts)),
    ):
        functions = getattr(_correlation, f"{name}_active"), getattr(_correlation, name)
        calls = (
            partial(by_images, function, given, filters, b, window, *more)
            for function, filters, more in zip(functions, (turned, W), rest)
        )
        active, patches = least(*calls)
        found.append(active / patches)
    return found


def main():
    """Print the table."""
    print("| maps | filter | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |")
    print("|---|---|" + "---|" * len(SHARES))
    rng = np.random.default_rng(0)
    for maps, size in product((8, 24, 64), (3, 5, 9, 13)):
        with one_blas_thread():
            cells = [ratios(maps, size, share, rng) for share in SHARES]
        texts = [", ".join(f"{one:.2f}" for one in cell) for cell in cells]
        print(f"| {maps} | {size} x {size} | {' | '.join(texts)} |", flush=True)


if __name__ == "__main__":
    print(describe(), "\n")
    main()
