"""Options that belief networks share."""

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
    """Joint refinement of all layers by contrastive wake-sleep [1]_, which gives
    directed layers separate recognition and generative weights.

    Parameters
    ----------
    n_iter
        Epochs of refinement.
    learning_rate
        Learning rate at the start of refinement; it decreases linearly.
    n_steps : {"auto"}, int or tuple of int, default="auto"
        Number of Gibbs steps in the top-level machine. The values of a tuple share the
        epochs evenly, in order.

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


class ChainDetails(Details):
    """Details of negative phases of layers."""

    n_steps: int | tuple = 1
    n_chains: Count | tuple | None = 50
    n_temperatures: Several | tuple = 10
    fast_learning_rate: Positive | tuple | None = None


class SolverDetails(Details):
    """Details of optimisers of layers."""

    momentum: float | tuple = 0.0
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] | tuple = "linear"
    power_t: NotNegative | tuple = 0.5


class PenaltyDetails(Details):
    """Details of penalties of layers."""

    l1: NotNegative | tuple = 0.0
    l2: NotNegative | tuple = 0.0
    max_norm: Positive | tuple | Auto | None = "auto"
    sparsity_target: Probability | tuple | None = None
    sparsity_cost: NotNegative | tuple = 0.1


class RefineDetails(Details):
    """Details of the refinement of all layers."""

    refine_iter: CountOrZero = 10
    refine_learning_rate: Positive = 0.01
    refine_steps: int | tuple = (3, 6, 10)


class BeliefPretrainingDetails(PretrainingDetails):
    """Details of training machines layer by layer."""

    pretrain_gradient: Literal["pcd", "cd", "fpcd", "tempering"] | tuple = "pcd"
    pretrain_steps: int | tuple = 1


class FilterDetails(Details):
    """Details of filters of layers of maps."""

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
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says; "bernoulli": 0, 1 or probabilities of 1; "gaussian":
        real numbers, standardised internally.
    """),
]
MapSizes = Annotated[
    ArrayLike | Count,
    Doc(
        "Number of filters of each layer of maps, from the bottom up.",
        "int or tuple of int",
    ),
]
MapFilters = Annotated[
    Filters | None,
    FilterDetails,
    Doc("""
        Filters of the layers of maps, and how maps are pooled, as of
        :class:`~skdgm.ConvRBM`; None leaves them at the defaults below. A tuple has one
        value for each layer of maps: of a shape a number, a pair of them (rows and
        columns), or None for the default.
    """),
]
UpperSizes = Annotated[
    ArrayLike | Count,
    Doc(
        """
        Numbers of units of layers above the maps that are connected to all of them, as
        in :class:`DBN`, from the bottom up; by default there are none.
        """,
        "int or tuple of int",
    ),
]
MapLayers = Annotated[
    list | None,
    Doc(
        """
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: ConvRBM, and above these perhaps
        BernoulliRBM. Clones of them are fitted, with the ``image_shape`` that the layer
        below gives. Their parameters can be set as ``name__parameter``.
        """,
        "list of (str, machine) or None",
    ),
]


class StackOptions(Options):
    """Options of training of each layer, and of all together.

    Parameters
    ----------
    learning_rate, batch_size, n_iter, centering, early_stopping, \
            validation_fraction, n_iter_no_change, tol : default=those of the layers
        Training options of each layer, as in :class:`~skdgm.BernoulliRBM`. A tuple
        gives one value for each layer. Two are "auto" by default. ``n_iter``: as many
        epochs as present 20 million values of X, or make 12,000 updates if that is
        fewer (not below a label); at least 20 and at most 200. ``centering``: the
        machine's own default, which is None for binary columns and "data" for real
        ones; but layers above the first, whose units are on about half of the time,
        have "data".
    gradient
        Chains of the negative phase of each layer, as in :class:`~skdgm.BernoulliRBM`.
        A tuple gives one for each layer, as text or with details. A detail may be a
        tuple, too, of one value for each layer (which may be a tuple itself, whose
        values share the epochs of the layer).
    solver
        Optimiser of each layer, as in :class:`~skdgm.BernoulliRBM`; a tuple is as for
        ``gradient``. A layer has more epochs than a BernoulliRBM alone, and hence a
        linear ``schedule``.
    penalty
        Penalties and limits of the weights of each layer, and a target of the activity
        of its hidden units; None leaves them at the defaults below. ``max_norm`` is the
        machine's own default, None for binary columns and 4.0 for real ones, if "auto".
    init_layers
        Initial weights of a layer above the first. "transpose": the transposed weights
        of the layer below, where the new layer has enough units and the layer below no
        real ones, so that the bound starts where the layer below ended. Otherwise, and
        for "random": small random numbers.
    refine
        Joint refinement of all layers after they have been learned one by one: by
        contrastive wake-sleep [2]_, which gives the directed layers separate
        recognition and generative weights; or none.
    warm_start
        If True, ``fit`` continues from the current parameters; if these were refined,
        it only refines them further.
    """

    hidden_layer_sizes: HiddenSizes = (256, 256)
    _: KW_ONLY
    learning_rate: Positive | tuple = 0.1
    batch_size: Count | tuple = 10
    n_iter: CountOrZero | tuple | Auto = "auto"
    gradient: Annotated[
        Literal["pcd", "cd", "fpcd", "tempering"] | tuple | Phase, ChainDetails
    ] = "pcd"
    centering: Literal["start", "data", "moving"] | tuple | Auto | None = "auto"
    solver: Annotated[Literal["sgd", "adam"] | tuple | SGD | Adam, SolverDetails] = (
        "sgd"
    )
    penalty: Annotated[Penalty | None, PenaltyDetails] = None
    early_stopping: bool | tuple = False
    validation_fraction: Fraction | tuple = 0.1
    n_iter_no_change: Count | tuple = 5
    tol: NotNegative | tuple = 1e-3
    init_layers: Literal["random", "transpose"] = "transpose"
    refine: Annotated[Literal["up-down"] | UpDown | None, RefineDetails] = None
