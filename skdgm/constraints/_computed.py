r"""Steps that drop a column which a model need not learn: a function of other columns.

.. math:: (x, f(x)) \mapsto x, \qquad \log p(x, y) = \log p(x) \text{ if } y = f(x),
   \text{ else } -\infty
"""

from collections import namedtuple
from functools import reduce
from operator import add, mul

import numpy as np

from skdgm.constraints._quantities import encoded, near, quantity, restored, rounded
from skdgm.constraints._steps import Equation, Step
from skdgm.utils.math import distinct
from skdgm.utils.relations import in_range, nearest


class Computed(Step):
    """Base class of steps that drop the column ``target``, which equals a function of
    the columns ``parts`` up to rounding, and which can be solved for each part.

    A subclass has ``digits`` and ``places``, the numbers of decimals of the target and
    of parts that follow from it, or None.
    """

    __slots__ = ()
    parts: tuple
    digits: int | None
    places: int | None

    @property
    def columns(self):
        """Names of the columns in the equation."""
        return self.target, *self.parts

    def decimals(self, variable):
        """Number of decimals of a solution for a variable; None if unlimited."""
        return self.digits if variable == self.target else self.places

    def solved(self, variable, values):
        """Solve for one variable, given a dict of all others."""

    def size(self, values):
        """Sum of the magnitudes of the terms, given a dict of the parts."""

    def holds(self, table):
        """Mask of the rows that satisfy the equation up to rounding; True for missing
        values."""
        values = {name: quantity(table[name], self) for name in self.columns}
        unit = 0.0 if self.digits is None else 10.0**-self.digits
        target, result = values[self.target], self.solved(self.target, values)
        return near(target, result, self.size(values), unit)

    def backward(self, seen, table, codec):
        return {self.target: self._column(self.target, table, codec)}

    def adjusted(self, table, given, codec):
        """Solve for the last unknown part of rows with a known target."""
        changed, table = {}, dict(table)
        known = given[self.target].notna() & table[self.target].notna().to_numpy(bool)
        todo = known.to_numpy(bool)
        for name in dict.fromkeys(self.parts[::-1]):
            gaps = todo & given[name].isna().to_numpy(bool)
            if gaps.any():
                new = self._column(name, table, codec).astype(table[name].dtype)
                changed[name] = table[name].where(~gaps | new.isna().to_numpy(), new)
            todo = todo & ~gaps
        return changed

    def completed(self, table, codec):
        """Parts that follow from the target and the other parts, by name."""
        result = {}
        nulls = [table[name].isna().to_numpy(bool) for name in self.parts]
        sole = (np.sum(nulls, axis=0) == 1) & table[self.target].notna().to_numpy(bool)
        for name, gaps in zip(self.parts, nulls):
            if (gaps & sole).any():
                values = self._column(name, table, codec)
                result[name] = (
                    table[name].reset_index(drop=True).mask(gaps & sole, values)
                )
        return result

    def _column(self, variable, table, codec):
        """Solve for a column, in its type."""
        names = [name for name in self.columns if name != variable]
        values = {name: quantity(table[name], self) for name in names}
        values = rounded(self.solved(variable, values), self.decimals(variable))
        return restored(values, codec, codec.names.index(variable))


class Total(
    namedtuple(
        "Total", "target parts digits weights offset places", defaults=(None, 0.0, None)
    ),
    Computed,
    Equation,
):
    """Step that drops ``target``: ``offset`` plus the sum of ``parts``, multiplied by
    ``weights`` unless None. Parts have the decimals of the total if ``places`` is
    None."""

    __slots__ = ()
    # Fields that older files lack.
    LATER = "weights", "offset", "places"
    solved = Equation.solved

    def decimals(self, variable):
        is_total = variable == self.target or self.places is None
        return self.digits if is_total else self.places

    def term(self, name, value):
        weight = self._weight(name)
        return value if weight == 1 else value * weight

    def without(self, value, name):
        weight = self._weight(name)
        return value if weight == 1 else value / weight

    def size(self, values):
        return reduce(add, (abs(self.term(n, values[n])) for n in self.parts))

    def _weight(self, name):
        return 1 if self.weights is None else self.weights[self.parts.index(name)]


class Multiple(namedtuple("Multiple", "target parts digits places"), Computed):
    """Step that drops ``target``, the product of ``parts``."""

    __slots__ = ()

    def solved(self, variable, values):
        if variable == self.target:
            return reduce(mul, (values[name] for name in self.parts))
        others = [values[name] for name in self.parts if name != variable]
        if len(others) < len(self.parts) - 1:
            result = values[self.target] ** (1 / len(self.parts))
        else:
            others = reduce(mul, others)
            result = values[self.target] / others.where(others != 0)
        return result

    def size(self, values):
        return abs(self.solved(self.target, values))


class Lookup(
    namedtuple("Lookup", "target source keys values codecs reader exact"), Step
):
    """Step that drops ``target``, whose encoded ``values`` belong to increasing
    ``keys`` of the column ``source``.

    ``codecs`` encode the target and the source, and ``reader`` converts the source to
    keys. Unless ``exact``, values between two keys are those of the nearest key.
    """

    __slots__ = ()

    @property
    def needs(self):
        return (self.source,)

    def coded(self, table):
        """Keys and encoded targets of the rows of a table."""
        target = encoded(self.codecs[0], 0, table[self.target])
        return self.reader(table[self.source]), target

    def holds(self, table):
        """Mask of the rows whose target is that of their key, or of one of the two
        nearest keys unless ``exact``; True for missing values."""
        keys, target = self.coded(table)
        fits = in_range(self.keys, self.values, keys, target)
        if self.exact:
            fits &= np.isin(keys, self.keys) | np.isnan(keys) | np.isnan(target)
        return fits

    def backward(self, seen, table, codec):
        keys = self.reader(table[self.source])
        codes = self.values[nearest(self.keys, np.nan_to_num(keys))]
        codes = np.where(np.isnan(keys), np.nan, codes)
        return {self.target: codec.column(codec.names.index(self.target), codes)}


def commonest(keys, values):
    """Mask of rows whose value is the most frequent value of their key; True where a
    value is missing."""
    known = ~(np.isnan(keys) | np.isnan(values))
    pairs, place = distinct(np.stack([keys[known], values[known]], axis=1))
    count = np.bincount(place, minlength=len(pairs))
    order = np.lexsort((-count, pairs[:, 0]))
    first = np.append(True, np.diff(pairs[order, 0]) != 0)[: len(order)]
    mask = np.ones(len(keys), bool)
    mask[known] = np.isin(place, order[first])
    return mask
