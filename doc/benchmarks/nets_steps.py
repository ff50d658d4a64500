"""Time of an update of default nets, and of its matrix products alone.

    python doc/benchmarks/nets_steps.py --data FOLDER [--code PATH ...]

Default estimators learn scikit-learn's digits and 5,000 images of MNIST, in float32, on
one thread. A figure is the median of the updates after the first fifty. "Products" are
the matrix products of an update within the fit, and "alone" is the time of products of
the same shapes in a loop of np.matmul, the limit of any implementation that calls BLAS.
The remaining time of an update consists of activation functions, losses, random
numbers, optimizer steps and Python. ``--code`` are other checkouts of skdgm, whose
updates are measured in turns.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from _data import load
from _machine import describe
from sklearn.datasets import load_digits

NAMES = "VAE", "Autoencoder", "DBNClassifier", "GAN", "GANClassifier", "Flow", "NADE"
# Numbers of epochs on MNIST; a fit to digits has the default length.
EPOCHS, N_ROWS, N_FIRST, N_ROUNDS = 3, 5_000, 50, 3
# The whole budget of a flow on 784 columns takes too long.
SETS = {"digits": NAMES, "mnist": NAMES[:-2]}
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"


def rows(name, folder):
    """Training rows and labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return (X / 16).astype(np.float32), y
    parts = load(folder, "mnist")
    return parts["train"][:N_ROWS].astype(np.float32), parts["train_y"][:N_ROWS]


class Recorder:
    """Times of updates by class of objective, and products of the current update."""

    def __init__(self):
        self.updates, self.products = defaultdict(list), []
        self.shapes, self.active = Counter(), False

    def product(self, function):
        """Function that records the times and shapes of products."""

        def matmul(A, B, b=None):
            if not self.active:
                return function(A, B, b)
            start = time.perf_counter()
            out = function(A, B, b)
            self.products[-1] += time.perf_counter() - start
            flags = A.flags.c_contiguous, B.flags.c_contiguous
            self.shapes[A.shape, B.shape, flags, A.dtype.char] += 1
            return out

        return matmul

    def step(self, function):
        """Method that records the times of updates."""

        def step(objective, *arguments):
            if self.active:
                return function(objective, *arguments)
            if type(objective).__name__ not in self.updates:
                # A stack first trains machines, whose products are not those of nets.
                self.shapes.clear()
            self.active, start = True, time.perf_counter()
            self.products.append(0.0)
            state = function(objective, *arguments)
            seconds = time.perf_counter() - start
            self.active = False
            pair = seconds, self.products[-1]
            self.updates[type(objective).__name__].append(pair)
            return state

        return step


def methods_of(kind, name):
    """Iterate over the subclasses of a class that define a method."""
    for subclass in kind.__subclasses__():
        yield from methods_of(subclass, name)
        if name in vars(subclass):
            yield subclass


def alone(shapes, n_updates):
    """Seconds of the products of an update, in a loop."""
    rng, total = np.random.default_rng(0), 0.0
    for (first, second, flags, dtype), n in shapes.items():
        pair = [
            rng.normal(size=shape if plain else shape[::-1]).astype(dtype)
            for shape, plain in zip((first, second), flags)
        ]
        A, B = (part if plain else part.T for part, plain in zip(pair, flags))
        times = []
        for _ in range(30):
            start = time.perf_counter()
            for _ in range(10):
                np.matmul(A, B)
            times.append((time.perf_counter() - start) / 10)
        total += n / n_updates * min(times)
    return total


def measured(name, data, folder):
    """Seconds of an update, of its products within the fit, and of these alone."""
    from skdgm.utils import products

    recorder = Recorder()
    products.matmul = recorder.product(products.matmul)
    import skdgm
    from skdgm.training import Objective

    X, y = rows(data, folder)
    model = getattr(skdgm, name)(random_state=0)
    if data == "mnist":
        model.set_params(n_iter=EPOCHS)
    arguments = (X, y) if "Classifier" in name else (X,)
    # Compile and import first.
    getattr(skdgm, name)(n_iter=1).fit(*(part[:300] for part in arguments))
    for kind in methods_of(Objective, "step"):
        kind.step = recorder.step(kind.step)
    model.fit(*arguments)
    updates = np.array(list(recorder.updates.values())[-1])
    seconds, within = np.median(updates[N_FIRST:], axis=0)
    return float(seconds), float(within), alone(recorder.shapes, len(updates))


def asked(path, name, data, folder):
    """Result of :func:`measured` in a process with the code of a checkout."""
    environment = {**os.environ, "PYTHONPATH": str(path)}
    environment |= dict.fromkeys(THREADS, "1")
    for variable in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        environment.pop(variable, None)
    command = [sys.executable, __file__, "--run", name, data, "--data", str(folder)]
    output = subprocess.run(command, env=environment, check=True, capture_output=True)
    return json.loads(output.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--code", type=Path, nargs="*", default=[])
    parser.add_argument("--only", nargs="+", default=NAMES)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--run", nargs=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.run:
        print(json.dumps(measured(*options.run, options.data)))
        return
    paths = [*options.code, Path(__file__).parents[2]]
    print(describe(), "\n")
    others = [f"{path.name}, us" for path in options.code]
    head = [
        "set",
        "estimator",
        *others,
        "now, us",
        "products",
        "alone",
        "over products",
    ]
    head += ["now over " + path.name for path in options.code]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for data in options.sets:
        for name in SETS[data]:
            if name not in options.only:
                continue
            results = [
                [asked(path, name, data, options.data) for path in paths]
                for _ in range(N_ROUNDS)
            ]
            best = np.min(results, axis=0) * 1e6
            *before, (now, within, limit) = best
            cells = [data, name, *(f"{other[0]:.0f}" for other in before)]
            cells += [f"{number:.0f}" for number in (now, within, limit)]
            cells += [f"{now / limit:.1f}"]
            cells += [f"{now / other[0]:.2f}" for other in before]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
