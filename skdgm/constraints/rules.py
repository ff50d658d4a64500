"""Rules for rows and tables: combinations, ranges, uniqueness, any function."""

from collections import namedtuple

import numpy as np

from skdgm.constraints._constraint import Constraint, check_flag, check_names, names_of
from skdgm.constraints._quantities import quantity
from skdgm.constraints._steps import Joint, Numbered
from skdgm.data.clocks import last_time
from skdgm.data.conditions import Interval
from skdgm.typing import DataFrame
from skdgm.utils.counts import check_choice


class FixedCombinations(namedtuple("FixedCombinations", "columns"), Constraint):
    """Columns whose combinations in draws all occur in the training table.

    Reparametrization: the model learns one category in place of the columns. If some of
    the columns are missing in a row, and several combinations agree with the others,
    all of them count as missing.

    Parameters
    ----------
    columns : sequence of hashable
        Names of at least two columns.

    See Also
    --------
    Range : Limits of a column.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import FixedCombinations
    >>> FixedCombinations(["city", "country"]).columns
    ('city', 'country')
    """

    __slots__ = ()
    learned = True

    def __new__(cls, columns):
        """Validate the names of at least two columns."""
        names = names_of(columns, "FixedCombinations", 2)
        return super().__new__(cls, names)

    def check(self, frame: DataFrame) -> None:
        super().check(frame)
        if not frame[list(self.columns)].notna().all(axis=1).any():
            raise ValueError(
                f"{self!r}: no row has values in all of these columns, so that there "
                "is no combination to learn."
            )

    def steps(self, frame: DataFrame) -> tuple:
        return (Joint.of(frame[list(self.columns)]),)


class Range(
    namedtuple("Range", "column low high closed", defaults=(None, None, "both")),
    Constraint,
):
    r"""Range of a column.

    .. math:: a \le x \le b

    "numeric" and "ordinal" columns of a model are drawn within their training range,
    which may suffice. "gaussian" columns are drawn with a condition if the model
    supports conditions. Rejection applies to columns that another constraint has
    replaced.

    Parameters
    ----------
    column : hashable
        Name of a column.
    low, high : object, default=None
        Ends of the range, as values of the column; None is an open end. Text on dates
        stands for all times that it names: ``high="2024-03"`` includes March.
    closed : {"both", "left", "right", "neither"}, default="both"
        Ends that belong to the range.

    See Also
    --------
    Inequality : Order of two columns.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import Range
    >>> Range("age", 18)
    Range(column='age', low=18, high=None, closed='both')
    """

    __slots__ = ()

    def __new__(cls, column, low=None, high=None, closed="both"):
        """Validate the column and the ends; at least one end must be given."""
        check_names([column], "Range")
        if low is None and high is None:
            raise ValueError(f"Range of {column!r} has no end: give low or high.")
        check_choice("closed", closed, ("both", "left", "right", "neither"))
        return super().__new__(cls, column, low, high, closed)

    @property
    def columns(self) -> tuple | None:
        return (self.column,)

    def holds(self, frame: DataFrame) -> np.ndarray:
        x = quantity(frame[self.column], self)
        low, high = self._ends(x, frame[self.column])
        is_broken = np.zeros(len(x), bool)
        if low is not None:
            is_broken |= x < low if self.closed in ("both", "left") else x <= low
        if high is not None:
            is_broken |= x > high if self.closed in ("both", "right") else x >= high
        return ~np.asarray(is_broken)

    def check(self, frame: DataFrame) -> None:
        super().check(frame)
        low, high = self._ends(quantity(frame[self.column], self), frame[self.column])
        if low is not None and high is not None and not low <= high:
            raise ValueError(f"{self!r} ends before it begins.")

    def _ends(self, x, column):
        """Ends as quantities; None stays None. Text as an upper end that is included
        stands for the last of the times that it names."""
        high = self.high
        if x.dtype.kind == "M" and self.closed in ("both", "right"):
            high = last_time(high)
        return self._end(self.low, x, column), self._end(high, x, column)

    def _end(self, end, x, column):
        """Convert an end to a quantity; None stays None."""
        import pandas as pd

        if end is None:
            return None
        value = pd.Series([end])
        if x.dtype.kind == "M":
            value = pd.to_datetime(value)
        elif x.dtype.kind == "m":
            value = pd.to_timedelta(value)
        elif isinstance(column.dtype, pd.PeriodDtype):
            value = pd.Series(pd.PeriodIndex([end], freq=column.dtype.freq))
        converted = quantity(value, self)
        if converted.dtype.kind != x.dtype.kind:
            raise TypeError(f"{self!r}: {end!r} is no value of the column's type.")
        return converted[0]

    def condition(self) -> Interval:
        """Range as a condition of ``sample``."""
        return Interval(self.low, self.high, self.closed)


class Unique(namedtuple("Unique", "columns numbered", defaults=(False,)), Constraint):
    """Columns with distinct values in all rows of a table.

    Repeated rows within one call of ``sample`` are rejected. A column of identifiers
    can instead be numbered: the model does not learn it. Rows with a missing value in
    one of the columns are never repeats.

    Parameters
    ----------
    columns : hashable or sequence of hashable
        Name of a column, or names of several columns.
    numbered : bool, default=False
        Whether to number rows of a single column: integers continue after the largest
        value in training, text is the column's name and a number.

    See Also
    --------
    FixedCombinations : Combinations that training rows have.
    skdgm.ConstrainedTable : Model whose rows satisfy constraints.

    Examples
    --------
    >>> from skdgm.constraints import Unique
    >>> Unique("client", numbered=True).columns
    ('client',)
    """

    __slots__ = ()

    def __new__(cls, columns, numbered=False):
        """Validate the names of one or more columns."""
        if isinstance(columns, str) or not hasattr(columns, "__iter__"):
            columns = [columns]
        names = names_of(columns, "Unique", 1)
        numbered = check_flag("numbered", numbered)
        if numbered and len(names) > 1:
            raise ValueError(f"Only one column can be numbered; got {names}.")
        return super().__new__(cls, names, numbered)

    def first(self, frame: DataFrame) -> np.ndarray:
        """Mask of the first row with each combination of values, and of rows with
        missing values."""
        values = frame[list(self.columns)]
        repeats = values.duplicated().to_numpy(bool)
        return ~repeats | values.isna().any(axis=1).to_numpy(bool)

    def steps(self, frame: DataFrame) -> tuple:
        if not self.numbered:
            return ()
        return (Numbered.of(frame[self.columns[0]], self),)


class Rule(namedtuple("Rule", "function"), Constraint):
    """Rule given by a function, enforced by rejection.

    Parameters
    ----------
    function : callable
        ``function(frame)`` returns a bool for each row of a DataFrame, True if the row
        satisfies the rule. Rows with missing values are not checked.

    Examples
    --------
    >>> from skdgm.constraints import Rule
    >>> rule = Rule(lambda frame: frame["height"] * frame["width"] <= 100)
    """

    __slots__ = ()

    def __new__(cls, function):
        """Validate the function."""
        if not callable(function):
            raise TypeError(f"Rule needs a function, and got {function!r}.")
        return super().__new__(cls, function)

    @property
    def columns(self) -> tuple | None:
        return None

    def holds(self, frame: DataFrame) -> np.ndarray:
        is_valid = np.ones(len(frame), bool)
        complete = frame.notna().all(axis=1).to_numpy(bool)
        if complete.any():
            result = np.asarray(self.function(frame[complete]))
            if result.shape != (complete.sum(),) or result.dtype.kind != "b":
                raise ValueError(
                    f"{self!r} must return a bool for each of {complete.sum()} rows; "
                    f"got an array of {result.dtype} of the shape {result.shape}."
                )
            is_valid[complete] = result
        return is_valid
