"""Tables larger than memory, and fits on several workers.

    python doc/benchmarks/scale.py blocks --rows 1000000 --folder FOLDER

``blocks``: writes so many rows of 784 bits to a folder, and takes one epoch of
``BernoulliRBM(500)`` over them: in memory, as a memory map, from zarr, Parquet and a
Dask array, each in a process of its own.

    python doc/benchmarks/scale.py workers --data DATA

``workers``: fits of ``BernoulliRBM(500)`` to binarized MNIST on a ``LocalCluster`` of
one and of two workers of one thread, synchronously and with local steps; seconds of the
clock, as that is what workers save, in one run. Then a model on paper of more workers,
from the costs of a round that were measured.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from operator import itemgetter
from pathlib import Path

import numpy as np
from _data import load
from sklearn.base import clone

from skdgm import BernoulliRBM
from skdgm.options import PCD

COLUMNS, CHUNK = 784, 20_000
# Epochs of which one is scored.
_EACH = 4
# Measurements of each table in blocks.
_TURNS = 3
SOURCES = "memory", "memmap", "zarr", "parquet", "dask"


def bits(start, stop):
    """Rows of a mixture of 20 prototypes, of which a tenth of the bits are flipped."""
    rng = np.random.default_rng(0)
    prototypes = rng.random((20, COLUMNS)) < 0.2
    rng = np.random.default_rng([1, start])
    which = rng.integers(0, 20, stop - start)
    flips = rng.integers(0, 256, (stop - start, COLUMNS), dtype=np.uint8) < 26
    return (prototypes[which] ^ flips).astype(np.uint8)


def write(folder, n_rows):
    """Write the rows in three formats, unless they are there."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    import zarr

    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "written"
    if done.exists() and done.read_text() == str(n_rows):
        return
    shape, schema = (n_rows, COLUMNS), [(f"p{j}", pa.uint8()) for j in range(COLUMNS)]
    mapped = np.lib.format.open_memmap(folder / "rows.npy", "w+", np.uint8, shape)
    stored = zarr.create_array(
        folder / "rows.zarr",
        shape=shape,
        chunks=(CHUNK, COLUMNS),
        dtype=np.uint8,
        overwrite=True,
    )
    with pq.ParquetWriter(folder / "rows.parquet", pa.schema(schema)) as file:
        for start in range(0, n_rows, CHUNK):
            stop = min(start + CHUNK, n_rows)
            part = bits(start, stop)
            mapped[start:stop] = stored[start:stop] = part
            columns = np.ascontiguousarray(part.T)
            file.write_table(pa.table(list(columns), schema=pa.schema(schema)))
    mapped.flush()
    done.write_text(str(n_rows))


def table(folder, source):
    """The rows, as a source gives them."""
    if source == "memory":
        return np.load(folder / "rows.npy")
    if source == "memmap":
        return np.load(folder / "rows.npy", mmap_mode="r")
    if source == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetFile(folder / "rows.parquet")
    if source == "zarr":
        import zarr

        return zarr.open_array(folder / "rows.zarr", mode="r")
    import dask.array as da

    return da.from_zarr(folder / "rows.zarr")


def epoch(folder, source, n_hidden):
    """Take one epoch, and print what it took as JSON."""
    options = {"n_iter": 1, "batch_size": 100, "random_state": 0}
    BernoulliRBM(n_hidden, **options).fit(bits(0, 1000))
    X = table(folder, source)
    start = time.process_time()
    rbm = BernoulliRBM(n_hidden, **options).fit(X)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {
        "seconds": seconds,
        "loss": rbm.loss_curve_[-1],
        "peak": peak / 1024,
        "before": 0,
    }
    print(json.dumps(found))


def compare(folder, n_rows, n_hidden):
    """Print the table of all sources."""
    write(folder, n_rows)
    print(f"{n_rows} rows of {COLUMNS} bits, one epoch of BernoulliRBM({n_hidden})\n")
    print("| rows | thousand rows per CPU second | share | peak memory, MB | loss |")
    print("|---|---|---|---|---|")
    found = {source: [] for source in SOURCES}
    # In turns, as other work comes and goes; the best of each.
    for _ in range(_TURNS):
        for source in SOURCES:
            own = [sys.executable, __file__, "epoch", "--source", source]
            own += ["--folder", str(folder), "--hidden", str(n_hidden)]
            out = subprocess.run(own, check=True, capture_output=True, text=True).stdout
            found[source].append(json.loads(out.splitlines()[-1]))
    best = {s: min(f, key=itemgetter("seconds")) for s, f in found.items()}
    first = n_rows / best[SOURCES[0]]["seconds"] / 1000
    for source, one in best.items():
        rate = n_rows / one["seconds"] / 1000
        print(
            f"| {source} | {rate:.1f} | {rate / first:.0%} | {one['peak']:.0f} | "
            f"{one['loss']:.2f} |",
            flush=True,
        )


def timed(estimator, X, V, *, workers, steps, n_shards=2):
    """Fit, and score held-out rows after each epoch, with the clock stopped.

    Returns
    -------
    seconds : ndarray
        Of the clock, after each epoch.
    rounds : list of float
        Seconds of each round.
    scores : list of float
    """
    from distributed import Client, LocalCluster

    import skdgm.dask
    from skdgm.dask import _run

    rounds, ends, states = [], [], []
    send, measure = _run.Run._round, _run.Run._losses

    def timed_round(self, shared, place):
        start = time.perf_counter()
        found = send(self, shared, place)
        rounds.append(time.perf_counter() - start)
        return found

    def noted(self, shared):
        found = measure(self, shared)
        ends.append(time.perf_counter())
        states.append(shared)
        return found

    options = {"threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    with LocalCluster(n_workers=workers, **options) as own, Client(own) as client:
        given = {"n_shards": n_shards, "local_steps": steps, "client": client}
        # What is compiled, and imported, once.
        skdgm.dask.fit(clone(estimator).set_params(n_iter=1), X[:2000], **given)
        _run.Run._round, _run.Run._losses = timed_round, noted
        start = time.perf_counter()
        skdgm.dask.fit(estimator, X, **given)
        _run.Run._round, _run.Run._losses = send, measure
    scores, chains = [], estimator._state().chains
    for state in states[_EACH - 1 :: _EACH]:
        vars(estimator).update(estimator._attributes(state._replace(chains=chains)))
        estimator._forget()
        scores.append(estimator.score(V))
    return (np.array(ends) - start)[_EACH - 1 :: _EACH], rounds, scores


def workers(data, n_rows, n_hidden, target, n_epochs):
    """Print the figures of one and two workers, and the model on paper."""
    found = load(data, "binarized_mnist")
    X, V = found["train"][:n_rows], found["valid"][:1000]
    options = {"batch_size": 500, "learning_rate": 0.2, "centering": "data"}
    options |= {"gradient": PCD(n_chains=500), "n_iter": n_epochs, "random_state": 0}
    rbm = BernoulliRBM(n_hidden, **options)
    print(f"{len(X)} rows of binarized MNIST, {n_epochs} epochs in batches of 500 of")
    print(f"BernoulliRBM({n_hidden}); target {target:g} nats of held-out rows\n")
    print(
        "| fit | s per epoch | rows/s | ms per round | s to target | nats at the end |"
    )
    print("|---|---|---|---|---|---|")
    clone(rbm).set_params(n_iter=1).fit(X[:2000])
    alone, start, before = clone(rbm), time.perf_counter(), time.process_time()
    alone.fit(X)
    seconds = [time.perf_counter() - start] * (n_epochs // _EACH)
    compute = (time.process_time() - before) / n_epochs / len(X)
    line("`fit`, without Dask", len(X), seconds, [], [alone.score(V)], target)
    rounds = {}
    for n, steps in ((1, 1), (2, 1), (2, 10), (2, 40)):
        found = timed(clone(rbm), X, V, workers=n, steps=steps)
        name = f"{n} worker{'s'[: n > 1]}, `local_steps={steps}`"
        line(name, len(X), *found, target)
        rounds[n, steps] = np.median(found[1])
    size = 4 * (alone.components_.size + n_hidden + X.shape[1])
    # What is left of a round when its rows are computed.
    left = rounds[2, 1] - 250 * compute
    print(f"\nCompute: {1e6 * compute:.1f} CPU microseconds per row. Parameters:")
    print(f"{size / 1e6:.2f} MB, and as much for momentum, to each worker and back. A")
    print(
        f"synchronous round of two workers takes {1000 * left:.0f} ms beside compute.\n"
    )
    paper(compute, left, 2 * size)


def line(name, n_rows, seconds, rounds, scores, target):
    """Print one row of the table of workers."""
    each = f"{1000 * np.median(rounds):.0f}" if rounds else ""
    good = np.flatnonzero(np.array(scores) >= target)
    reached = f"{seconds[good[0]]:.0f}" if len(good) and rounds else ""
    epoch = seconds[-1] / (len(seconds) * _EACH)
    print(
        f"| {name} | {epoch:.1f} | {n_rows / epoch:.0f} | {each} | {reached} | "
        f"{scores[-1]:.1f} |",
        flush=True,
    )


def paper(compute, overhead, n_bytes, tasks=2e-3):
    """Rows a second of more workers, on paper, as a table and a picture.

    A round of L local steps of ``rows`` rows on each of W workers takes their compute,
    a fixed overhead, a share of the scheduler's time for each task (two for each
    shard), and the network's: parameters to W workers by a tree, and sums back by one.
    """
    import matplotlib.pyplot as plt

    sizes, rows = np.array([1, 2, 10, 100, 1000]), 250
    print(
        "| workers | Gb/s | local steps | rows/s | of perfect scaling | largest part |"
    )
    print("|---|---|---|---|---|---|")
    figure, axes = plt.subplots(
        1, 2, figsize=(9, 3.6), sharey=True, layout="constrained"
    )
    for ax, speed in zip(axes, (1, 10)):
        for steps in (1, 10, 100):
            rates = []
            for n in sizes:
                depth = np.ceil(np.log2(n))
                parts = {
                    "compute": compute * rows * steps,
                    "network": 2 * depth * n_bytes * 8 / (speed * 1e9),
                    "scheduler": 2 * n * tasks + overhead,
                }
                seconds = sum(parts.values())
                rates.append(n * rows * steps / seconds)
                share = parts["compute"] / seconds
                most = max(parts, key=parts.get)
                if n > 2:
                    print(
                        f"| {n} | {speed} | {steps} | {rates[-1]:.0f} | {share:.0%} | "
                        f"{most} |"
                    )
            ax.loglog(sizes, rates, "o-", label=f"{steps} local step(s)")
        ax.loglog(sizes, sizes / compute, "k:", label="perfect")
        ax.set(title=f"{speed} Gb/s", xlabel="workers")
    axes[0].set_ylabel("rows a second")
    axes[1].legend(frameon=False)
    figure.savefig(Path(__file__).with_name("scale.png"), dpi=110)


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["blocks", "epoch", "workers"])
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--data", type=Path, default=Path("public"))
    parser.add_argument("--target", type=float, default=-100.0)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=500)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/skdgm-scale"))
    parser.add_argument("--source", choices=SOURCES)
    given = parser.parse_args()
    if given.what == "epoch":
        epoch(given.folder, given.source, given.hidden)
        return
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}\n")
    if given.what == "workers":
        rows = given.rows or 50_000
        workers(given.data, rows, given.hidden, given.target, given.epochs)
    else:
        compare(given.folder, given.rows or 1_000_000, given.hidden)


if __name__ == "__main__":
    main()
