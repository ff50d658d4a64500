"""Options that machines share."""

from typing import Literal

from skdgm.base.column_group import Columns
from skdgm.base.common_groups import Pretraining
from skdgm.base.common_options import FitOptions
from skdgm.base.options import (
    KW_ONLY,
    Auto,
    Count,
    CountOrZero,
    NotNegative,
    Options,
    Positive,
    Probability,
    Several,
    within,
)
from skdgm.base.solvers import SGD, Adam
from skdgm.boltzmann.groups import FPCD, PCD, Filters, Penalty, Phase, Tempering


class ModelOptions(Options):
    """Options that models of machines read, where an estimator lacks them."""

    column_types: str = "bernoulli"
    quadratic: bool = False
    mean_field_steps: int = 50
    negative: str = "samples"


class MarkovChainOptions(FitOptions):
    """Options of machines that learn from Markov chains.

    Parameters
    ----------
    n_iter
        Number of epochs.
    gradient
        Chains of the negative phase: they start where the last update left them
        (persistent contrastive divergence, "pcd"), or at the data (contrastive
        divergence, "cd"). Persistent chains may have fast weights ("fpcd"), or exchange
        states with hotter ones (parallel tempering, "tempering").
    solver
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    penalty
        Penalties and limits of the weights, and a target of the activity of hidden
        units; None leaves them at the defaults below.

    Attributes
    ----------
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    """

    _: KW_ONLY
    n_iter: CountOrZero = 20
    gradient: Literal["pcd", "cd", "fpcd", "tempering"] | Phase = "pcd"
    n_steps: int | tuple = within("gradient", 1)
    n_chains: Count | None = within("gradient", 50)
    n_temperatures: Several = within("gradient", 10)
    solver: Literal["sgd", "adam"] | SGD | Adam = "sgd"
    penalty: Penalty | None = None
    momentum: float | tuple = within("solver", 0.0)
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] = within(
        "solver", "linear"
    )
    l1: NotNegative = within("penalty", 0.0)
    l2: NotNegative = within("penalty", 0.0)
    max_norm: Positive | None = within("penalty", None)
    batch_size = 10
    n_iter_no_change = 5
    learning_rate = 0.1


class MachineOptions(MarkovChainOptions):
    """Options of machines on one table.

    Parameters
    ----------
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
    """

    _: KW_ONLY
    fast_learning_rate: Positive | None = within("gradient", None)
    centering: Literal["start", "data", "moving"] | None = None
    sparsity_target: Probability | None = within("penalty", None)
    sparsity_cost: NotNegative = within("penalty", 0.1)
    resample: bool = within("column_types", False)
    init_biases: Literal["marginals", "zeros"] = within("solver", "marginals")


class RealOptions(Options):
    """Details of real columns, in :class:`~skdgm.options.Columns`."""

    _: KW_ONLY
    precision: Literal["diagonal", "scalar", "fixed"] = within(
        "column_types", "diagonal"
    )
    min_variance: Probability = within("column_types", 0.05)


class QuadraticOptions(RealOptions):
    r"""Options of machines of real columns and one hidden layer.

    Parameters
    ----------
    quadratic
        If True, train with an energy to which :math:`\tfrac12 \sum_i \beta_i W_{ij}^2`
        is added for each hidden unit that is on, which penalises large weights. The
        fitted attributes are those of the plain energy.
    """

    _: KW_ONLY
    quadratic: bool = False


class ImageOptions(Options):
    """Options of convolutional machines.

    Parameters
    ----------
    image_shape : tuple of int or None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    filters
        Filters, and how their maps are pooled; None leaves them at the defaults below.
    learning_rate
        Initial learning rate, which ``schedule`` of the solver lowers. The gradient of
        a filter is a sum over all positions, which Adam divides by its size; with
        "sgd", steps are shortened where there are many.
    features
        Features that ``transform`` returns, and ``inverse_transform`` takes:
        probabilities of pooled or of detection units.

    Attributes
    ----------
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        Of real columns: precisions given the hidden units, and what standardises them.
    """

    _: KW_ONLY
    filters: Filters | None = None
    filter_shape: Count | tuple | None = within("filters", None)
    pool_shape: Count | tuple | None = within("filters", None)
    stride: Count | tuple = within("filters", 1)
    image_shape: tuple | list | None = None
    padding: Literal["valid", "same"] = within("filters", "valid")
    features: Literal["pooled", "detection"] = "pooled"
    precision: Literal["scalar", "fixed"] = within("column_types", "scalar")
    min_variance: Probability = within("column_types", 0.05)


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
    column_types: Literal["auto", "bernoulli", "gaussian"] | Columns = "auto"
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
