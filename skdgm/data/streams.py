"""Tables of other libraries as :class:`~skdgm.utils.blocks.Blocks`.

Dask arrays and DataFrames, zarr arrays, and Arrow data sets and Parquet files are
recognized without importing these libraries.
"""

from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from skdgm.data.arrow import ArrowColumns, flattened
from skdgm.utils.blocks import BLOCK, Announcer, Blocks
from skdgm.utils.words import with_article


def streamed(X, announced=None):
    """X as Blocks if it is a table that is read in blocks; otherwise X without columns
    of lists. ``announced`` is the name of an estimator that prints which block it
    reads.

    TypeError if columns are not numeric, or X is a series or another collection;
    ValueError if sizes of chunks are unknown, or X is not two-dimensional.
    """
    convert = _converter(X)
    if convert is None:
        return flattened(X)
    table: Any = convert(X)
    if not len(table) or not table.shape[1]:
        raise ValueError(
            f"Found array with {len(table)} sample(s) and {table.shape[1]} feature(s) "
            "while a minimum of 1 of each is required."
        )
    if announced is not None:
        table.progress = Announcer(announced)
    return table


def is_streamed(X):
    """Return whether X is a table that is read in blocks."""
    return isinstance(X, Blocks) or _converter(X) is not None


def _converter(X):
    kind = type(X)
    root, name = kind.__module__.split(".")[0], kind.__name__
    if root in ("dask", "dask_expr"):
        return {"Array": _of_dask_array, "DataFrame": _of_dask_frame}.get(name, _other)
    if root == "zarr" and name == "Array":
        return _of_zarr
    if root == "pyarrow" and name.endswith("Dataset"):
        return _of_dataset
    if root == "pyarrow" and name == "ParquetFile":
        return _of_parquet
    return None


def _other(X):
    raise TypeError(
        f"X is {with_article(type(X).__name__)} of Dask, which is no table: give an "
        "array of two dimensions, or a DataFrame."
    )


def _of_zarr(X):
    _check_table(X.ndim, X.dtype)
    size, n_rows = X.chunks[0], X.shape[0]
    # As many whole chunks as fit into a block.
    size *= max(1, BLOCK // max(1, size * X.shape[1]))
    edges = [*range(0, n_rows, size), n_rows]

    def load(number):
        return np.asarray(X[edges[number] : edges[number + 1]])

    return Blocks(load, np.diff(edges), X.shape[1], X.dtype)


def _of_dask_array(X):
    _check_table(X.ndim, X.dtype)
    if np.isnan(X.shape).any():
        raise ValueError(
            "X has chunks of unknown sizes: call X.compute_chunk_sizes() before."
        )
    X = X.rechunk({1: -1}) if len(X.chunks[1]) > 1 else X

    def load(number):
        part = X.blocks[number].compute()
        return part.toarray() if sp.issparse(part) else np.asarray(part)

    return _in_parts(load, X.chunks[0], X.shape[1], X.dtype)


def _of_dask_frame(X):
    meta = X._meta
    for name, dtype in meta.dtypes.items():
        _check_column(name, dtype, getattr(dtype, "numpy_dtype", dtype))
    types = [getattr(dtype, "numpy_dtype", dtype) for dtype in meta.dtypes]
    lengths = [int(n) for n in X.map_partitions(len).compute()]
    names = list(meta.columns)

    def load(number):
        part = X.partitions[number].compute()
        if list(part.columns) != names:
            raise ValueError(
                f"Partition {number} of X has the columns {list(part.columns)}, and X "
                f"{names}: all partitions must have the same."
            )
        missing = any(part.dtypes != meta.dtypes) or part.isna().any(axis=None)
        if not missing:
            return part.to_numpy(np.result_type(*types))
        return part.to_numpy(np.result_type(*types, np.float32), na_value=np.nan)

    return _in_parts(load, lengths, len(names), np.result_type(*types), meta)


def _of_parquet(X):
    counts = [X.metadata.row_group(k).num_rows for k in range(X.num_row_groups)]
    return _of_arrow(X.read_row_group, counts, X.schema_arrow)


def _of_dataset(X):
    parts = []
    for fragment in X.get_fragments():
        split = getattr(fragment, "split_by_row_group", None)
        parts += split() if split else [fragment]

    def read(number):
        return parts[number].to_table(schema=X.schema)

    return _of_arrow(read, list(map(_count, parts)), X.schema)


def _count(fragment):
    """Number of rows of a part of a data set."""
    groups = getattr(fragment, "row_groups", None)
    if groups is None:
        return fragment.count_rows()
    # Arrow would count the rows of the whole file for each of its row groups.
    return sum(group.num_rows for group in groups)


def _of_arrow(read, counts, schema):
    columns = ArrowColumns.of(schema, read, counts)

    def load(number):
        return columns.rows(read(number))

    width = sum(columns.widths)
    return _in_parts(load, counts, width, columns.dtype, columns.header())


def _in_parts(load, lengths, n_columns, dtype, head=None):
    """Blocks of parts; small parts are joined, and empty parts are omitted."""
    lengths = np.asarray(lengths, dtype=np.int64)
    groups, sizes = [], []
    for number in np.flatnonzero(lengths).tolist():
        size = int(lengths[number])
        if groups and (sizes[-1] + size) * n_columns <= BLOCK:
            groups[-1].append(number)
            sizes[-1] += size
        else:
            groups.append([number])
            sizes.append(size)
    return Blocks(partial(_joined, load, groups), sizes, n_columns, dtype, head)


def _joined(load, groups, number):
    parts = [load(part) for part in groups[number]]
    widths = {part.shape[1] for part in parts if part.ndim == 2}
    if len(widths) > 1:
        raise ValueError(f"X has parts of {sorted(widths)} columns: they must agree.")
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _check_table(ndim, dtype):
    if ndim != 2:
        raise ValueError(f"Expected 2D array, got one of {ndim} dimensions.")
    if dtype.kind not in "biuf":
        raise TypeError(f"X has the dtype {dtype}, which is not numeric.")


def _check_column(name, given, dtype):
    if not isinstance(dtype, type | np.dtype) or np.dtype(dtype).kind not in "biuf":
        raise TypeError(
            f"Column {name!r} has the type {given}: tables that are read in blocks "
            "have numbers only. Encode it, or leave it out."
        )
