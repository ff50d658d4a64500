"""Tables of Arrow as arrays of numbers.

A column of numbers becomes one column. A column of lists of n numbers, such as
embeddings or images, becomes n columns, both in memory and in tables that are read in
blocks.
"""

from math import prod
from typing import NamedTuple

import numpy as np

# Number of columns that are transposed at a time.
_STRIP = 64
# Arrow's numeric types by their names.
_NUMBERS = {
    "bool": np.bool_,
    "halffloat": np.float16,
    "float": np.float32,
    "double": np.float64,
    **{t: np.dtype(t) for t in ("int8", "int16", "int32", "int64")},
    **{t: np.dtype(t) for t in ("uint8", "uint16", "uint32", "uint64")},
}
_LISTS = {"ListType", "LargeListType", "FixedSizeListType"}


class ArrowColumns(NamedTuple):
    """Columns of a table, in the order of its schema: names, shapes of lists and
    dtypes. A shape is () for single numbers, (n,) for lists of n numbers, and longer
    for nested lists."""

    names: list
    shapes: list
    types: list

    @classmethod
    def of(cls, schema, read, counts):
        """Columns of a schema, for a table whose parts have ``counts`` rows.
        ``read(number)`` returns a part as a pyarrow.Table, for types that do not
        contain the length of lists.

        TypeError if a column is not numeric; ValueError if lists are empty, or differ
        in length within the first part.
        """
        first, shapes, types = None, [], []
        for field in schema:
            lengths, kind = _lengths(field.type)
            dtype = _NUMBERS.get(str(kind))
            if dtype is None:
                raise TypeError(
                    f"Column {field.name!r} has the type {field.type}: tables that are "
                    "read in blocks have numbers only, or lists of numbers, and lists "
                    "have no others. Encode it, or leave it out."
                )
            if None in lengths and any(counts):
                first = read(int(np.flatnonzero(counts)[0])) if first is None else first
                lengths = _found(field.name, first[field.name], lengths)
            if 0 in lengths:
                raise ValueError(f"Column {field.name!r} has lists without a number.")
            shapes.append(lengths)
            types.append(np.dtype(dtype))
        return cls(list(schema.names), shapes, types)

    @property
    def dtype(self):
        """Common type of all numbers."""
        return np.result_type(*self.types) if self.types else np.dtype(float)

    @property
    def widths(self):
        """Number of resulting columns for each column."""
        return [1 if None in shape else prod(shape) for shape in self.shapes]

    @property
    def flat_names(self):
        """Names of the resulting columns, with a number in brackets for entries of
        lists."""
        names = []
        for name, shape, width in zip(self.names, self.shapes, self.widths):
            names += [f"{name}[{k}]" for k in range(width)] if shape else [name]
        return names

    def header(self):
        """Empty DataFrame with the resulting columns."""
        import pandas as pd

        empty = [
            np.empty(0, t) for t, n in zip(self.types, self.widths) for _ in range(n)
        ]
        return pd.DataFrame(dict(enumerate(empty))).set_axis(self.flat_names, axis=1)

    def rows(self, table):
        """Numbers of a part, of shape (n_rows, sum(widths)), NaN where missing;
        ValueError for other names of columns, or another length of lists."""
        names, n_rows = table.column_names, table.num_rows
        if names != self.names:
            raise ValueError(
                f"A part of X has the columns {names}, and X {self.names}."
            )
        columns, shapes = table.columns, self.shapes
        lists = {
            j: entries(names[j], columns[j], shape)
            for j, shape in enumerate(shapes)
            if shape
        }
        missing = any(column.null_count for column in columns)
        missing |= any(part.dtype != self.types[j] for j, part in lists.items())
        dtype = np.result_type(self.dtype, np.float32) if missing else self.dtype
        out, place = np.empty((n_rows, sum(self.widths)), dtype), 0
        strip = np.empty((_STRIP, n_rows), dtype)
        for run in self._runs():
            width = len(run)
            if run[0] in lists:
                width = lists[run[0]].shape[1]
                out[:, place : place + width] = lists[run[0]]
            else:
                for j, number in enumerate(run):
                    column = columns[number]
                    column = column.cast("double") if column.null_count else column
                    strip[j] = column.to_numpy()
                out[:, place : place + width] = strip[:width].T
            place += width
        return out

    def _runs(self):
        """Lists of the columns to write at once: one column of lists, or several
        columns of numbers, which are transposed in strips for speed."""
        runs = []
        for number, shape in enumerate(self.shapes):
            last = runs[-1] if runs else []
            if last and not shape and not self.shapes[last[0]] and len(last) < _STRIP:
                last.append(number)
            else:
                runs.append([number])
        return runs


def flattened(X):
    """Arrow table in which columns of numbers replace each column of lists; other data
    unchanged. TypeError if lists are not numeric; ValueError if they are empty or
    differ in length."""
    kind = type(X)
    if kind.__name__ != "Table" or kind.__module__.split(".")[0] != "pyarrow":
        return X
    if not X.num_rows or not any(_lengths(field.type)[0] for field in X.schema):
        return X
    columns, names = [], []
    for j, field in enumerate(X.schema):
        if _lengths(field.type)[0]:
            single = X.select([j])
            parsed = ArrowColumns.of(
                single.schema, lambda _, single=single: single, [X.num_rows]
            )
            columns += _single(X.column(j), field, parsed)
            names += parsed.flat_names
        else:
            columns.append(X.column(j))
            names.append(field.name)
    return kind.from_arrays(columns, names)


def _single(column, field, parsed):
    """Arrow columns with the entries of a column of lists, of the same numeric type."""
    import pyarrow as pa

    kind = _lengths(field.type)[1]
    numbers = entries(field.name, column, parsed.shapes[0])
    numbers = np.ascontiguousarray(numbers.T)
    if numbers.dtype == parsed.dtype:
        return list(map(pa.array, numbers))
    # Integers with missing values.
    return [pa.array(row, mask=np.isnan(row)).cast(kind) for row in numbers]


def entries(name, column, shape):
    """Numbers of a column of lists, of shape (n_rows, prod(shape)), NaN where a number
    or a list is missing; ValueError if a list has another length."""
    if hasattr(column, "chunks"):
        return np.concatenate([entries(name, part, shape) for part in column.chunks])
    column = getattr(column, "storage", column)
    if not shape:
        column = column.cast("double") if column.null_count else column
        return column.to_numpy(zero_copy_only=False).reshape(-1, 1)
    size, *inner = shape
    _check_lengths(name, column, size)
    # Missing lists are omitted.
    numbers = entries(name, column.flatten(), tuple(inner))
    numbers = numbers.reshape(len(column) - column.null_count, prod(shape))
    if not column.null_count:
        return numbers
    out = np.full((len(column), prod(shape)), np.nan, np.result_type(numbers, "f4"))
    out[column.is_valid().to_numpy(zero_copy_only=False)] = numbers
    return out


def _lengths(kind):
    """Lengths of the nested lists of a type, None where the type has none, and the type
    of their entries."""
    lengths = []
    while True:
        kind = getattr(kind, "storage_type", kind)
        if type(kind).__name__ not in _LISTS:
            return tuple(lengths), kind
        lengths.append(getattr(kind, "list_size", None))
        kind = kind.value_type


def _found(name, column, lengths):
    """Lengths of the nested lists in a column."""
    found_lengths = []
    chunks = [getattr(chunk, "storage", chunk) for chunk in column.chunks]
    for length in lengths:
        if length is None:
            sizes_of_chunks = (np.asarray(_sizes(chunk)) for chunk in chunks)
            sizes = np.concatenate([*sizes_of_chunks, np.empty(0, int)])
            if not sizes.size:
                raise ValueError(
                    f"Column {name!r} has lists of unknown lengths: make them lists of "
                    "a fixed size."
                )
            length = int(sizes[0])
        for chunk in chunks:
            _check_lengths(name, chunk, length)
        found_lengths.append(length)
        chunks = [chunk.flatten() for chunk in chunks]
        chunks = [getattr(chunk, "storage", chunk) for chunk in chunks]
    return tuple(found_lengths)


def _sizes(column):
    """Lengths of the lists of an array, without missing lists."""
    return column.value_lengths().drop_null()


def _check_lengths(name, column, size):
    """Raise ValueError unless all lists of an array have this length."""
    if hasattr(column.type, "list_size"):
        return
    sizes = np.unique(np.asarray(_sizes(column)))
    others = sizes[sizes != size].tolist()
    if others:
        raise ValueError(
            f"Column {name!r} has lists of {size} and of {others[0]} entries: they are "
            "columns of X only where all have the same length."
        )
