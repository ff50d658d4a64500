"""Relations between columns of numbers or times: inequalities and sums."""

from collections import namedtuple
from functools import reduce
from operator import add

import numpy as np

from skdgm.constraints._constraint import Constraint, check_flag, check_names, names_of
from skdgm.constraints._quantities import check_alike, digits_of, quantity
from skdgm.constraints._steps import Remainder, Total
from skdgm.typing import DataFrame

# Relative tolerance of a total.
_NEAR = 1e-6


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

    Examples
    --------
    >>> from skdgm.constraints import Sum
    >>> Sum("sum", ["net", "tax"])
    Sum(total='sum', parts=('net', 'tax'), within=False)
    """

    __slots__ = ()

    def __new__(cls, total, parts, within=False):
        """Validate the names of a total and its parts."""
        parts = names_of(parts, "Sum", 1)
        check_names([total], "Sum")
        if total in parts:
            raise ValueError(f"Sum: {total!r} is a part of itself.")
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
            tolerance = _NEAR * np.maximum(values.abs(), sizes)
        is_broken = gap < -tolerance if self.within else gap.abs() > tolerance
        return ~is_broken.to_numpy(bool)

    def steps(self, frame: DataFrame) -> tuple:
        digits = digits_of([frame[name] for name in self.columns], self)
        if self.within:
            return (Remainder(self.total, self.parts, 1, digits),)
        return (Total(self.total, self.parts, digits),)
