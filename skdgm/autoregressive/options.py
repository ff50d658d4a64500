"""Options shared by autoregressive estimators."""

from typing import Annotated, Literal

from skdgm.base.common_options import CategoryDetails, ColumnTypes, TableDetails
from skdgm.base.options import Count, Details, Doc, Fraction

# Options that determine the densities of real columns.
MIXTURE = "n_mixtures", "conditional", "min_variance"


class NormalDetails(Details):
    """Details of normal distributions of real columns."""

    min_variance: Fraction = 1e-4


class MixtureDetails(NormalDetails):
    """Details of mixture distributions of real columns."""

    n_mixtures: Count = 3
    conditional: Literal["gaussian", "laplace"] = "gaussian"


_KINDS = Doc("""
    Type of the columns. "auto": inferred from the data, as the guide's page "How
    columns are read" describes. One type for all columns: "bernoulli" (0, 1 or
    probabilities of 1), "categorical" (codes, as in ``OrdinalEncoder``), "gaussian"
    (real numbers, standardized internally), or "mixed", by the types of a DataFrame's
    columns: bools, categories, and numbers, dates and durations as "numeric". A tuple
    has a type for each column, and a dict has types of some columns of a DataFrame by
    name: one of the first three types or

    - "numeric": numbers within their range and with their number of decimals, with
      heavy tails, and with atoms at frequent values (such as 0); "ordinal" if there are
      few values;
    - "ordinal": the values that occur, as categories.
""")
StepColumns = Annotated[ColumnTypes, CategoryDetails, MixtureDetails, _KINDS]
MixedColumns = Annotated[ColumnTypes, TableDetails, MixtureDetails, _KINDS]
NormalColumns = Annotated[ColumnTypes, TableDetails, NormalDetails, _KINDS]

Ordering = Annotated[
    Literal["given", "random"] | tuple,
    Doc(
        """
        Order in which columns are predicted; a tuple is a permutation of the
        column numbers. In random orders, dates whose phases in the year, the
        week and the day are inputs come first.
        """,
        '{"given", "random"} or tuple of int',
    ),
]
Particles = Annotated[
    Count,
    Doc("""
        Number of particles of each row with missing entries in
        :meth:`score_samples` and :meth:`impute`; up to 256 times as many if
        less than a twentieth are effective. May be changed after ``fit``.
    """),
]
