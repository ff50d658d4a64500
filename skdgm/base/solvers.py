"""Groups of options: optimizers for the option ``solver``."""

from typing import Literal

from skdgm.base.groups import OptionGroup
from skdgm.base.options import KW_ONLY, Auto, NotNegative, Positive, Share


class Solver(OptionGroup):
    """Details of an optimizer; "auto" stands for the default of the estimator.

    Parameters
    ----------
    schedule : {"auto", "constant", "invscaling", "linear", "cooldown"}, default="auto"
        Learning rate after t of T epochs: ``learning_rate`` times 1, ``1 / (1 + t) **
        power_t``, ``1 - t / T`` or, for machines only, ``min(1, 5 * (1 - t / T))``.
    power_t
        Exponent of ``schedule="invscaling"``.
    clip_norm
        Maximum norm of gradients; longer gradients are rescaled. For nets.
    init_weights : str, default="auto"
        Initializer of the weights of hidden units of nets: "glorot_uniform",
        "glorot_normal", "he_uniform" or "he_normal".
    init_biases
        Initial visible biases of machines: zeros ("zeros"), or biases with which
        independent units have the means of the data ("marginals").
    average : {"auto"}, bool or float, default="auto"
        Average of the parameters over updates, which replaces the final parameters.
        True averages over about the last tenth of the updates. For adversarial models,
        the decay rate of an exponential moving average of the generator's parameters, 0
        for none. For nets.
    """

    _: KW_ONLY
    schedule: Literal["auto", "constant", "invscaling", "linear", "cooldown"] = "auto"
    power_t: NotNegative | Auto = "auto"
    clip_norm: Positive | Auto | None = "auto"
    init_weights: str = "auto"
    init_biases: Literal["auto", "marginals", "zeros"] = "auto"
    average: bool | float | Auto = "auto"


class Adam(Solver):
    """Adam: steps along running means of gradients, normalized by their root mean
    square.

    Parameters
    ----------
    beta_1
        Decay rate of the mean of gradients. Machines also accept a tuple, each value of
        which applies to an equal share of the epochs.
    beta_2
        Decay rate of the mean of squared gradients. For nets.

    See Also
    --------
    SGD : Stochastic gradient descent.
    RMSprop : Steps scaled by their size, without momentum by default.

    Examples
    --------
    >>> from skdgm import EoNADE
    >>> from skdgm.options import Adam
    >>> EoNADE(solver=Adam(schedule="constant", clip_norm=1.0))
    EoNADE(solver=Adam(clip_norm=1.0, schedule='constant'))
    """

    STANDS_FOR, FLAT_NAMES = "adam", {"beta_1": "momentum"}

    _: KW_ONLY
    beta_1: Share | tuple | Auto = "auto"
    beta_2: Share | Auto = "auto"


class RMSprop(Solver):
    """RMSprop: steps along gradients, normalized by their root mean square.

    Parameters
    ----------
    momentum
        Momentum coefficient.

    See Also
    --------
    Adam : Scaled steps with momentum.
    SGD : Stochastic gradient descent.

    Examples
    --------
    >>> from skdgm import NADE
    >>> from skdgm.options import RMSprop
    >>> NADE(solver=RMSprop(momentum=0.5))
    NADE(solver=RMSprop(momentum=0.5))
    """

    STANDS_FOR = "rmsprop"

    _: KW_ONLY
    momentum: Share | Auto = "auto"


class SGD(Solver):
    """Stochastic gradient descent with momentum.

    Parameters
    ----------
    momentum
        Momentum coefficient. Machines also accept a tuple, each value of which applies
        to an equal share of the epochs.

    See Also
    --------
    Adam : Scaled steps with momentum.
    RMSprop : Scaled steps.

    Examples
    --------
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.options import SGD
    >>> BernoulliRBM(solver=SGD(momentum=(0.5, 0.9), schedule="linear"))
    BernoulliRBM(solver=SGD(momentum=(0.5, 0.9), schedule='linear'))
    """

    STANDS_FOR = "sgd"

    _: KW_ONLY
    momentum: Share | tuple | Auto = "auto"
