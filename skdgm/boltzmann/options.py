"""Options that machines share."""

from typing import Annotated, Literal

from skdgm.base.column_group import Columns
from skdgm.base.common_groups import Pretraining
from skdgm.base.common_options import FitOptions
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    Details,
    Doc,
    NotNegative,
    Positive,
    Probability,
    Several,
    within,
)
from skdgm.base.solvers import SGD, Adam
from skdgm.boltzmann.groups import FPCD, PCD, Filters, Penalty, Phase, Tempering


class ChainDetails(Details):
    """Details of Markov chains of the negative phase."""

    n_steps: int | tuple = 1
    n_chains: Count | None = 50
    n_temperatures: Several = 10


class FastDetails(ChainDetails):
    """The same, of chains that may have fast weights."""

    fast_learning_rate: Positive | None = None


class SolverDetails(Details):
    """Details of optimisers of machines."""

    momentum: float | tuple = 0.0
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] = "linear"
    power_t: NotNegative = 0.5


class StartDetails(SolverDetails):
    """The same, of machines whose visible biases may begin at the marginals."""

    init_biases: Literal["marginals", "zeros"] = "marginals"


class WeightDetails(Details):
    """Details of penalties of weights."""

    l1: NotNegative = 0.0
    l2: NotNegative = 0.0


class NormDetails(WeightDetails):
    """The same, with a limit."""

    max_norm: Positive | None = None


class PenaltyDetails(NormDetails):
    """The same, with a target of the activity of hidden units."""

    sparsity_target: Probability | None = None
    sparsity_cost: NotNegative = 0.1


class RealDetails(Details):
    """Details of real columns of a machine."""

    precision: Literal["diagonal", "scalar", "fixed"] = "diagonal"
    min_variance: Probability = 0.05


class GreyDetails(RealDetails):
    """The same, and how grey values are presented."""

    resample: bool = False


class PixelDetails(GreyDetails):
    """Details of pixels, of which none has a precision of its own."""

    precision: Literal["scalar", "fixed"] = "scalar"


class FilterDetails(Details):
    """Details of filters of one layer of maps, or of several."""

    filter_shape: Count | tuple | None = None
    pool_shape: Count | tuple | None = None
    stride: Count | tuple = 1
    padding: Literal["valid", "same"] = "valid"


Solver = Literal["sgd", "adam"] | SGD | Adam
MachineSolver = Annotated[
    Solver,
    SolverDetails,
    Doc("""
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    """),
]
Penalties = Annotated[
    Penalty | None,
    Doc("""
        Penalties and limits of the weights, and a target of the activity of hidden
        units; None leaves them at the defaults below.
    """),
]
Quadratic = Annotated[
    bool,
    Doc(r"""
        If True, train with an energy to which :math:`\tfrac12 \sum_i \beta_i W_{ij}^2`
        is added for each hidden unit that is on, which penalises large weights. The
        fitted attributes are those of the plain energy.
    """),
]
ConvFilters = Annotated[
    Filters | None,
    FilterDetails,
    Doc("""
        Filters, and how their maps are pooled; None leaves them at the defaults below.
    """),
]
ImageShape = Annotated[
    tuple | list | None,
    Doc(
        """
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
        """,
        "tuple of int or None",
    ),
]
MapFeatures = Annotated[
    Literal["pooled", "detection"],
    Doc("""
        Features that ``transform`` returns, and ``inverse_transform`` takes:
        probabilities of pooled or of detection units.
    """),
]
CONV_RATE = Doc("""
    Initial learning rate, which ``schedule`` of the solver lowers. The gradient of a
    filter is a sum over all positions, which Adam divides by its size; with "sgd",
    steps are shortened where there are many.
""")


class MachineOptions(FitOptions):
    """Options of machines on one table.

    Parameters
    ----------
    n_iter
        Number of epochs.
    gradient
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd"), or at the data (contrastive
        divergence, "cd"). Persistent chains may have fast weights ("fpcd"), or exchange
        states with hotter ones (parallel tempering, "tempering").
    centering
        If not None, use the centred gradient [6]_, whose offsets are means of visible
        and hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving"). None
        is the plain gradient, but "data" for layers so wide that its steps overshoot:
        of more than 640 hidden units by default.

    Attributes
    ----------
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains; with "cd", which keeps none, chains of an
        earlier fit or draws from the initial model.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent swap rates of chains at neighbouring temperatures, from
        the model's own temperature on.
    log_Z_ : float
        Log partition function, computed at first access.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where that is exact.
    loss_curve_ : list of float
        For each epoch the negative pseudo-likelihood of training rows, estimated from
        some of their units, in nats per row.
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    """

    _: KW_ONLY
    centering: Literal["start", "data", "moving"] | None = None
    resample: bool = within("column_types", False)
    n_iter: CountOrZero = 20
    gradient: Annotated[
        Literal["pcd", "cd", "fpcd", "tempering"] | Phase, FastDetails
    ] = "pcd"
    solver: Annotated[MachineSolver, StartDetails] = "sgd"
    penalty: Annotated[Penalties, PenaltyDetails] = None
    batch_size = 10
    n_iter_no_change = 5
    learning_rate = 0.1


class DeepOptions(MachineOptions):
    """Options of machines with several hidden layers.

    Parameters
    ----------
    column_types
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says; "bernoulli": values in [0, 1]; "gaussian": real numbers
        of any scale, standardised internally.
    gradient
        Sampler of the negative phase, whose chains start where the last update left
        them: Gibbs steps of the model itself, of the model with fast weights added, or
        parallel tempering.
    negative
        Statistics of the negative phase: states of the chains (in the odd layers, means
        given the others), or the means that one step of mean field gives from these.
    mean_field_steps
        Maximum number of mean-field sweeps for each row of a batch; with the gradient
        "multi-prediction" of :class:`~skdgm.DBM`, their number.
    centering
        If not None, use the centred gradient [3]_, without which layers far from the
        data hardly learn unless they are pre-trained. Offsets are as in
        :class:`BernoulliRBM`.
    pretrain
        Initial weights: small random numbers, or those of pairs of layers trained one
        after the other by contrastive divergence, with twice the input for layers that
        have neighbours on both sides in the machine [1]_.
    inference_steps, inference_tol : int, float
        Maximum number of mean-field sweeps for features and likelihoods, and the change
        of a row's means below which they stop.
    feature_layer : int, tuple of int or "all"
        Hidden layers whose means :meth:`transform` returns: 0 is the first, -1 the
        last. It may be changed after ``fit``, and so may the two above.

    Attributes
    ----------
    h_samples_ : list of ndarray
        Hidden units of the training chains, layer by layer.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains.
    loss_curve_ : list of float
        For each epoch the negative log-likelihood of some units of training rows, given
        the others and the mean-field means two layers above, in nats per row.
    n_iter_ : int
        Number of epochs done in which all layers were trained together.
    pretrain_loss_curves_ : list of list of float
        For each pair of layers and each epoch, the negative log-likelihood of some rows
        given the layer above, in nats; empty without ``pretrain``.
    """

    _: KW_ONLY
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian"] | Columns, GreyDetails
    ] = "auto"
    gradient: Literal["pcd", "fpcd", "tempering"] | PCD | FPCD | Tempering = "pcd"
    negative: Literal["samples", "means"] = "samples"
    mean_field_steps: Count = 10
    sparsity_target: Probability | tuple | None = within("penalty", None)
    pretrain: Literal["layerwise"] | Pretraining | None = None
    pretrain_iter: CountOrZero | tuple = within("pretrain", 10)
    pretrain_learning_rate: Positive | tuple = within("pretrain", 0.05)
    pretrain_steps: Count | tuple = within("pretrain", 1)
    inference_steps: Count = 50
    inference_tol: NotNegative = 1e-3
    feature_layer: int | tuple | Literal["all"] = "all"
    n_iter: CountOrZero | Auto = "auto"
    centering = "data"
    resample = True
