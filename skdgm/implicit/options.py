"""Options that implicit models share."""

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
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.GAN`.
    """),
]
LatentPrior = Annotated[
    Literal[*PRIORS],
    Doc("Distribution of the latent units, as of :class:`~skdgm.GAN`."),
]
Draws = Annotated[
    Count,
    Doc("""
        Draws around which ``score_samples`` and ``impute`` estimate densities: in many
        dimensions no feasible number is enough, and scores serve for comparison. It may
        be changed after ``fit``.
    """),
]
