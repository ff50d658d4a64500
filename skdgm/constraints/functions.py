r"""Columns that are functions of other columns: declared, or found in a table.

.. math:: y = f(x) \quad \text{in every row}
"""

from collections import namedtuple

import numpy as np

from skdgm.constraints._computed import Lookup, commonest
from skdgm.constraints._constraint import Constraint, check_names
from skdgm.constraints._quantities import encoded
from skdgm.constraints.relations import Linear, Product, Sum
from skdgm.constraints.rules import FixedCombinations
from skdgm.data.clocks import form_of
from skdgm.data.foreign import as_pandas
from skdgm.data.frames import Codec
from skdgm.typing import Data, DataFrame
from skdgm.utils import equations, relations
from skdgm.utils.counts import check_choice
from skdgm.utils.domains import is_frame
from skdgm.utils.words import with_article

# Parts of dates that may determine a column, from few values to many.
PARTS = "quarter", "day_of_week", "month", "hour", "day", "year", "day_of_year"


class Function(
    namedtuple("Function", "target source part", defaults=(None,)), Constraint
):
    r"""Column that is a function of another column, learned from the training table.

    .. math:: x_\text{target} = f(x_\text{source})

    Reparametrization: the model does not learn the target, which is computed from the
    source. If the source has numbers or dates, a new value has the target of the
    nearest value in training, as for grades of scores. If it has categories, or a part
    of a date, draws with a new value are rejected, and such rows have probability 0.

    Parameters
    ----------
    target, source : hashable
        Names of the columns.
    part : str, default=None
        Part of a date that determines the target, as for seasons: "quarter",
        "day_of_week", "month", "hour", "day", "year" or "day_of_year".

    See Also
    --------
    FixedCombinations : Columns that the model learns as one category.

    Examples
    --------
    >>> from skdgm.constraints import Function
    >>> Function("season", "date", part="month")
    Function(target='season', source='date', part='month')
    """

    __slots__ = ()
    learned = True

    def __new__(cls, target, source, part=None):
        """Validate the names of two different columns, and the part."""
        check_names((target, source), "Function")
        if target == source:
            raise ValueError(f"Function needs two columns, and got {target!r} twice.")
        if part is not None:
            check_choice("part", part, PARTS)
        return super().__new__(cls, target, source, part)

    @property
    def columns(self) -> tuple | None:
        return self.target, self.source

    def check(self, frame: DataFrame) -> None:
        super().check(frame)
        column = frame[self.source]
        if self.part is not None and form_of(column) not in (
            "datetime",
            "date",
            "period",
        ):
            raise TypeError(
                f"{self!r}: column {self.source!r} has the dtype {column.dtype}, which "
                "is not of dates."
            )
        if not frame[list(self.columns)].notna().all(axis=1).any():
            raise ValueError(f"{self!r}: no row has values in both columns.")

    def holds(self, frame: DataFrame) -> np.ndarray:
        keys, values = self._step(frame, [0], [0]).coded(frame)
        return commonest(keys, values)

    def steps(self, frame: DataFrame) -> tuple:
        keys, values = self._step(frame, [0], [0]).coded(frame)
        known = commonest(keys, values) & ~(np.isnan(keys) | np.isnan(values))
        keys, first = np.unique(keys[known], return_index=True)
        return (self._step(frame, keys, values[known][first]),)

    def _step(self, frame, keys, values):
        """Step with the encodings of the columns of a training table."""
        codecs = tuple(Codec.of(frame[[name]]) for name in self.columns)
        reader = Reader(codecs[1], self.part)
        exact = self.part is not None or codecs[1].categories[0] is not None
        return Lookup(self.target, self.source, keys, values, codecs, reader, exact)


class Reader(namedtuple("Reader", "codec part")):
    """Conversion of a column to numbers, by a codec, or to a part of its dates."""

    __slots__ = ()

    def __call__(self, column):
        """Numbers of a column, NaN where missing, -1 for unknown categories."""
        import pandas as pd

        if self.part is None:
            return encoded(self.codec, 0, column)
        dates = column.reset_index(drop=True)
        if form_of(column) == "date":
            dates = pd.to_datetime(dates)
        return getattr(dates.dt, self.part).to_numpy(np.float64, na_value=np.nan)


def find_constraints(X: Data) -> list:
    r"""Find functions between columns that hold in every row of a table.

    A column is a function of another column if each value of the other column occurs
    with a single value. The function counts only if rows support it: at least five rows
    for each value on average, at least a hundred rows that could have been exceptions,
    and a negligible probability by chance. Values of numbers must repeat, or form
    ranges, such as grades of scores. Equations between numbers need at least 20 rows.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_features)
        Table of pandas or another library. Missing values are ignored.

    Returns
    -------
    constraints : list
        :class:`FixedCombinations` of a column and the columns that it determines,
        :class:`Function` of numbers by ranges and of parts of dates, :class:`Sum`,
        :class:`Linear` and :class:`Product` of two factors. Empty if the table has more
        than 200 columns, as images have.

    Raises
    ------
    TypeError
        X is not a DataFrame, or a column has another type.

    Notes
    -----
    The cost is :math:`O(D^2 n)` for D columns and n rows, and less if most columns are
    no functions of others. Products are searched among at most 40 columns of numbers.
    Sums are the null space of the covariance.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skdgm.constraints import find_constraints
    >>> rng = np.random.default_rng(0)
    >>> city = rng.integers(0, 3, 200)
    >>> X = pd.DataFrame({"city": np.array(["Bonn", "Rome", "Milan"])[city],
    ...                   "country": np.array(["DE", "IT", "IT"])[city],
    ...                   "net": rng.integers(10, 99, 200)})
    >>> X["tax"] = rng.integers(1, 9, 200)
    >>> X["price"] = X["net"] + X["tax"]
    >>> for constraint in find_constraints(X):
    ...     print(constraint)
    Sum(total='price', parts=('net', 'tax'), within=False)
    FixedCombinations(columns=('city', 'country'))
    """
    table = as_pandas(X)
    if not is_frame(table):
        raise TypeError(
            "Constraints name columns of a DataFrame, and X is "
            f"{with_article(type(table).__name__)}: convert it, as by pd.DataFrame(X)."
        )
    codec = Codec.of(table)
    if len(codec.names) > relations.WIDE or not len(table):
        return []
    columns = list(codec.encode(table).astype(np.float64).T)
    kinds = [
        "time" if clock is not None else kind == "numeric"
        for kind, clock in zip(codec.kinds, codec.clocks)
    ]
    constraints = _of_dates(table, columns, codec)
    done = {codec.names.index(c.target) for c in constraints}
    found = relations.find(columns, kinds, done)
    constraints += [_declared(relation, codec.names) for relation in found]
    return [c for c in constraints if _fits(c, table)]


def _declared(relation, names):
    """Constraint of a relation between numbered columns."""
    named = [names[j] for j in relation.columns]
    if isinstance(relation, relations.Combinations):
        return FixedCombinations(named)
    if isinstance(relation, relations.Ranges):
        source, target = named
        return Function(source, target)
    if isinstance(relation, equations.Product):
        return Product(named[0], [names[j] for j in relation.factors])
    if set(relation.weights) == {1.0} and not relation.offset:
        return Sum(named[0], named[1:])
    return Linear(named[0], named[1:], relation.weights, relation.offset)


def _of_dates(table, columns, codec):
    """List of Function of parts of dates."""
    found, coded = {}, [relations.Coded.of(x) for x in columns]
    for source, clock in zip(codec.names, codec.clocks):
        if clock is None or clock.form == "duration":
            continue
        for part in PARTS:
            x = relations.Coded.of(Reader(None, part)(table[source]))
            for target, y, own in zip(codec.names, coded, codec.clocks):
                is_open = own is None and target not in found
                if is_open and relations.determines(x, y, ordered=False):
                    found[target] = Function(target, source, part)
    return list(found.values())


def _fits(constraint, table):
    """Return whether a constraint accepts the types and all rows of a table."""
    try:
        constraint.check(table)
    except (TypeError, ValueError):
        return False
    return bool(constraint.holds(table).all())
