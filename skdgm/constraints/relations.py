"""Relations between columns of numbers or times: inequalities, sums and products."""

from collections import namedtuple
from functools import reduce
from operator import add

import numpy as np

from skdgm.constraints._computed import Multiple, Total
from skdgm.constraints._constraint import Constraint, check_flag, check_names, names_of
from skdgm.constraints._quantities import (
    check_alike,
    check_numbers,
    digits_of,
    quantity,
)
from skdgm.constraints._steps import Remainder
from skdgm.typing import DataFrame
from skdgm.utils.equations import NEAR

# Decimals of parts without rounding.
_MAX_DECIMALS = 15


class Inequality(
    namedtuple("Inequality", "low high strict", defaults=(False,)), Constraint
):
    r"""Inequality between two columns of numbers, dates, durations or periods.

    .. math:: x_\text{low} \le x_\text{high}

    Reparametrization: a model learns the difference in place of ``high`` (or of
    ``low``, if another constraint has replaced ``high``). The difference is drawn
    within its training range and is never negative. ``high`` itself can exceed its
    training range: add a ``Range``, which is enforced by rejection.

    Parameters
    ----------
    low, high : hashable
        Names of the columns.
    strict : bool, default=False
        Whether the two columns must differ.

    See Also
    --------
    Range : Limits of a column.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import Inequality
    >>> Inequality("start", "end")
    Inequality(low='start', high='end', strict=False)
    """

    __slots__ = ()

    def __new__(cls, low, high, strict=False):
        """Validate the names of two different columns."""
        check_names((low, high), "Inequality")
        if len({low, high}) < 2:
            raise ValueError(f"Inequality needs two columns, and got {low!r} twice.")
        return super().__new__(cls, low, high, check_flag("strict", strict))

    @property
    def columns(self) -> tuple | None:
        return self.low, self.high

    def check(self, frame: DataFrame) -> None:
        super().check(frame)
        check_alike([frame[name] for name in self.columns], self)

    def holds(self, frame: DataFrame) -> np.ndarray:
        low, high = (quantity(frame[name], self) for name in self.columns)
        is_broken = low >= high if self.strict else low > high
        return ~is_broken.to_numpy(bool)

    def steps(self, frame: DataFrame) -> tuple:
        digits = digits_of([frame[name] for name in self.columns], self)
        above = Remainder(self.high, (self.low,), 1, digits)
        return above, Remainder(self.low, (self.high,), -1, digits)


class Sum(namedtuple("Sum", "total parts within", defaults=(False,)), Constraint):
    r"""Total that equals the sum of its parts, or exceeds it if ``within``.

    .. math:: x_\text{total} = \sum_k x_k \qquad \text{or, within,} \quad
        x_\text{total} \ge \sum_k x_k

    Columns are numbers or durations. Reparametrization: the total is computed from the
    parts; if ``within``, the model learns the remainder instead. A missing part follows
    from the total and the other parts.

    Parameters
    ----------
    total : hashable
        Name of a column.
    parts : sequence of hashable
        Names of other columns.
    within : bool, default=False
        Whether the sum of the parts may be less than the total.

    See Also
    --------
    Linear : Sum of multiples of columns.
    Product : Product of columns.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import Sum
    >>> Sum("sum", ["net", "tax"])
    Sum(total='sum', parts=('net', 'tax'), within=False)
    """

    __slots__ = ()

    def __new__(cls, total, parts, within=False):
        """Validate the names of a total and its parts."""
        parts = _apart(total, parts, "Sum")
        return super().__new__(cls, total, parts, check_flag("within", within))

    @property
    def columns(self) -> tuple | None:
        return self.total, *self.parts

    def check(self, frame: DataFrame) -> None:
        super().check(frame)
        check_alike([frame[name] for name in self.columns], self, summed=True)

    def holds(self, frame: DataFrame) -> np.ndarray:
        values = quantity(frame[self.total], self)
        parts = [quantity(frame[name], self) for name in self.parts]
        tolerance, gap = 0 * values, values - reduce(add, parts)
        if values.dtype.kind == "f":
            sizes = reduce(add, (part.abs() for part in parts))
            tolerance = NEAR * np.maximum(values.abs(), sizes)
        is_broken = gap < -tolerance if self.within else gap.abs() > tolerance
        return ~is_broken.to_numpy(bool)

    def steps(self, frame: DataFrame) -> tuple:
        digits = digits_of([frame[name] for name in self.columns], self)
        if self.within:
            return (Remainder(self.total, self.parts, 1, digits),)
        return (Total(self.total, self.parts, digits),)


class _ComputedTotal(Constraint):
    """Base class of totals of numbers, which their first step checks."""

    __slots__ = ()
    learned = True

    def check(self, frame: DataFrame) -> None:
        super().check(frame)
        check_numbers([frame[name] for name in self.columns], self)

    def holds(self, frame: DataFrame) -> np.ndarray:
        return self.steps(frame)[0].holds(frame)


class Linear(
    namedtuple("Linear", "total parts weights offset", defaults=(0.0,)), _ComputedTotal
):
    r"""Total that is a linear combination of other columns.

    .. math:: x_\text{total} = b + \sum_k w_k x_k

    up to rounding to the decimals of the total in training. Reparametrization: the
    total is computed from the parts. A missing part follows from the total and the
    other parts.

    Parameters
    ----------
    total : hashable
        Name of a column of numbers.
    parts : sequence of hashable
        Names of other columns.
    weights : sequence of float
        Nonzero weight of each part.
    offset : float, default=0.0
        Constant term.

    See Also
    --------
    Sum : Sum of columns.
    Product : Product of columns.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import Linear
    >>> Linear("fahrenheit", ["celsius"], [1.8], 32)
    Linear(total='fahrenheit', parts=('celsius',), weights=(1.8,), offset=32.0)
    """

    __slots__ = ()

    def __new__(cls, total, parts, weights, offset=0.0):
        """Validate the names of a total and its parts, and the weights."""
        parts = _apart(total, parts, "Linear")
        numbers = [float(w) for w in weights]
        if len(numbers) != len(parts) or not np.isfinite([*numbers, offset]).all():
            raise ValueError(
                f"Linear needs a finite weight for each of {len(parts)} parts, and a "
                f"finite offset; got {weights} and {offset!r}."
            )
        if not all(numbers):
            raise ValueError(f"Linear: drop the parts of weight 0 from {parts}.")
        return super().__new__(cls, total, parts, tuple(numbers), float(offset))

    @property
    def columns(self) -> tuple | None:
        return self.total, *self.parts

    def steps(self, frame: DataFrame) -> tuple:
        digits = digits_of([frame[self.total]], self)
        places = digits_of([frame[name] for name in self.columns], self)
        if places is None and digits is not None:
            places = _MAX_DECIMALS
        step = Total(
            self.total,
            self.parts,
            digits=digits,
            weights=self.weights,
            offset=self.offset,
            places=places,
        )
        return (step,)


class Product(namedtuple("Product", "total factors"), _ComputedTotal):
    r"""Total that is the product of other columns.

    .. math:: x_\text{total} = \prod_k x_k

    up to rounding to the decimals of the total in training. Reparametrization: the
    total is computed from the factors. A missing factor follows from the total and the
    other factors unless these are 0. If several factors of a known total are missing,
    the model draws all but the factor with the most decimals.

    Parameters
    ----------
    total : hashable
        Name of a column of numbers.
    factors : sequence of hashable
        Names of at least two other columns; a name can occur twice.

    See Also
    --------
    Sum : Sum of columns.
    Linear : Sum of multiples of columns.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import Product
    >>> Product("total", ["price", "number"])
    Product(total='total', factors=('price', 'number'))
    """

    __slots__ = ()

    def __new__(cls, total, factors):
        """Validate the names of a total and its factors."""
        names = () if isinstance(factors, str) else tuple(factors)
        _apart(total, dict.fromkeys(names), "Product")
        if len(names) < 2:
            raise ValueError(f"Product needs two or more factors; got {factors!r}.")
        return super().__new__(cls, total, names)

    @property
    def columns(self) -> tuple | None:
        return self.total, *dict.fromkeys(self.factors)

    def steps(self, frame: DataFrame) -> tuple:
        digits = digits_of([frame[self.total]], self)
        places = {name: digits_of([frame[name]], self) for name in self.factors}
        unlimited = [n is None for n in places.values()]
        # Of several unknown factors, that with the most decimals follows from others.
        order = sorted(self.factors, key=lambda n: (places[n] is None, places[n] or 0))
        finest = None if any(unlimited) else max(places.values())
        return (Multiple(self.total, tuple(order), digits, finest),)


def _apart(total, parts, subject):
    """Validate names of parts, and the name of a total that is none of them; return the
    parts as a tuple."""
    parts = names_of(parts, subject, 1)
    check_names([total], subject)
    if total in parts:
        raise ValueError(f"{subject}: {total!r} is a part of itself.")
    return parts
