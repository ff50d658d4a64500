"""Options of implicit models."""

from typing import Annotated, Literal

from skdgm.base.common_options import CategoryDetails, ColumnTypes
from skdgm.base.options import Count, Doc, Positive
from skdgm.implicit.generator import PRIORS


class RelaxedDetails(CategoryDetails):
    """Details of columns whose bits and categories are relaxed."""

    temperature: Positive = 0.5


RelaxedColumns = Annotated[
    ColumnTypes,
    RelaxedDetails,
    Doc("""
        Type of the columns: "auto", inferred from the data, or a type as in
        :class:`~skdgm.GAN`.
    """),
]
LatentPrior = Annotated[
    Literal[*PRIORS],
    Doc("Distribution of the latent units, as in :class:`~skdgm.GAN`."),
]
Draws = Annotated[
    Count,
    Doc("""
        Number of draws for the kernel density estimates of ``score_samples`` and
        ``impute``. In many dimensions no feasible number is sufficient, and scores only
        serve for comparison. It may be changed after ``fit``.
    """),
]
