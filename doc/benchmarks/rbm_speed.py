"""Speed of BernoulliRBM, compared with scikit-learn's and with others.

    python doc/benchmarks/rbm_speed.py --data FOLDER [section ...]

FOLDER holds ``binarized_mnist.npz`` and its ``load.py``. Sections are those of the
printed page; all of them take about half an hour. Times that are compared are measured
in turns in one process; tables give medians, with the range in brackets. The NumPy
loop, the Numba loop and rbms are in ``rivals.py``; rbms is left out if it is not
installed. The docstring of a section is the heading of its table.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import rivals
import scipy.sparse as sp
from _data import load
from _machine import describe
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import BernoulliRBM as ScikitRBM
from threadpoolctl import threadpool_limits

from skdgm import BernoulliRBM
from skdgm.energies import tiled
from skdgm.options import PCD, SGD
from skdgm.partition import ais
from skdgm.partition.ladder import quadratic
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit


def seconds(function):
    """Time a call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_turns(functions, n_repeats=5):
    """Times of several functions, each called n_repeats times, in turns."""
    times = [[] for _ in functions]
    for _ in range(n_repeats):
        for function, own in zip(functions, times):
            own.append(seconds(function))
    return times


def ratio(times, rival_times):
    """Format how many times faster, pair by pair: the median and the range."""
    ratios = sorted(b / a for a, b in zip(times, rival_times))
    return f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f})"


def micro(times, n_rows):
    """Format microseconds per row."""
    return f"{1e6 * statistics.median(times) / n_rows:.1f}"


def table(title, columns, rows):
    """Print a table in Markdown."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def ours(n_hidden, batch_size, n_iter, rate=0.05, **parameters):
    """Our RBM, configured as scikit-learn's.

    As many chains as rows in a batch, and a constant learning rate.
    """
    parameters = {"gradient": PCD(n_chains=batch_size), **parameters}
    return BernoulliRBM(
        n_hidden,
        batch_size=batch_size,
        solver=SGD(schedule="constant"),
        n_iter=n_iter,
        learning_rate=rate,
        random_state=0,
        **parameters,
    )


def theirs(n_hidden, batch_size, n_iter, rate=0.05):
    """scikit-learn's RBM."""
    return ScikitRBM(
        n_hidden,
        batch_size=batch_size,
        n_iter=n_iter,
        learning_rate=rate,
        random_state=0,
    )


def lent(rbm, X):
    """Our RBM with the parameters of scikit-learn's."""
    own = BernoulliRBM(rbm.n_components, n_iter=0, random_state=0).fit(X)
    for name in ("components_", "intercept_hidden_", "intercept_visible_"):
        setattr(own, name, getattr(rbm, name))
    return own


def epochs(train, valid):
    """An epoch of PCD-1: 784-500, batches of 100."""
    n_epochs, rows = 3, []
    for dtype in ("float32", "float64", "uint8", "bool"):
        X, models = train.astype(dtype), {}
        ours(20, 10, 1).fit(X[:100])  # Compile.
        for n_threads in (2, 1):

            def of_ours(X=X, models=models):
                models["ours"] = ours(500, 100, n_epochs).fit(X)

            def of_theirs(X=X, models=models):
                models["theirs"] = theirs(500, 100, n_epochs).fit(X)

            with limit(n_threads), threadpool_limits(n_threads):
                own, other = in_turns([of_ours, of_theirs])
            scores = ["", ""]
            if dtype == "float32" and n_threads == 2:
                scores = [
                    f"{models['ours'].score(valid):.1f}",
                    f"{lent(models['theirs'], X[:1000]).score(valid):.1f}",
                ]
            per_epoch = n_epochs * len(X)
            rows.append(
                [dtype, n_threads, micro(own, per_epoch), micro(other, per_epoch)]
                + [ratio(own, other), *scores]
            )
    columns = ["type", "threads", "skdgm, us/row", "scikit-learn, us/row"]
    columns += ["times faster", "skdgm, valid nats", "scikit-learn, valid nats"]
    table(f"{epochs.__doc__} {len(train)} rows, {n_epochs} epochs", columns, rows)


def grid(train, valid):
    """Batch sizes, hidden units, densities: times faster, float32, 2 threads."""
    rng, rows = np.random.default_rng(0), []
    for density in (0.02, 0.13, 0.5):
        X = (rng.random((4000, 784)) < density).astype(np.float32)
        for n_hidden in (100, 500, 2000):
            for batch_size in (10, 100, 500):
                part = X[:1000] if n_hidden >= 200 * batch_size else X
                size = n_hidden, batch_size, 4, 0.01
                models = ours(*size), ours(*size, gradient="cd"), theirs(*size)
                own, cd, other = in_turns([partial(m.fit, part) for m in models], 3)
                n = 4 * len(part)
                rows.append(
                    [density, n_hidden, batch_size, micro(own, n), micro(other, n)]
                    + [ratio(own, other), ratio(cd, other)]
                )
    columns = ["density", "hidden", "batch", "skdgm, us/row", "scikit-learn, us/row"]
    table(grid.__doc__, [*columns, "PCD-1 faster", "CD-1 faster"], rows)


def others(train, valid):
    """Other loops for the same epoch: 784-500, batches of 100, float32, 2 threads."""
    X = train[:10_000].astype(np.float32)
    loops = {
        "skdgm": lambda: ours(500, 100, 1).fit(X),
        "scikit-learn": lambda: theirs(500, 100, 1).fit(X),
        "NumPy loop": lambda: rivals.numpy_loop(X, 500, 100, 0.05),
        "Numba loop": lambda: rivals.numba_loop(X, 500, 100, 0.05),
    }
    if importlib.util.find_spec("rbms"):
        loops["rbms (PyTorch)"] = lambda: rivals.rbms_loop(X, 500, 100, 0.05)
    rivals.numba_loop(X[:200], 500, 100, 0.05)
    times = in_turns(list(loops.values()), 3)
    rows = [
        [name, micro(own, len(X)), ratio(times[0], own)]
        for name, own in zip(loops, times)
    ]
    table(others.__doc__, ["loop", "us/row", "skdgm is faster"], rows)


def target(train, valid):
    """Time to -100 nats on validation rows, defaults; 256 hidden units for both."""
    X, rows = train.astype(np.float32), []

    def reach(model, step, score, patience=200):
        spent, n_epochs, best = 0.0, 0, -np.inf
        while spent < patience:
            spent += seconds(step)
            n_epochs += 1
            found = score()
            best = max(best, found)
            if found >= -100:
                return [model, f"{spent:.1f}", n_epochs, f"{found:.1f}"]
        return [model, f"not in {spent:.0f}", n_epochs, f"{best:.1f} at best"]

    for n_iter in (1, 2, 3, 4, 5, 7, 10, 15, 20):
        rbm = BernoulliRBM(n_iter=n_iter, random_state=0)
        spent, found = seconds(lambda: rbm.fit(X)), rbm.score(valid)  # noqa: B023
        if found >= -100:
            break
    rows.append([f"skdgm, n_iter={n_iter}", f"{spent:.1f}", n_iter, f"{found:.1f}"])
    rbm = BernoulliRBM(random_state=0)
    rows.append(["skdgm, all defaults", f"{seconds(lambda: rbm.fit(X)):.1f}", 20])
    rows[-1].append(f"{rbm.score(valid):.1f}")
    for rate in (0.1, 0.05, 0.01):
        rbm = theirs(256, 10, 1, rate).fit(X[:10])
        rows.append(
            reach(
                f"scikit-learn, learning_rate={rate}",
                lambda: [rbm.partial_fit(part) for part in np.split(X, len(X) // 10)],  # noqa: B023
                lambda: lent(rbm, X[:1000]).score(valid),  # noqa: B023
            )
        )
    table(target.__doc__, ["model", "seconds", "epochs", "valid nats"], rows)


def annealing(train, valid):
    """AIS: 784-500, 100 chains, 1,000 temperatures; the products by BLAS alone."""
    rbm = ours(500, 100, 3).fit(train[:10_000].astype(np.float32))
    energy = rbm.density_.energy
    params, base = (
        tiled(rbm.density_.params),
        energy.base(rbm.density_.params, rbm.density_.moments),
    )
    W, v = rbm.components_.T, train[:100].astype(np.float32)
    h = rbm.transform(v)

    def products():
        for _ in range(999):
            v @ W
            h @ W.T

    def run():
        ais.forward(stream(0), energy, params, base, 100, quadratic(1000))

    run()
    rows = []
    for n_threads in (2, 1):
        with limit(n_threads), threadpool_limits(n_threads):
            own, blas = in_turns([run, products])
        medians = [f"{statistics.median(t):.2f}" for t in (own, blas)]
        rows.append([n_threads, *medians, ratio(own, blas)])
    columns = ["threads", "AIS, s", "its products by BLAS, s", "times faster"]
    table(annealing.__doc__, columns, rows)


def methods(train, valid):
    """Methods on 10,000 rows: 784-500, float32 model, 2 threads."""
    X = train[:10_000].astype(np.float32)
    rbm = ours(500, 100, 3).fit(X)
    other = theirs(500, 100, 1).fit(X[:100])
    other.components_ = np.ascontiguousarray(rbm.components_)
    other.intercept_hidden_ = rbm.intercept_hidden_
    other.intercept_visible_ = rbm.intercept_visible_
    rbm.log_Z_ = rbm.log_Z_se_ = 0.0  # Estimating log Z is not timed here.
    kinds = {"float32": X, "uint8": X.astype(np.uint8), "CSR": sp.csr_matrix(X)}
    rows = []
    for kind, A in kinds.items():
        calls = {
            "transform": (lambda: rbm.transform(A), lambda: other.transform(A)),  # noqa: B023
            "score_samples, compared with transform": (
                lambda: rbm.score_samples(A),  # noqa: B023
                lambda: other.transform(A),  # noqa: B023
            ),
        }
        if kind != "CSR":
            calls["gibbs"] = lambda: rbm.gibbs(A), lambda: other.gibbs(A)  # noqa: B023
            calls["sample, compared with gibbs"] = (
                lambda: rbm.sample(len(X), init=A, n_steps=1),  # noqa: B023
                lambda: other.gibbs(A),  # noqa: B023
            )
        for name, pair in calls.items():
            pair[0](), pair[1]()
            own, their = in_turns(pair)
            figures = [micro(own, len(X)), micro(their, len(X)), ratio(own, their)]
            rows.append([kind, name, *figures])
    columns = ["X", "method", "skdgm, us/row", "scikit-learn, us/row", "times faster"]
    table(methods.__doc__, columns, rows)


def fresh(code, **environment):
    """Return the number that a fresh process prints."""
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(found.stdout.split()[-1])


START = """
    import time, numpy as np
    from skdgm import BernoulliRBM
    X = (np.random.default_rng(0).random((200, 64)) < 0.3)
    start = time.perf_counter()
    for dtype in {types}:
        BernoulliRBM(16, n_iter=1).fit(X.astype(dtype))
    print(time.perf_counter() - start)
"""


def start(train, valid):
    """The first fit of a process, after the import."""
    rows = []
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            for types in (["float32"], ["float32", "float64"]):
                code = START.format(types=types)
                folder = tempfile.mkdtemp() if state == "cold" else cache
                if state == "warm":
                    fresh(code, NUMBA_CACHE_DIR=folder)
                took = fresh(code, NUMBA_CACHE_DIR=folder)
                rows.append([state, " and ".join(types), f"{took:.1f}"])
    table(start.__doc__, ["compile cache", "types", "seconds"], rows)


MEMORY = """
    import resource, sys, tempfile, numpy as np
    from skdgm import BernoulliRBM
    X = np.random.default_rng(0).random((60_000, 784), dtype=np.float32) < 0.13
    X = X.astype(np.uint8)
    if {mapped}:
        file = tempfile.NamedTemporaryFile(suffix=".npy")
        np.save(file.name, X)
        X = np.load(file.name, mmap_mode="r")
    BernoulliRBM(500, batch_size=100, n_iter=1).fit(X[:1000])
    def peak():
        for line in open("/proc/self/status"):
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    BernoulliRBM(500, batch_size=100, n_iter=1).fit(X)
    print(peak() - before)
"""


def memory(train, valid):
    """Peak memory above X: 60,000 x 784 uint8, 500 hidden units."""
    allowed = 4 * 784 * 500 * 4 / 2**20 + 200
    rows = [
        ["memory-mapped" if mapped else "array", f"{fresh(code):.0f}", f"{allowed:.0f}"]
        for mapped in (False, True)
        for code in [MEMORY.format(mapped=mapped)]
    ]
    table(memory.__doc__, ["X", "MiB", "MiB allowed"], rows)


def jobs(train, valid):
    """GridSearchCV over 4 fits of 784-256: compared with one job."""
    X = train[:8000].astype(np.float32)

    def search(n_jobs, backend="loky", blas=None):
        from joblib import parallel_config

        def run():
            grid = {"learning_rate": [0.05, 0.1]}
            rbm = BernoulliRBM(256, n_iter=3, random_state=0)
            hold = nullcontext() if blas is None else threadpool_limits(blas)
            with parallel_config(backend=backend), hold:
                best = GridSearchCV(rbm, grid, cv=2, n_jobs=n_jobs, refit=False)
                best.set_params(
                    scoring=lambda rbm, X, y=None: -rbm.free_energy(X).mean()
                )
                best.fit(X)

        return run

    ways = {
        "n_jobs=1": search(1),
        "n_jobs=2, loky": search(2),
        "n_jobs=2, threads": search(2, "threading"),
        "n_jobs=1, BLAS with 2 threads": search(1, blas=2),
        "n_jobs=2, threads, BLAS with 2 threads": search(2, "threading", 2),
    }
    for way in ways.values():
        way()
    times = in_turns(list(ways.values()), 3)
    rows = [
        [name, f"{statistics.median(own):.2f}", ratio(own, times[0])]
        for name, own in zip(ways, times)
    ]
    table(jobs.__doc__, ["way", "seconds", "times faster than n_jobs=1"], rows)


SECTIONS = [epochs, grid, others, annealing, methods, start, memory, jobs, target]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    names = {section.__name__: section for section in SECTIONS}
    parser.add_argument("sections", nargs="*", default=list(names), metavar="section")
    options = parser.parse_args()
    data = load(options.data, "binarized_mnist")
    train, valid = (np.ascontiguousarray(data[k]) for k in ("train", "valid"))
    ours(20, 10, 1).fit(train[:100].astype(np.float32))
    print(describe())
    for name in options.sections:
        names[name](train, valid[:2000])


if __name__ == "__main__":
    warnings.simplefilter("ignore", ConvergenceWarning)
    main()
