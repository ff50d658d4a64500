r"""Reparametrisation of a table: columns that a model learns in place of others.

A step replaces one column by another of the same name, or drops it. Differences and
sums have unit Jacobians, so that the densities of the model's columns and of the table
agree:

.. math:: (a, b) \mapsto (a, b - a), \qquad \log p(a, b) = \log p(a, d = b - a)
"""

from collections import namedtuple
from dataclasses import dataclass
from functools import reduce
from operator import add, sub

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
    """Base class of steps, here one that drops the column ``target``."""

    __slots__ = ()

    @property
    def replaced(self):
        """Names of the columns that the model sees changed, or not at all."""
        return (self.target,)

    @property
    def needs(self):
        """Names of the columns from which the replaced ones are made."""
        return getattr(self, "parts", ())

    @property
    def dropped(self):
        """Names of the columns that the model does not see."""
        return self.replaced

    def forward(self, table):
        """Columns that the model sees, by name, from a dict of columns."""
        return {}

    def backward(self, seen, table, codec):
        """Columns of the table, by name: from those of the model, and those made."""


@dataclass(frozen=True)
class Gap:
    """Variable that a model learns in place of a column, by its name."""

    name: object


class Equation(Step):
    """Base class of steps by which a column (``target``) is the sum of others, the
    ``parts``, and perhaps of a gap."""

    __slots__ = ()
    gap = None

    @property
    def columns(self):
        """Names of the columns that take part."""
        return self.target, *self.parts

    def unknown(self, missing):
        """Variables that are not known where some columns are missing."""
        found = [name for name in self.columns if name in missing]
        return [*found, self.gap] if found and self.gap else found

    def solved(self, variable, values):
        """Quantity of one variable from those of all others, by variable."""
        others = [values[name] for name in self.parts if name != variable]
        if variable == self.target:
            return reduce(add, others + self._gap(values))
        rest = values[self.target]
        if others:
            rest = rest - reduce(add, others)
        if variable == self.gap:
            return rest * self.sign
        return reduce(sub, self._gap(values), rest)

    def _gap(self, values):
        """List of the gap with its sign, if there is one."""
        return [values[self.gap] * self.sign] if self.gap else []


class Remainder(namedtuple("Remainder", "target parts sign digits"), Equation):
    """Column ``target`` less the sum of ``parts``, or with a negative sign the sum less
    the column, rounded to ``digits`` decimals if these are known."""

    __slots__ = ()
    dropped = ()

    @property
    def gap(self):
        """Variable for the rest."""
        return Gap(self.target)

    def forward(self, table):
        own, parts = table[self.target], [table[name] for name in self.parts]
        gap = (quantity(own, self) - total(parts, self)) * self.sign
        gap = rounded(gap, self.digits)
        return {self.target: typed(gap, [own, *parts], self.digits)}

    def backward(self, seen, table, codec):
        gap = quantity(seen[self.target], self) * self.sign
        whole = rounded(
            total([table[name] for name in self.parts], self) + gap, self.digits
        )
        j = codec.names.index(self.target)
        return {self.target: restored(whole, codec, j)}


class Total(namedtuple("Total", "target parts digits"), Equation):
    """Column ``target`` that is the sum of ``parts``, rounded to ``digits`` decimals if
    these are known. The model does not see it."""

    __slots__ = ()

    def backward(self, seen, table, codec):
        whole = total([table[name] for name in self.parts], self)
        j = codec.names.index(self.target)
        return {self.target: restored(rounded(whole, self.digits), codec, j)}

    def adjusted(self, table, given, codec):
        """Parts with which those of each row are a total that is known, by name."""
        whole = total([table[name] for name in self.parts], self)
        gap, found = quantity(table[self.target], self) - whole, {}
        rest = given[self.target].notna().to_numpy(bool) & gap.notna().to_numpy(bool)
        for name in self.parts[::-1]:
            lacks = rest & given[name].isna().to_numpy(bool)
            if lacks.any():
                own = rounded(quantity(table[name], self) + gap, self.digits)
                own = restored(own, codec, codec.names.index(name))
                found[name] = table[name].where(~lacks, own.astype(table[name].dtype))
            rest = rest & ~lacks
        return found

    def completed(self, table, codec):
        """Parts that follow from the total and the other parts, by name."""
        found = {}
        lacks = [table[name].isna().to_numpy(bool) for name in self.parts]
        alone = (np.sum(lacks, axis=0) == 1) & table[self.target].notna().to_numpy(bool)
        for name, lack in zip(self.parts, lacks):
            if (lack & alone).any():
                others = [table[own] for own in self.parts if own != name]
                rest = quantity(table[self.target], self)
                rest = rest - total(others, self) if others else rest
                own = restored(
                    rounded(rest, self.digits), codec, codec.names.index(name)
                )
                found[name] = table[name].reset_index(drop=True).mask(lack & alone, own)
        return found


class Joint(namedtuple("Joint", "columns codec values"), Step):
    """Columns that are drawn together, as a category of their combinations in the
    place of the first column: ``values`` are the observed combinations, encoded,
    (n_combinations, n_columns)."""

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
        """Number of each row's combination: -1 if unknown, NaN if one is missing."""
        import pandas as pd

        parts = [encoded(self.codec, j, table[n]) for j, n in enumerate(self.columns)]
        known = pd.MultiIndex.from_arrays(list(self.values.astype(np.float64).T))
        found = known.get_indexer(pd.MultiIndex.from_arrays(parts)).astype(float)
        return np.where(np.isnan(parts).any(axis=0), np.nan, found)

    def holds(self, frame):
        """Mask of the rows with one of the combinations, or with missing values."""
        parts = [encoded(self.codec, j, frame[n]) for j, n in enumerate(self.columns)]
        partly = np.isnan(parts).any(axis=0)
        found = partly | (self.codes(frame) >= 0)
        for row in np.flatnonzero(partly):
            found[row] = self.matches([part[row] for part in parts]).any()
        return found

    def matches(self, values):
        """Combinations that agree with encoded values, NaN where missing."""
        values = np.asarray(values)
        return ((self.values == values) | np.isnan(values)).all(axis=1)

    def forward(self, table):
        codes = self.codes(table)
        known = np.where(np.isnan(codes), -1, codes).astype(int)
        return {self.columns[0]: self.category(known)}

    def category(self, codes):
        """Codes, -1 where missing, as a column."""
        import pandas as pd

        dtype = pd.CategoricalDtype(pd.RangeIndex(len(self.values)))
        return pd.Series(pd.Categorical.from_codes(codes, dtype=dtype))

    def backward(self, seen, table, codec):
        codes = seen[self.columns[0]].cat.codes.to_numpy()
        values = np.where(codes[:, None] < 0, np.nan, self.values[codes])
        found = self.codec.decode(values)
        return {name: found.iloc[:, j] for j, name in enumerate(self.columns)}

    def meeting(self, name, condition, who):
        """Boolean array, True for combinations of which a column meets a condition."""
        column = self.codec.decode(self.values).iloc[:, self.columns.index(name)]
        return meets(self.codec, self.columns.index(name), column, condition, who)


class Numbered(namedtuple("Numbered", "target first text"), Step):
    """A column of identifiers, which the model does not see: numbers from ``first`` on,
    or text with numbers."""

    __slots__ = ()

    @classmethod
    def of(cls, column, who):
        """Learn the first free number of a column; TypeError if it has neither whole
        numbers nor text."""
        import pandas as pd

        types = pd.api.types
        if types.is_integer_dtype(column.dtype):
            known = column.dropna()
            return cls(column.name, int(known.max()) + 1 if len(known) else 0, False)
        if types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype):
            return cls(column.name, 0, True)
        raise TypeError(
            f"{who!r}: column {column.name!r} has the dtype {column.dtype}: only "
            "integers and text are numbered."
        )

    def backward(self, seen, table, codec):
        import pandas as pd

        n_rows = len(next(iter(seen.values())))
        found = pd.Series(np.arange(self.first, self.first + n_rows))
        if self.text:
            found = f"{self.target}_" + found.astype(str)
        dtype = codec.dtypes[codec.names.index(self.target)]
        return {self.target: found.astype(dtype)}
