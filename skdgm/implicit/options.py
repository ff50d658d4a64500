"""Options that implicit models share."""

from typing import Literal

from skdgm.base.common_options import ColumnTypes, TableOptions
from skdgm.base.options import KW_ONLY, Count, Positive, Share, removed, within
from skdgm.implicit.generator import PRIORS
from skdgm.nets.options import Activation


class GeneratorOptions(TableOptions):
    """Options of generators of columns of several kinds, whose bits and categories are
    relaxed.

    Parameters
    ----------
    column_types
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.GAN`.
    prior
        Distribution of the latent units, as of :class:`~skdgm.GAN`.
    dropout
        Share of the discriminator's hidden units that drop out in training.
    activation
        Activation function of the generator's hidden units.
    batch_norm
        Whether to standardise the generator's hidden units by batch normalisation.
    n_draws
        Draws around which ``score_samples`` and ``impute`` estimate densities: in many
        dimensions no feasible number is enough, and scores serve for comparison. It may
        be changed after ``fit``.
    tol
        Smallest improvement that counts.
    random_state : int, RandomState instance or None
        Seed of initial weights, order of rows and latent units.

    Attributes
    ----------
    n_updates_ : int
        Number of updates of the generator.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    loss_curve_ : list of float
        Maximum mean discrepancy between some training rows and generated ones after
        each epoch.
    """

    _: KW_ONLY
    column_types: ColumnTypes = "auto"
    temperature: Positive = within("column_types", 0.5)
    missing_pattern: str = removed("ignore")
    prior: Literal[*PRIORS] = "mixed"
    dropout: Share = 0.0
    activation: Activation = "leaky_relu"
    batch_norm: bool = False
    n_draws: Count = 1000
    momentum: Share = within("solver", 0.0)
