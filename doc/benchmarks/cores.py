"""Time of training by number of threads, with scikit-learn and PyTorch beside.

    python doc/benchmarks/cores.py --threads 1 2 4 8 16
    python doc/benchmarks/cores.py --threads 1 2 --only 784-500 VAE --torch

Rows are of MNIST's size: 784 bits, of which a fifth are 1, with forty features that
overlap. The time of a row is the difference of two fits with different numbers of
epochs, which leaves out all that is done once; numbers of threads are taken in turns,
and the table has medians of rounds. ``cpu`` is the processor time of all threads. The
variables by which OpenBLAS may be held back are unset for all, and every machine has
as many chains as a batch has rows.
"""

import argparse
import os
import time
from functools import partial

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import numpy as np  # noqa: E402
from _machine import describe  # noqa: E402
from sklearn import neural_network  # noqa: E402
from sklearn.base import clone  # noqa: E402
from threadpoolctl import threadpool_info, threadpool_limits  # noqa: E402

from skdgm import (  # noqa: E402
    DBM,
    GAN,
    NADE,
    VAE,
    BernoulliRBM,
    ConvRBM,
    DBNClassifier,
    GaussianRBM,
)
from skdgm.metrics import partition_bracket  # noqa: E402
from skdgm.options import PCD, Filters, Pretraining  # noqa: E402
from skdgm.utils.threading import parallel  # noqa: E402


def rows(n, n_columns=784, seed=0):
    """Bits with the density of MNIST's, of forty features that overlap."""
    rng = np.random.default_rng(seed)
    parts = rng.random((40, n_columns)) < 0.06
    chosen = (rng.random((n, 40)) < 0.1).astype(np.float32)
    return ((chosen @ parts > 0) ^ (rng.random((n, n_columns)) < 0.02)).astype(
        np.float32
    )


def machine(n_hidden, size):
    """A machine by persistent contrastive divergence, with as many chains as rows."""
    chains = PCD(n_chains=size)
    return BernoulliRBM(
        n_hidden, batch_size=size, gradient=chains, learning_rate=0.01, random_state=0
    )


# Estimator; name of the number of epochs, and two of them; rows.
MODELS = {
    "784-500, 100": (machine(500, 100), "n_iter", (1, 4), 30_000),
    "784-500, 1000": (machine(500, 1000), "n_iter", (1, 4), 30_000),
    "784-4000, 1000": (machine(4000, 1000), "n_iter", (1, 3), 10_000),
    "GaussianRBM 784-500": (
        GaussianRBM(
            500, batch_size=100, gradient=PCD(n_chains=100), learning_rate=0.01
        ),
        *("n_iter", (1, 3), 10_000),
    ),
    "DBM 500-1000": (
        DBM(
            (500, 1000), batch_size=100, gradient=PCD(n_chains=100), learning_rate=0.01
        ),
        *("n_iter", (1, 2), 5_000),
    ),
    "ConvRBM": (
        ConvRBM(
            24, image_shape=(28, 28), filters=Filters(shape=(9, 9)), batch_size=100
        ),
        *("n_iter", (1, 2), 2_000),
    ),
    "VAE(50)": (VAE(50, (500,), batch_size=100), "n_iter", (1, 3), 20_000),
    "NADE(500)": (NADE(500, batch_size=100), "n_iter", (1, 2), 10_000),
    "GAN": (GAN(50, (500, 500), batch_size=100), "n_iter", (1, 2), 10_000),
    "DBNClassifier": (
        DBNClassifier((500, 500), pretrain=Pretraining(n_iter=1), batch_size=100),
        *("n_iter", (1, 3), 10_000),
    ),
}
AIS = "AIS 784-500"


def fit_time(estimator, parameter, epochs, X, y):
    """Microseconds of a row, of the clock and of the processors."""
    took = []
    for n in epochs:
        model = clone(estimator).set_params(**{parameter: n, "random_state": 0})
        start = np.array([time.perf_counter(), time.process_time()])
        model.fit(X, y)
        took.append(np.array([time.perf_counter(), time.process_time()]) - start)
    return (took[1] - took[0]) / ((epochs[1] - epochs[0]) * len(X)) * 1e6


def ais_time(X):
    """Milliseconds of an estimate of the partition function."""
    model = machine(500, 100).set_params(n_iter=1).fit(X)

    def run():
        start = np.array([time.perf_counter(), time.process_time()])
        partition_bracket(model, n_betas=300, burn_in=50, random_state=0)
        return (np.array([time.perf_counter(), time.process_time()]) - start) * 1e3

    return run


def sklearn_time(n_hidden, size, X):
    """Microseconds of a row of scikit-learn's machine."""
    took = []
    for n in (1, 2):
        model = neural_network.BernoulliRBM(
            n_hidden, batch_size=size, n_iter=n, learning_rate=0.01, random_state=0
        )
        start = time.perf_counter()
        model.fit(X)
        took.append(time.perf_counter() - start)
    return (took[1] - took[0]) / len(X) * 1e6


def torch_time(n_hidden, size, n_threads, X):
    """Microseconds of a row of PCD in PyTorch on the processor."""
    import torch

    torch.set_num_threads(n_threads)
    X, W = torch.from_numpy(X), 0.01 * torch.randn(X.shape[1], n_hidden)
    b, c, v = torch.zeros(X.shape[1]), torch.zeros(n_hidden), X[:size].clone()
    with torch.no_grad():
        for _ in range(2):
            start = time.perf_counter()
            for first in range(0, len(X), size):
                x = X[first : first + size]
                h = torch.sigmoid(x @ W + c)
                on = torch.bernoulli(torch.sigmoid(v @ W + c))
                v = torch.bernoulli(torch.sigmoid(on @ W.T + b))
                h_model = torch.sigmoid(v @ W + c)
                W += 0.01 / size * (x.T @ h - v.T @ h_model)
                b += 0.01 * (x - v).mean(0)
                c += 0.01 * (h - h_model).mean(0)
            took = time.perf_counter() - start
    return took / len(X) * 1e6


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the rows")
    parser.add_argument("--sklearn", action="store_true")
    parser.add_argument("--torch", action="store_true")
    asked = parser.parse_args()
    print(describe())
    found = {(x["prefix"], x.get("architecture")) for x in threadpool_info()}
    print(
        "BLAS and threads:",
        ", ".join(f"{p} {a or ''}".strip() for p, a in sorted(found, key=str)),
    )
    head = "".join(f"{n:>10}{'cpu':>9}" for n in asked.threads)
    print(f"{'us a row':24}{head}   speed of the last over the first", flush=True)
    for name, (estimator, parameter, epochs, n) in MODELS.items():
        if asked.only and not any(part in name for part in asked.only):
            continue
        X = rows(int(n * asked.share))
        y = np.arange(len(X)) % 10 if name == "DBNClassifier" else None
        some = slice(0, 1000)
        fit_time(estimator, parameter, (1, 2), X[some], y if y is None else y[some])
        show(name, asked, partial(fit_time, estimator, parameter, epochs, X, y))
        if "," in name:
            n_hidden, size = (int(part) for part in name.split("-")[1].split(", "))
            some = X[: 40 * size if n_hidden < 1000 else 5 * size]
            for n in (asked.threads[0], asked.threads[-1]):
                if asked.sklearn:
                    with threadpool_limits(n):
                        took = sklearn_time(n_hidden, size, some)
                    print(f"    scikit-learn, {n}: {took:.1f}", flush=True)
                if asked.torch:
                    took = torch_time(n_hidden, size, n, some)
                    print(f"    PyTorch, {n}: {took:.1f}", flush=True)
    if not asked.only or any(part in AIS for part in asked.only):
        show(f"{AIS}, ms", asked, ais_time(rows(2000)))


def show(name, asked, measure):
    """Print a line of the table."""
    parallel_limit, found = parallel.limit, {n: [] for n in asked.threads}
    for _ in range(asked.rounds):
        for n in asked.threads:
            with parallel_limit(n):
                found[n].append(measure())
    medians = [np.median(found[n], axis=0) for n in asked.threads]
    cells = "".join(f"{wall:10.1f}{cpu:9.1f}" for wall, cpu in medians)
    ratios = [
        first[0] / last[0]
        for first, last in zip(found[asked.threads[0]], found[asked.threads[-1]])
    ]
    print(f"{name:24}{cells}   {np.median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
