"""Options that models learned by a bound share."""

from typing import Literal

from skdgm.base.options import KW_ONLY, Count, CountOrZero, NotNegative, Options


class BoundOptions(Options):
    """Options of the bound that is maximised.

    Parameters
    ----------
    objective
        Evidence lower bound, or importance weighted bound.
    n_importance
        Draws for each row in training; if None, 1 for "elbo" and 5 for "iwae".
    beta
        Weight of the divergence; with values other than 1 the objective is no bound,
        and latent units are more or less independent [4]_.
    warm_up
        Number of epochs in which ``beta`` rises from 0, which helps to prevent an early
        collapse of the posterior.
    free_bits
        Divergence of each latent layer, in nats, that costs nothing in training: while
        its mean over a batch is less, it has no gradient.
    """

    _: KW_ONLY
    objective: Literal["elbo", "iwae"] = "elbo"
    n_importance: Count | None = None
    beta: NotNegative = 1.0
    warm_up: CountOrZero = 0
    free_bits: NotNegative = 0.0
