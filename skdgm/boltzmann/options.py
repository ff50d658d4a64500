"""Options of Boltzmann machines."""

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
    """Details of the Markov chains of the negative phase."""

    n_steps: int | tuple = 1
    n_chains: Count | None = 50
    n_temperatures: Several = 10


class FastDetails(ChainDetails):
    """Details of chains that may have fast weights."""

    fast_learning_rate: Positive | None = None


class SolverDetails(Details):
    """Details of the optimizers of machines."""

    momentum: float | tuple = 0.0
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] = "linear"
    power_t: NotNegative = 0.5


class StartDetails(SolverDetails):
    """Details of optimizers, and the initial visible biases."""

    init_biases: Literal["marginals", "zeros"] = "marginals"


class WeightDetails(Details):
    """Details of penalties on weights."""

    alpha: NotNegative = 0.0
    l1_ratio: Probability = 0.0


class NormDetails(WeightDetails):
    """Details of penalties on weights, and a limit of their norm."""

    max_norm: Positive | None = None


class PenaltyDetails(NormDetails):
    """Details of penalties and limits of weights, and of a sparsity target."""

    sparsity_target: Probability | None = None
    sparsity_cost: NotNegative = 0.1


class RealDetails(Details):
    """Details of real columns of a machine."""

    precision: Literal["diagonal", "scalar", "fixed"] = "diagonal"
    min_variance: Probability = 0.05


class GrayDetails(RealDetails):
    """Details of real columns, and of the presentation of gray values."""

    resample: bool = False


class PixelDetails(GrayDetails):
    """Details of pixels, which share one precision."""

    precision: Literal["scalar", "fixed"] = "scalar"


class FilterDetails(Details):
    """Details of the filters of one or several layers of maps."""

    filter_shape: Count | tuple | None = None
    pool_shape: Count | tuple | None = None
    stride: Count | tuple = 1
    padding: Literal["valid", "same"] = "valid"


Solver = Literal["sgd", "adam"] | SGD | Adam
MachineSolver = Annotated[
    Solver,
    SolverDetails,
    Doc("""
        Stochastic gradient descent, or Adam, which divides the gradient of each
        parameter by its recent magnitude.
    """),
]
Penalties = Annotated[
    Penalty | None,
    Doc("""
        Penalties and limits of the weights, and a sparsity target for the hidden units;
        None keeps the defaults below.
    """),
]
Quadratic = Annotated[
    bool,
    Doc(r"""
        If True, train with the energy plus :math:`\tfrac12 \sum_i \beta_i W_{ij}^2` for
        each hidden unit that is on, which penalizes large weights. The fitted
        attributes refer to the energy without this term.
    """),
]
ConvFilters = Annotated[
    Filters | None,
    FilterDetails,
    Doc("""
        Filters, and the pooling of their maps; None keeps the defaults below.
    """),
]
ImageShape = Annotated[
    tuple | list | None,
    Doc(
        """
        Height and width of the images, and optionally the number of channels. None: a
        square with one channel, or a single row of pixels if the number of columns is
        no square.
        """,
        "tuple of int or None",
    ),
]
MapFeatures = Annotated[
    Literal["pooled", "detection"],
    Doc("""
        Features that ``transform`` returns and ``inverse_transform`` accepts:
        probabilities of pooled units or of detection units.
    """),
]
CONV_RATE = Doc("""
    Initial learning rate, which the ``schedule`` of the solver lowers. The gradient of
    a filter is a sum over all positions. Adam divides it by its magnitude; with "sgd",
    steps are shortened if there are many positions.
""")


class MachineOptions(FitOptions):
    """Options of machines with one hidden layer.

    Parameters
    ----------
    n_iter
        Number of epochs.
    gradient
        Sampler of the negative phase: contrastive divergence ("cd"), whose chains start
        at the data; or persistent contrastive divergence ("pcd"), whose chains continue
        from the previous update. Persistent chains may also have fast weights ("fpcd"),
        or exchange states with chains at higher temperatures ("tempering").
    centering
        Offsets of the centered gradient [6]_, which are means of visible and hidden
        units: the means at the start of training ("start"), running means in the
        positive phase ("data"), or running averages of the means in both phases
        ("moving"). None: the plain gradient, or "data" for layers so wide that its
        steps would overshoot (with the default options, more than 640 hidden units).

    Attributes
    ----------
    h_samples_ : ndarray of shape (n_chains, n_components)
        Hidden units of the training chains.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains. "cd" has no persistent chains: these are
        then chains of an earlier fit or draws from the initial model.
    swap_rates_ : ndarray of shape (n_temperatures - 1,)
        For "tempering": recent swap rates between neighboring temperatures,
        starting at the model's own temperature.
    log_Z_ : float
        Log partition function, computed at first access.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 if ``log_Z_`` is exact.
    loss_curve_ : list of float
        Negative pseudo-likelihood of the training rows for each epoch, in nats per row,
        estimated from some units of some rows.
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
        Type of the columns. "auto": read from the data, as described in the guide, page
        "How columns are read"; "bernoulli": values in [0, 1]; "gaussian": real numbers
        of any scale, which are standardized internally.
    gradient
        Sampler of the negative phase, whose chains continue from the previous update:
        Gibbs sampling of the model ("pcd"), Gibbs sampling with fast weights added
        ("fpcd"), or parallel tempering ("tempering").
    negative
        Statistics of the negative phase. "samples": the states of the chains, with the
        means of odd layers given the others. "means": also the means of even layers,
        by one step of mean field from these states.
    mean_field_steps
        Maximum number of mean-field sweeps for each row of a batch. With the gradient
        "multi-prediction" of :class:`~skdgm.DBM`, the exact number.
    centering
        Offsets of the centered gradient [3]_, as in :class:`BernoulliRBM`. With the
        plain gradient (None), layers far from the data hardly learn unless they are
        pre-trained.
    pretrain
        Initial weights: small random numbers (None), or the weights of pairs of layers
        trained one after the other by contrastive divergence ("layerwise"). In a pair,
        the input of a layer with neighbors on both sides is doubled [1]_.
    inference_steps, inference_tol : int, float
        Maximum number of mean-field sweeps for features and likelihoods, and the change
        of a row's means below which the sweeps stop.
    feature_layer : int, tuple of int or "all"
        Hidden layers whose means :meth:`transform` returns: 0 is the first, -1 the
        last. ``feature_layer``, ``inference_steps`` and ``inference_tol`` may be
        changed after ``fit``.

    Attributes
    ----------
    h_samples_ : list of ndarray
        Hidden units of the training chains, layer by layer.
    chains_ : ndarray of shape (n_chains, n_features)
        Visible units of the training chains.
    loss_curve_ : list of float
        Negative log-likelihood of training rows for each epoch, in nats per row,
        estimated from some visible units, each given the other visible units and the
        mean-field means of the second hidden layer.
    n_iter_ : int
        Number of completed epochs in which all layers were trained together.
    pretrain_loss_curves_ : list of list of float
        For each pair of layers and each epoch, the negative log-likelihood of some rows
        given the layer above, in nats; empty without ``pretrain``.
    """

    _: KW_ONLY
    column_types: Annotated[
        Literal["auto", "bernoulli", "gaussian"] | Columns, GrayDetails
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
