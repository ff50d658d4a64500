"""Responses: the columns y of a model of rows that are given X.

Labels become codes; numbers stay. Missing values are NaN, in any column.
"""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator

from skdgm.data.attributes import parts_of
from skdgm.data.frames import Codec
from skdgm.data.inputs import as_numbers, as_values, missing
from skdgm.data.labels import codes_of, of_classes
from skdgm.data.units import UnitColumns, parsed
from skdgm.utils.domains import is_frame
from skdgm.utils.rows import Rows

_HINT = ": all must be in the first fit, or call of partial_fit"
_TRUTH = bool | np.bool_


class Responses(NamedTuple):
    """Columns of y: their names, or numbers; whether there is one, from an array of one
    column (``flat``); the Codec of their types if they came as a DataFrame; the kind of
    units of each, as of :class:`~skdgm.data.UnitColumns`; and the sorted classes of
    each, none of numbers and times."""

    names: list
    flat: bool
    codec: Codec
    kinds: tuple
    classes: list

    @property
    def framed(self):
        """Whether they came as a DataFrame."""
        return self.codec is not None

    @property
    def domain(self):
        """Kind of the columns."""
        return UnitColumns(self.kinds)

    def numbers(self, y, owner, n_rows=None):
        """Codes of classes and numbers, NaN where missing, of shape (n_rows,
        n_columns) in float64.

        ValueError, which names the owner, if there are other columns or unknown
        classes, or not ``n_rows`` rows.
        """
        names, parts, flat = parts_of(y, owner)
        if flat and not self.flat and len(self.kinds) > 1:
            parts = list(np.atleast_2d(np.asarray(y)).T)
        self._check(names, parts, owner, n_rows)
        parts = _ticks(y, parts, self.codec)
        found = np.full((len(parts[0]), len(parts)), np.nan)
        for j, (part, classes) in enumerate(zip(parts, self.classes)):
            if not len(classes):
                found[:, j] = as_numbers(part, owner)
                continue
            values = as_values(part, owner)
            known = ~missing(values)
            if known.any():
                labels = of_classes(values[known], f"y of {owner}")
                found[known, j] = codes_of(labels, classes, _HINT)
        return found

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
        """Validated rows of numbers as of :meth:`numbers`, in the units of the model if
        there are statistics of the columns."""
        if not numbers.shape[0]:
            return Rows(numbers, dtype)
        owner = y()
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
        """Labels and numbers for codes and numbers: of the shape of y in ``fit``, and a
        DataFrame, of the same types, if it was one."""
        parts = [
            classes[column.astype(int)] if len(classes) else column
            for classes, column in zip(self.classes, numbers.T)
        ]
        if self.framed:
            import pandas as pd

            found = pd.DataFrame(
                {j: self._typed(j, own) for j, own in enumerate(parts)}
            )
            return found.set_axis(pd.Index(self.names), axis=1)
        if self.flat:
            return parts[0]
        types = {part.dtype.kind for part in parts}
        text = types & set("OSU")
        if text and len(types) > 1:
            parts = [part.astype(object) for part in parts]
        return np.column_stack(parts)

    def _typed(self, j, values):
        """Labels or numbers as a column of the type of column j of the DataFrame."""
        import pandas as pd

        dtype = self.codec.dtypes[j]
        if len(self.classes[j]):
            return pd.Series(values).astype(dtype)
        if self.codec.clocks[j] is None and dtype.kind not in "biuf":
            return pd.Series(values)
        return self.codec.column(j, values)


class y(BaseEstimator):
    """Owner of the columns of y where these are validated, by its name in messages."""


def learned_responses(given, owner, column_types):
    """Responses of a first fit: which columns y has, and of which kinds.

    ``column_types`` is a kind of units, of all or for each, a dict by name, or "mixed":
    text, and whole numbers in an array of one column, are categories; truth values, and
    columns of 0 and 1 alone, are bits; other numbers, and times, are real. ValueError,
    which names the owner, for y that cannot be read so.
    """
    names, parts, flat = parts_of(given, owner)
    own = list(range(len(parts))) if names is None else list(names)
    kinds, classes, told_types, codec = [], [], _told(column_types, own), None
    if is_frame(given):
        codec = Codec.of(given, dict.fromkeys(own, "numeric"))
        parts = _ticks(given, parts, codec)
        told_types = [
            "categorical" if told == "mixed" and str(dtype) == "category" else told
            for told, dtype in zip(told_types, codec.dtypes)
        ]
    for name, told, part in zip(own, told_types, parts):
        values = as_values(part, owner)
        known = values[~missing(values)]
        if not len(known):
            raise ValueError(
                f"{owner} needs y, but it has no value in column {name!r}: all are "
                "missing."
            )
        kind = _kind(known, flat) if told == "mixed" else told
        labels = np.zeros(0)
        if parsed(kind)[0] == "categorical":
            labels = np.unique(of_classes(known, f"y of {owner}"))
            n_named = parsed(kind)[1] or 0
            if labels.dtype.kind in "iuf" and n_named > len(labels):
                labels = np.union1d(labels, np.arange(n_named))
            kind = f"categorical({max(len(labels), n_named)})"
        kinds.append(kind)
        classes.append(labels)
    return Responses(own, flat, codec, tuple(kinds), classes)


def _ticks(y, parts, codec):
    """Columns of a DataFrame, with times as numbers of ticks."""
    if codec is None or not is_frame(y):
        return parts
    return [
        part if clock is None else clock.encode(y.iloc[:, j])
        for j, (part, clock) in enumerate(zip(parts, codec.clocks))
    ]


def _told(column_types, names):
    """Kind of each column that the option tells, "mixed" where it does not."""
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
    """Kind of a column of which none is told, by its known values."""
    if known.dtype.kind == "O":
        if any(isinstance(value, str | bytes) for value in known.tolist()):
            return "categorical"
        truth = all(isinstance(value, _TRUTH) for value in known.tolist())
        try:
            known = known.astype(bool if truth else float)
        except (TypeError, ValueError):
            return "categorical"
    if known.dtype.kind == "b":
        return "categorical" if flat else "bernoulli"
    if known.dtype.kind not in "iuf":
        return "categorical"
    if flat:
        whole = (known == np.rint(known)).all()
        return "categorical" if whole else "gaussian"
    bits = np.isin(known, (0, 1)).all()
    return "bernoulli" if bits else "gaussian"
