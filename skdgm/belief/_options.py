"""Options shared by belief networks."""

from typing import Annotated, Literal

from skdgm.base.column_group import Columns
from skdgm.base.common_groups import PretrainingDetails
from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    ArrayLike,
    Auto,
    Count,
    CountOrZero,
    Details,
    Doc,
    Fraction,
    NotNegative,
    Options,
    Positive,
    Probability,
    Several,
)
from skdgm.base.solvers import SGD, Adam
from skdgm.boltzmann.groups import Filters, Penalty, Phase


class UpDown(OptionGroup):
    """Joint refinement of all layers by contrastive wake-sleep [1]_, which unties the
    recognition and generative weights of directed layers.

    Parameters
    ----------
    n_iter
        Number of epochs.
    learning_rate
        Initial learning rate; it decreases linearly.
    n_steps : {"auto"}, int or tuple of int, default="auto"
        Number of Gibbs steps in the top-level machine. Each value of a tuple applies to
        an equal share of the epochs, in order.

    See Also
    --------
    skdgm.DBN : Network that takes the option.

    References
    ----------
    .. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief
       nets. Neural Computation.

    Examples
    --------
    >>> from skdgm import DBN
    >>> from skdgm.options import UpDown
    >>> DBN(refine=UpDown(n_iter=20))
    DBN(refine=UpDown(n_iter=20))
    """

    STANDS_FOR = "up-down"
    FLAT_NAMES = {
        "n_iter": "refine_iter",
        "learning_rate": "refine_learning_rate",
        "n_steps": "refine_steps",
    }

    _: KW_ONLY
    n_iter: CountOrZero | Auto = "auto"
    learning_rate: Positive | Auto = "auto"
    n_steps: Count | tuple | Auto = "auto"


class LayerChainDetails(Details):
    """Details of the negative phase of each layer."""

    n_steps: int | tuple = 1
    n_chains: Count | tuple | None = 50
    n_temperatures: Several | tuple = 10
    fast_learning_rate: Positive | tuple | None = None


class LayerOptimizerDetails(Details):
    """Details of the optimizer of each layer."""

    momentum: float | tuple = 0.0
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] | tuple = "linear"
    power_t: NotNegative | tuple = 0.5


class LayerPenaltyDetails(Details):
    """Details of the penalties of each layer."""

    alpha: NotNegative | tuple = 0.0
    l1_ratio: Probability | tuple = 0.0
    max_norm: Positive | tuple | Auto | None = "auto"
    sparsity_target: Probability | tuple | None = None
    sparsity_cost: NotNegative | tuple = 0.1


class RefineDetails(Details):
    """Details of the joint refinement."""

    refine_iter: CountOrZero = 10
    refine_learning_rate: Positive = 0.01
    refine_steps: int | tuple = (3, 6, 10)


class BeliefPretrainingDetails(PretrainingDetails):
    """Details of layerwise pre-training."""

    pretrain_gradient: Literal["pcd", "cd", "fpcd", "tempering"] | tuple = "pcd"
    pretrain_steps: int | tuple = 1


class LayerFilterDetails(Details):
    """Details of the filters of convolutional layers."""

    filter_shape: Count | tuple | None = None
    pool_shape: Count | tuple | None = None
    stride: Count | tuple = 1
    pooling: Literal["probabilistic", "max", "mean"] | tuple = "probabilistic"
    padding: Literal["valid", "same"] = "valid"


HiddenSizes = Annotated[
    ArrayLike | Count,
    Doc(
        "Number of hidden units of each layer, from the bottom up.",
        "int or tuple of int",
    ),
]
BeliefColumns = Annotated[
    Literal["auto", "bernoulli", "gaussian"] | Columns,
    Doc("""
        Kind of the columns. "auto": inferred from the data, as the guide's page
        "How columns are read" describes; "bernoulli": 0, 1 or probabilities of
        1; "gaussian": real numbers, standardized internally.
    """),
]
MapSizes = Annotated[
    ArrayLike | Count,
    Doc(
        "Number of filters of each convolutional layer, from the bottom up.",
        "int or tuple of int",
    ),
]
MapFilters = Annotated[
    Filters | None,
    LayerFilterDetails,
    Doc("""
        Filters and pooling of the convolutional layers, as in
        :class:`~skdgm.ConvRBM`; None selects the defaults below. A tuple has
        one value for each layer; a shape is a number, a pair (rows, columns),
        or None for the default.
    """),
]
UpperSizes = Annotated[
    ArrayLike | Count,
    Doc(
        """
        Numbers of units of the dense layers above the maps, as in :class:`DBN`,
        from the bottom up; by default, there are none.
        """,
        "int or tuple of int",
    ),
]
MapLayers = Annotated[
    list | None,
    Doc(
        """
        Explicit stack of machines, like the steps of a Pipeline, which replaces
        all parameters that describe the layers. Machines are ConvRBM,
        optionally below BernoulliRBM. Clones of them are fitted, with the
        ``image_shape`` determined by the layer below. Their parameters can be
        set as ``name__parameter``.
        """,
        "list of (str, machine) or None",
    ),
]


class StackOptions(Options):
    """Training options of each layer, and of joint refinement.

    Parameters
    ----------
    learning_rate, batch_size, n_iter, centering, early_stopping, \
            validation_fraction, n_iter_no_change, tol : default=those of the layers
        Training options of each layer, as in :class:`~skdgm.BernoulliRBM`. A tuple
        gives one value for each layer. Two are "auto" by default. ``n_iter="auto"``
        presents 20 million values of X, or makes 12,000 updates if that is fewer (not
        with labels), within 20 to 200 epochs. ``centering="auto"`` is the default of
        the machine in the first layer: None for binary columns and "data" for real
        columns. In higher layers, whose units are on about half of the time, it is
        "data".
    gradient
        Chains of the negative phase of each layer, as in :class:`~skdgm.BernoulliRBM`.
        A tuple has one value for each layer, a string or an object with details. A
        detail can also be a tuple with one value for each layer. Each value can again
        be a tuple, a piecewise-constant schedule over the epochs of the layer.
    solver
        Optimizer of each layer, as in :class:`~skdgm.BernoulliRBM`; tuples are as for
        ``gradient``. The default ``schedule`` is linear because a layer has more epochs
        than a single BernoulliRBM.
    penalty
        Penalties and norm limits on the weights of each layer, and a target for the
        activity of its hidden units; None selects the defaults below.
        ``max_norm="auto"`` is the default of the machine: None for binary columns and
        4.0 for real columns.
    init_layers
        Initial weights of layers above the first. "transpose": the transposed weights
        of the layer below, so that the bound starts at the value reached by the layer
        below. This needs enough units in the new layer, and no real units in the layer
        below; otherwise, and for "random", weights are small random numbers.
    refine
        Joint refinement of all layers after layerwise training, by contrastive
        wake-sleep [2]_, which unties the recognition and generative weights of directed
        layers; or None.
    warm_start
        If True, ``fit`` continues from the current parameters. Refined parameters are
        only refined further.
    """

    hidden_layer_sizes: HiddenSizes = (256, 256)
    _: KW_ONLY
    learning_rate: Positive | tuple = 0.1
    batch_size: Count | tuple = 10
    n_iter: CountOrZero | tuple | Auto = "auto"
    gradient: Annotated[
        Literal["pcd", "cd", "fpcd", "tempering"] | tuple | Phase, LayerChainDetails
    ] = "pcd"
    centering: Literal["start", "data", "moving"] | tuple | Auto | None = "auto"
    solver: Annotated[
        Literal["sgd", "adam"] | tuple | SGD | Adam, LayerOptimizerDetails
    ] = "sgd"
    penalty: Annotated[Penalty | None, LayerPenaltyDetails] = None
    early_stopping: bool | tuple = False
    validation_fraction: Fraction | tuple = 0.1
    n_iter_no_change: Count | tuple = 5
    tol: NotNegative | tuple = 1e-3
    init_layers: Literal["random", "transpose"] = "transpose"
    refine: Annotated[Literal["up-down"] | UpDown | None, RefineDetails] = None
