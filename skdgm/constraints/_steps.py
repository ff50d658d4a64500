r"""Steps of a reparametrization: columns that a model learns in place of others.

A step replaces a column by another column of the same name, or drops it. Differences
and sums have unit Jacobians, so the density of the table equals the density of the
model's columns:

.. math:: (a, b) \mapsto (a, b - a), \qquad \log p(a, b) = \log p(a, d = b - a)
"""

from collections import namedtuple
from dataclasses import dataclass
from functools import reduce
from operator import add, sub
from typing import Any

import numpy as np

from skdgm.constraints._quantities import (
    encoded,
    meets,
    quantity,
    restored,
    rounded,
    total,
    typed,
)
from skdgm.data.frames import Codec
from skdgm.utils.math import distinct


class Step:
    """Base class of steps; this one drops the column ``target``."""

    __slots__ = ()
    target: Any

    @property
    def replaced(self):
        """Names of the columns that are replaced or dropped."""
        return (self.target,)

    @property
    def needs(self):
        """Names of the columns that reconstruct the replaced columns."""
        return getattr(self, "parts", ())

    @property
    def dropped(self):
        """Names of the columns that the model does not see."""
        return self.replaced

    def forward(self, table):
        """Return the model's columns by name, from a dict of columns."""
        return {}

    def backward(self, seen, table, codec):
        """Return reconstructed columns by name, from the model's columns ``seen`` and
        the columns ``table`` reconstructed so far."""

    def completed(self, table, codec):
        """Return columns, by name, in which missing entries follow from others."""
        return {}

    def adjusted(self, table, given, codec):
        """Return columns, by name, that are adjusted to the known entries ``given``."""
        return {}


@dataclass(frozen=True)
class Gap:
    """Variable that a model learns in place of the column ``name``."""

    name: object


class Equation(Step):
    """Base class of steps in which the column ``target`` is the sum of the columns
    ``parts`` and, perhaps, of a gap."""

    __slots__ = ()
    parts: tuple
    sign: float
    digits: int | None
    gap: Any = None
    offset = 0.0

    def decimals(self, variable):
        """Number of decimals of a solution for a variable; None if unlimited."""
        return self.digits

    def term(self, name, value):
        """Term of a part in the equation, given its value."""
        return value

    def without(self, value, name):
        """Value of a part from the value of its term."""
        return value

    @property
    def columns(self):
        """Names of the columns in the equation."""
        return self.target, *self.parts

    def unknown(self, missing):
        """Variables that are unknown if some columns are missing."""
        names = [name for name in self.columns if name in missing]
        return [*names, self.gap] if names and self.gap else names

    def solved(self, variable, values):
        """Solve for one variable, given a dict of all others."""
        others = [self.term(n, values[n]) for n in self.parts if n != variable]
        if variable == self.target:
            value = reduce(add, others + self._gap(values))
            return value + self.offset if self.offset else value
        value = values[self.target]
        if self.offset:
            value = value - self.offset
        if others:
            value = value - reduce(add, others)
        if variable == self.gap:
            return value * self.sign
        return self.without(reduce(sub, self._gap(values), value), variable)

    def _gap(self, values):
        """List of the signed gap; empty if there is none."""
        return [values[self.gap] * self.sign] if self.gap else []


class Remainder(namedtuple("Remainder", "target parts sign digits"), Equation):
    """Step that replaces ``target`` by ``sign`` times the difference between it and the
    sum of ``parts``, rounded to ``digits`` decimals unless None."""

    __slots__ = ()
    dropped = ()

    @property
    def gap(self):
        """Variable of the difference."""
        return Gap(self.target)

    def forward(self, table):
        column, parts = table[self.target], [table[name] for name in self.parts]
        gap = (quantity(column, self) - total(parts, self)) * self.sign
        gap = rounded(gap, self.digits)
        return {self.target: typed(gap, [column, *parts], self.digits)}

    def backward(self, seen, table, codec):
        gap = quantity(seen[self.target], self) * self.sign
        values = rounded(
            total([table[name] for name in self.parts], self) + gap, self.digits
        )
        j = codec.names.index(self.target)
        return {self.target: restored(values, codec, j)}


class Joint(namedtuple("Joint", "columns codec values"), Step):
    """Step that replaces columns by one category of their combinations. ``values`` are
    the observed combinations, encoded, (n_combinations, n_columns)."""

    __slots__ = ()

    @property
    def replaced(self):
        return self.columns

    @property
    def dropped(self):
        return self.columns[1:]

    @classmethod
    def of(cls, frame):
        """Learn the combinations of a DataFrame's columns."""
        codec = Codec.of(frame)
        values = codec.encode(frame)
        values = values[~np.isnan(values).any(axis=1)]
        return cls(tuple(codec.names), codec, distinct(values)[0])

    def codes(self, table):
        """Number of each row's combination: -1 if unknown, NaN if incomplete."""
        import pandas as pd

        columns = [encoded(self.codec, j, table[n]) for j, n in enumerate(self.columns)]
        known = pd.MultiIndex.from_arrays(list(self.values.astype(np.float64).T))
        codes = known.get_indexer(pd.MultiIndex.from_arrays(columns)).astype(float)
        return np.where(np.isnan(columns).any(axis=0), np.nan, codes)

    def only(self, table):
        """Number of the only combination that agrees with each row's known entries: -1
        if there is none or several."""
        columns = [encoded(self.codec, j, table[n]) for j, n in enumerate(self.columns)]
        rows, place = distinct(np.nan_to_num(np.stack(columns, axis=1), nan=np.inf))
        codes = np.full(len(rows), -1)
        for number, row in enumerate(rows):
            matches = np.flatnonzero(self.matches(np.where(np.isinf(row), np.nan, row)))
            if len(matches) == 1:
                codes[number] = matches[0]
        return codes[place]

    def holds(self, frame):
        """Mask of the rows that match a combination in their observed entries."""
        columns = [encoded(self.codec, j, frame[n]) for j, n in enumerate(self.columns)]
        is_incomplete = np.isnan(columns).any(axis=0)
        is_valid = is_incomplete | (self.codes(frame) >= 0)
        for row in np.flatnonzero(is_incomplete):
            is_valid[row] = self.matches([column[row] for column in columns]).any()
        return is_valid

    def matches(self, values):
        """Mask of the combinations that agree with encoded values, NaN where
        missing."""
        values = np.asarray(values)
        return ((self.values == values) | np.isnan(values)).all(axis=1)

    def forward(self, table):
        codes = self.codes(table)
        if np.isnan(codes).any():
            codes = np.where(np.isnan(codes), self.only(table), codes)
        return {self.columns[0]: self.category(codes.astype(int))}

    def category(self, codes):
        """Convert codes, -1 where missing, to a categorical column."""
        import pandas as pd

        dtype = pd.CategoricalDtype(pd.RangeIndex(len(self.values)))
        return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))

    def backward(self, seen, table, codec):
        codes = seen[self.columns[0]].cat.codes.to_numpy()
        values = np.where(codes[:, None] < 0, np.nan, self.values[codes])
        decoded = self.codec.decode(values)
        return {name: decoded.iloc[:, j] for j, name in enumerate(self.columns)}

    def meeting(self, name, condition, subject):
        """Mask of the combinations in which a column satisfies a condition."""
        column = self.codec.decode(self.values).iloc[:, self.columns.index(name)]
        return meets(self.codec, self.columns.index(name), column, condition, subject)


class Numbered(namedtuple("Numbered", "target first text"), Step):
    """Step that drops a column of identifiers: integers from ``first`` on, or text with
    numbers."""

    __slots__ = ()

    @classmethod
    def of(cls, column, subject):
        """Find the first unused number of a column; TypeError if it has neither
        integers nor text."""
        import pandas as pd

        types = pd.api.types
        if types.is_integer_dtype(column.dtype):
            ids = column.dropna()
            return cls(column.name, int(ids.max()) + 1 if len(ids) else 0, False)
        if types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
            return cls(column.name, 0, True)
        raise TypeError(
            f"{subject!r}: column {column.name!r} has the dtype {column.dtype}: only "
            "integers and text are numbered."
        )

    def backward(self, seen, table, codec):
        import pandas as pd

        n_rows = len(next(iter(seen.values())))
        identifiers = pd.Series(np.arange(self.first, self.first + n_rows))
        if self.text:
            identifiers = f"{self.target}_" + identifiers.astype(str)
        dtype = codec.dtypes[codec.names.index(self.target)]
        return {self.target: identifiers.astype(dtype)}
