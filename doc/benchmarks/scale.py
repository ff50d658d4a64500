"""Tables larger than memory, and fits on several workers.

    python doc/benchmarks/scale.py blocks --rows 1000000 --folder FOLDER

``blocks``: writes so many rows of 784 bits to a folder, and takes one epoch of
``BernoulliRBM(500)`` over them: in memory, as a memory map, from zarr, Parquet and a
Dask array, each in a process of its own.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

COLUMNS, CHUNK = 784, 20_000
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
    from skdgm import BernoulliRBM

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
    first = None
    for source in SOURCES:
        own = [sys.executable, __file__, "epoch", "--source", source]
        own += ["--folder", str(folder), "--hidden", str(n_hidden)]
        found = subprocess.run(own, check=True, capture_output=True, text=True).stdout
        found = json.loads(found.splitlines()[-1])
        rate = n_rows / found["seconds"] / 1000
        first = rate if first is None else first
        print(
            f"| {source} | {rate:.1f} | {rate / first:.0%} | {found['peak']:.0f} | "
            f"{found['loss']:.2f} |",
            flush=True,
        )


def main():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["blocks", "epoch"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--hidden", type=int, default=500)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/skdgm-scale"))
    parser.add_argument("--source", choices=SOURCES)
    given = parser.parse_args()
    if given.what == "epoch":
        epoch(given.folder, given.source, given.hidden)
    else:
        print(f"{os.cpu_count()} cores, Python {platform.python_version()}\n")
        compare(given.folder, given.rows, given.hidden)


if __name__ == "__main__":
    main()
