"""Options that autoregressive estimators share."""

from typing import Annotated, Literal

from skdgm.base.common_options import CategoryDetails, ColumnTypes, TableDetails
from skdgm.base.options import Count, Details, Doc, Fraction

# Options that determine the densities of real columns.
MIXTURE = "n_mixtures", "conditional", "min_variance"


class NormalDetails(Details):
    """Details of normal distributions of real columns."""

    min_variance: Fraction = 1e-4


class MixtureDetails(NormalDetails):
    """Details of mixtures of distributions of real columns."""

    n_mixtures: Count = 3
    conditional: Literal["gaussian", "laplace"] = "gaussian"


_KINDS = Doc("""
    Kind of the columns. "auto": read from the data, as the guide's page "How columns
    are read" says. One kind for all: "bernoulli" (0, 1 or probabilities of 1),
    "categorical" (codes, as ``OrdinalEncoder`` returns), "gaussian" (real numbers,
    standardised internally), or "mixed", by the types of a DataFrame's columns: bits,
    categories, and numbers, dates and durations as "numeric". A tuple has a kind for
    each column, a dict kinds for some columns of a DataFrame by name, of the first
    three or

    - "numeric": numbers within their range and as round as they are, with heavy tails,
      and values that many rows share (such as 0) as atoms: "ordinal" if there are few
      values;
    - "ordinal": the values that occur, as categories.
""")
StepColumns = Annotated[ColumnTypes, CategoryDetails, MixtureDetails, _KINDS]
MixedColumns = Annotated[ColumnTypes, TableDetails, MixtureDetails, _KINDS]
NormalColumns = Annotated[ColumnTypes, TableDetails, NormalDetails, _KINDS]

Ordering = Annotated[
    Literal["given", "random"] | tuple,
    Doc(
        """
        Order in which columns are predicted; a tuple gives their numbers. Random orders
        have dates first whose phases, in the year, the week and the day, are read.
        """,
        '{"given", "random"} or tuple of int',
    ),
]
Particles = Annotated[
    Count,
    Doc("""
        Particles for each row with missing entries, in :meth:`score_samples` and
        :meth:`impute`; up to 256 times as many where fewer than a twentieth count. It
        may be changed after ``fit``.
    """),
]
