"""Responses: the columns y of a model of y given X.

Labels become codes; numbers are unchanged. Missing values of any column are NaN.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from skdgm.data.attributes import HINT, parts_of
from skdgm.data.foreign import as_pandas, is_foreign, native, schema_of
from skdgm.data.frames import Codec
from skdgm.data.inputs import as_numbers, as_values, missing
from skdgm.data.labels import codes_of, of_classes
from skdgm.data.units import UnitColumns, parsed
from skdgm.utils.domains import is_frame
from skdgm.utils.rows import Rows

_TRUTH = bool | np.bool_


class Responses(NamedTuple):
    """Columns of y, as read in the first fit.

    ``names`` are names or numbers. ``flat`` is True for a one-dimensional y. ``codec``
    has the types of a DataFrame, or is None. ``kinds`` are types of units, as in
    :class:`~skdgm.data.units.UnitColumns`. ``classes`` has the sorted classes of each
    column, none for numbers and times.
    """

    names: list
    flat: bool
    codec: Any
    kinds: tuple
    classes: list

    @property
    def framed(self):
        """True if y was a DataFrame."""
        return self.codec is not None

    @property
    def domain(self):
        """Type of the columns."""
        return UnitColumns(self.kinds)

    def numbers(self, y, owner, n_rows=None):
        """Codes of classes and numbers, NaN where missing, of shape (n_rows, n_columns)
        in float64.

        ValueError, which names the owner, for other columns, unknown classes, or
        another number of rows than ``n_rows``.
        """
        y = as_pandas(y)
        names, parts, flat = parts_of(y, owner)
        if flat and not self.flat and len(self.kinds) > 1:
            parts = list(np.atleast_2d(np.asarray(y)).T)
        self._check(names, parts, owner, n_rows)
        parts = _ticks(y, parts, self.codec)
        numbers = np.full((len(parts[0]), len(parts)), np.nan)
        for j, (part, classes) in enumerate(zip(parts, self.classes)):
            if not len(classes):
                numbers[:, j] = as_numbers(part, owner)
                continue
            values = as_values(part, owner)
            known = ~missing(values)
            if known.any():
                labels = of_classes(values[known], f"y of {owner}")
                numbers[known, j] = codes_of(labels, classes, HINT)
        return numbers

    def _check(self, names, parts, owner, n_rows):
        if len(parts) != len(self.kinds):
            raise ValueError(
                f"y has {len(parts)} columns, but {owner} has learned of "
                f"{len(self.kinds)}: {self.names}."
            )
        if names is not None and self.framed and list(names) != list(self.names):
            raise ValueError(
                f"y has the columns {list(names)}, but {owner} was fitted with "
                f"{self.names}."
            )
        if n_rows is not None and len(parts[0]) != n_rows:
            raise ValueError(
                f"y has {len(parts[0])} rows, but X has {n_rows}: inconsistent numbers "
                "of samples."
            )

    def rows(self, numbers, columns=None, dtype=np.float64, fitting=False):
        """Validated rows of the result of :meth:`numbers`, in the units of the model if
        ``columns`` has statistics."""
        if not numbers.shape[0]:
            return Rows(numbers, dtype)
        owner = ResponseOwner()
        owner.n_features_in_ = len(self.kinds)
        return self.domain.rows(
            owner,
            numbers,
            columns=columns,
            reset=columns is None,
            fitting=fitting,
            dtype=dtype,
        )

    def decoded(self, numbers):
        """Labels and numbers for codes and numbers, in the format of y in ``fit``: a
        DataFrame of the same types, or an array of the same number of dimensions."""
        parts = [
            classes[column.astype(int)] if len(classes) else column
            for classes, column in zip(self.classes, numbers.T)
        ]
        if self.framed:
            import pandas as pd

            frame = pd.DataFrame({j: self._typed(j, v) for j, v in enumerate(parts)})
            frame = frame.set_axis(pd.Index(self.names), axis=1)
            return native(frame, self.codec.schema)
        if self.flat:
            return parts[0]
        types = {part.dtype.kind for part in parts}
        text = types & set("OSU")
        if text and len(types) > 1:
            parts = [part.astype(object) for part in parts]
        return np.column_stack(parts)

    def _typed(self, j, values):
        """Labels or numbers with the type of column j of the DataFrame."""
        import pandas as pd

        dtype = self.codec.dtypes[j]
        if len(self.classes[j]):
            return pd.Series(values).astype(dtype)
        if self.codec.clocks[j] is None and dtype.kind not in "biuf":
            return pd.Series(values)
        return self.codec.column(j, values)


class ResponseOwner(BaseEstimator):
    """Owner of the columns of y during validation; messages call it y."""

    n_features_in_: int


ResponseOwner.__name__ = "y"


def learned_responses(given, owner, column_types):
    """Responses of a first fit: names, types and classes of the columns of y.

    ``column_types`` is one type of units, one for each column, a dict by name, or
    "mixed". With "mixed", text is categorical, as are integers in a one-dimensional
    array; booleans and columns of 0 and 1 are bits; other numbers, and times, are real.
    ValueError, which names the owner, for an invalid y.
    """
    schema = schema_of(given) if is_foreign(given) else None
    given = as_pandas(given)
    names, parts, flat = parts_of(given, owner)
    column_names = list(range(len(parts))) if names is None else list(names)
    kinds, classes, asked_kinds, codec = (
        [],
        [],
        _explicit_kinds(column_types, column_names),
        None,
    )
    if is_frame(given):
        codec = Codec.of(given, dict.fromkeys(column_names, "numeric"))
        codec = codec._replace(schema=schema)
        parts = _ticks(given, parts, codec)
        asked_kinds = [
            "categorical" if kind == "mixed" and str(dtype) == "category" else kind
            for kind, dtype in zip(asked_kinds, codec.dtypes)
        ]
    for name, requested, part in zip(column_names, asked_kinds, parts):
        values = as_values(part, owner)
        observed = values[~missing(values)]
        if not len(observed):
            raise ValueError(
                f"{owner} needs y, but it has no value in column {name!r}: all are "
                "missing."
            )
        kind = _kind(observed, flat) if requested == "mixed" else requested
        labels = np.zeros(0)
        if parsed(kind)[0] == "categorical":
            labels = np.unique(of_classes(observed, f"y of {owner}"))
            n_named = parsed(kind)[1] or 0
            if labels.dtype.kind in "iuf" and n_named > len(labels):
                labels = np.union1d(labels, np.arange(n_named))
            kind = f"categorical({max(len(labels), n_named)})"
        kinds.append(kind)
        classes.append(labels)
    return Responses(column_names, flat, codec, tuple(kinds), classes)


def _ticks(y, parts, codec):
    """Columns of a DataFrame, with ticks in place of times."""
    if codec is None or not is_frame(y):
        return parts
    return [
        part if clock is None else clock.encode(y.iloc[:, j])
        for j, (part, clock) in enumerate(zip(parts, codec.clocks))
    ]


def _explicit_kinds(column_types, names):
    """Type of each column by the option, "mixed" where the option has none."""
    if isinstance(column_types, str):
        return [column_types] * len(names)
    if isinstance(column_types, dict):
        unknown = [name for name in column_types if name not in names]
        if unknown:
            raise ValueError(
                f"column_types names {unknown[0]!r}, but y has the columns {names}."
            )
        return [column_types.get(name, "mixed") for name in names]
    if len(column_types) != len(names):
        raise ValueError(
            f"column_types has {len(column_types)} entries, but y has {len(names)} "
            "columns."
        )
    return column_types


def _kind(known, flat):
    """Type of a column that the option does not name, by its known values."""
    if known.dtype.kind == "O":
        if any(isinstance(value, str | bytes) for value in known.tolist()):
            return "categorical"
        are_booleans = all(isinstance(value, _TRUTH) for value in known.tolist())
        try:
            known = known.astype(bool if are_booleans else float)
        except (TypeError, ValueError):
            return "categorical"
    if known.dtype.kind == "b":
        return "categorical" if flat else "bernoulli"
    if known.dtype.kind not in "iuf":
        return "categorical"
    if flat:
        are_integers = (known == np.rint(known)).all()
        return "categorical" if are_integers else "gaussian"
    are_bits = np.isin(known, (0, 1)).all()
    return "bernoulli" if are_bits else "gaussian"
