"""Groups of options of Boltzmann machines: negative phases, penalties, filters."""

from typing import Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    NotNegative,
    Positive,
    Probability,
    Several,
)


class CD(OptionGroup):
    """Contrastive divergence: chains that start at the data [1]_.

    Parameters
    ----------
    n_steps : {"auto"}, int or tuple of int, default="auto"
        Number of Gibbs steps of the chains in each update. The values of a tuple are
        used in turn, each for an equal share of the epochs. "auto", in this and in all
        groups of options, is the default of the estimator.

    See Also
    --------
    PCD : Chains that continue between updates.

    References
    ----------
    .. [1] Hinton (2002). Training products of experts by minimizing contrastive
       divergence. Neural Computation.

    Examples
    --------
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.options import CD
    >>> BernoulliRBM(gradient=CD(n_steps=10))
    BernoulliRBM(gradient=CD(n_steps=10))
    """

    STANDS_FOR = "cd"

    _: KW_ONLY
    n_steps: Count | tuple | Auto = "auto"


class PCD(CD):
    """Persistent contrastive divergence: chains that continue between updates [1]_.

    Parameters
    ----------
    n_chains : {"auto"}, int, tuple of int or None, default="auto"
        Number of chains; ``batch_size`` if None.

    See Also
    --------
    CD : Chains that start from the data.
    FPCD : Fast weights for better mixing.
    Tempering : Chains at several temperatures.

    References
    ----------
    .. [1] Tieleman (2008). Training restricted Boltzmann machines using approximations
       to the likelihood gradient. ICML.

    Examples
    --------
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.options import PCD
    >>> BernoulliRBM(gradient=PCD(n_steps=5, n_chains=100))
    BernoulliRBM(gradient=PCD(n_chains=100, n_steps=5))
    """

    STANDS_FOR = "pcd"

    _: KW_ONLY
    n_chains: Count | tuple | Auto | None = "auto"


class FPCD(PCD):
    """Persistent contrastive divergence with fast weights, which let chains mix [1]_.

    Parameters
    ----------
    fast_learning_rate
        Learning rate of the fast weights, which decay by 5 % in each update. None: the
        initial ``learning_rate``.

    See Also
    --------
    PCD : Chains without fast weights.
    Tempering : Chains at several temperatures.

    References
    ----------
    .. [1] Tieleman and Hinton (2009). Using fast weights to improve persistent
       contrastive divergence. ICML.

    Examples
    --------
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.options import FPCD
    >>> BernoulliRBM(gradient=FPCD(fast_learning_rate=0.01))
    BernoulliRBM(gradient=FPCD(fast_learning_rate=0.01))
    """

    STANDS_FOR = "fpcd"

    _: KW_ONLY
    fast_learning_rate: Positive | tuple | Auto | None = "auto"


class Tempering(PCD):
    """Parallel tempering: persistent chains that swap states between temperatures [1]_.

    Parameters
    ----------
    n_temperatures
        Number of temperatures, with ``n_chains`` chains at each.

    See Also
    --------
    PCD : Chains at a single temperature.
    FPCD : Fast weights for better mixing.

    References
    ----------
    .. [1] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
       chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.

    Examples
    --------
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.options import Tempering
    >>> BernoulliRBM(gradient=Tempering(n_temperatures=20))
    BernoulliRBM(gradient=Tempering(n_temperatures=20))
    """

    STANDS_FOR = "tempering"

    _: KW_ONLY
    n_temperatures: Several | tuple | Auto = "auto"


class Penalty(OptionGroup):
    """Penalties and limits of weights, and a sparsity target for the hidden units.

    "auto" is the default of the estimator. In a stack of machines, a tuple has one
    value for each layer.

    Parameters
    ----------
    alpha : {"auto"}, float or tuple of float, default="auto"
        Penalty on the weights, per batch of ``batch_size`` rows as in the nets:
        ``alpha * (l1_ratio * sum(abs(W)) + (1 - l1_ratio) / 2 * sum(W**2))`` is
        subtracted from the log-likelihood of a batch.
    l1_ratio : {"auto"}, float or tuple of float, default="auto"
        Share of the absolute values in the penalty, as in
        :class:`~sklearn.linear_model.ElasticNet`; at 0, only squares are penalized.
    max_norm : {"auto"}, float, tuple of float or None, default="auto"
        Maximum norm of the weights of each hidden unit or filter. The weights of real
        columns are measured in conditional standard deviations, given the hidden units.
    sparsity_target : {"auto"}, float, tuple of float or None, default="auto"
        Target mean of each hidden unit. The cross-entropy between the target and the
        running mean, times ``sparsity_cost``, is subtracted from the objective. Deep
        machines also accept a tuple with a target for each layer.
    sparsity_cost : {"auto"}, float or tuple of float, default="auto"
        Weight of the sparsity term.

    See Also
    --------
    skdgm.RBM : Machine that takes the option.

    Examples
    --------
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.options import Penalty
    >>> BernoulliRBM(penalty=Penalty(alpha=0.001, sparsity_target=0.1))
    BernoulliRBM(penalty=Penalty(alpha=0.001, sparsity_target=0.1))
    """

    _: KW_ONLY
    alpha: NotNegative | tuple | Auto = "auto"
    l1_ratio: Probability | tuple | Auto = "auto"
    max_norm: Positive | tuple | Auto | None = "auto"
    sparsity_target: Probability | tuple | Auto | None = "auto"
    sparsity_cost: NotNegative | tuple | Auto = "auto"


class Filters(OptionGroup):
    """Filters of a convolutional machine, and the pooling of their maps.

    "auto" is the default of the estimator. In a stack, a tuple has one value for each
    layer of maps.

    Parameters
    ----------
    shape : {"auto"}, int, tuple of int or None, default="auto"
        Rows and columns of the filters, or one number for both, which is 1 along a side
        of one pixel. None: a third of the image's side, but between 4 and 15 pixels
        and at most the side itself. If there are more than 8 positions, enlarged such
        that their number is even.
    pool_shape : {"auto"}, int, tuple of int or None, default="auto"
        Rows and columns of positions in a block, or one number for both. It must divide
        the numbers of positions. None: 2 along a side with an even number of at least
        8 positions, otherwise 1. With 1, all detection units are independent given the
        image.
    stride : {"auto"}, int or tuple of int, default="auto"
        Distances between neighboring positions of the filters, down and to the right,
        or one number for both, which is 1 along a side of one pixel.
    padding
        Positions of filters: within the images or maps below ("valid"), or centered on
        each of their pixels, with zeros around the border ("same").
    pooling : {"auto", "probabilistic", "max", "mean"} or tuple, default="auto"
        Pooling of the detection units of a block. "probabilistic": at most one
        detection unit is on, and the pooled unit is on if one is. "max", "mean":
        maximum or mean of the probabilities of the detection units.

    See Also
    --------
    skdgm.ConvRBM : Machine that takes the option.
    skdgm.ConvDBN : Network that takes the option.

    Examples
    --------
    >>> from skdgm import ConvRBM
    >>> from skdgm.options import Filters
    >>> ConvRBM(filters=Filters(shape=5, pool_shape=2))
    ConvRBM(filters=Filters(pool_shape=2, shape=5))
    """

    FLAT_NAMES = {"shape": "filter_shape"}

    shape: Count | tuple | Auto | None = "auto"
    _: KW_ONLY
    pool_shape: Count | tuple | Auto | None = "auto"
    stride: Count | tuple | Auto = "auto"
    padding: Literal["auto", "valid", "same"] = "auto"
    pooling: Literal["auto", "probabilistic", "max", "mean"] | tuple = "auto"


# Groups that the option ``gradient`` accepts, if all samplers are possible.
Phase = PCD | CD | FPCD | Tempering
