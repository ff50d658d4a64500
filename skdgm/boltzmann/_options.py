"""Options that machines share."""

from typing import Literal

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
)


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
    n_steps : int or tuple of int
        Number of Gibbs steps of these chains in each update. The values of a tuple
        share the epochs evenly, in order.
    n_chains
        Number of persistent chains; ``batch_size`` if None.
    n_temperatures
        Number of temperatures for "tempering", with ``n_chains`` chains at each.
    solver
        Stochastic gradient descent, or Adam, which divides the gradient by its recent
        size, parameter by parameter.
    momentum : float or tuple of float
        Momentum coefficient (for "adam" the first beta). The values of a tuple share
        the epochs evenly, in order.
    schedule
        The learning rate after t of T epochs is ``learning_rate`` times 1,
        ``1 / (1 + t) ** power_t``, ``1 - t / T`` or ``min(1, 5 * (1 - t / T))``.
    l1, l2
        Penalties on the weights: l1 times the sum of their absolute values and l2 / 2
        times the sum of their squares are subtracted from the log-likelihood per row.
    max_norm
        Maximum norm of the weights of each hidden unit.

    Attributes
    ----------
    validation_curve_ : list of float
        ``loss_curve_`` of held-out rows, with ``early_stopping``.
    """

    _: KW_ONLY
    n_iter: CountOrZero = 20
    gradient: Literal["pcd", "cd", "fpcd", "tempering"] = "pcd"
    n_steps: int | tuple = 1
    n_chains: Count | None = 50
    n_temperatures: Several = 10
    solver: Literal["sgd", "adam"] = "sgd"
    momentum: float | tuple = 0.0
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] = "linear"
    l1: NotNegative = 0.0
    l2: NotNegative = 0.0
    max_norm: Positive | None = None
    batch_size = 10
    n_iter_no_change = 5
    learning_rate = 0.1


class MachineOptions(MarkovChainOptions):
    """Options of machines on one table.

    Parameters
    ----------
    fast_learning_rate
        Learning rate of the fast weights for "fpcd", which decay by a twentieth in each
        update; the initial ``learning_rate`` if None.
    centering
        If not None, use the centred gradient [6]_, whose offsets are means of visible
        and hidden units: those at the start of training, running means in the positive
        phase ("data"), or running averages of the means in both phases ("moving"). None
        is the plain gradient, but "data" for layers so wide that its steps overshoot:
        of more than 640 hidden units by default.
    sparsity_target
        Target for the mean of each hidden unit. If not None, the cross entropy of this
        and the running mean, times ``sparsity_cost``, is subtracted from the objective.
    sparsity_cost
        Weight of the sparsity term; see ``sparsity_target``.
    resample
        If True, draw the bits of grey values anew at each presentation. If False, use
        grey values as they are.
    init_biases
        Initial visible biases: those with which independent units have the means of the
        data, or zeros. Initial weights are normal with standard deviation 0.01.

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
    fast_learning_rate: Positive | None = None
    centering: Literal["start", "data", "moving"] | None = None
    sparsity_target: Probability | None = None
    sparsity_cost: NotNegative = 0.1
    resample: bool = False
    init_biases: Literal["marginals", "zeros"] = "marginals"


class RealOptions(Options):
    """Options of machines for real columns.

    Parameters
    ----------
    precision
        Precisions of real columns given the hidden units: one learned for each column,
        one learned for all standardised columns, or fixed at the inverse variances of
        the columns.
    min_variance
        Lower limit of a real column's learned variance given the hidden units, as a
        share of the column's variance. Columns that reach it are named in a warning.
        The lower it is, the sooner the chains of long fits stop mixing.
    """

    _: KW_ONLY
    precision: Literal["diagonal", "scalar", "fixed"] = "diagonal"
    min_variance: Probability = 0.05


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
    filter_shape : int, tuple of int or None
        Rows and columns of the filters, or one number for both (of which an image of
        one row takes one row). None is a third of the image's side, between 4 and 15
        pixels, and what more leaves an even number of positions, where these are many;
        at most the whole side.
    pool_shape : int, tuple of int or None
        Rows and columns of positions in a block, or one number for both. It must divide
        the numbers of positions. None is 2 along a side with an even number of at least
        8 positions, else 1. With 1, all detection units are independent given the
        image.
    stride : int or tuple of int
        Steps down and to the right from a position of the filters to the next, or one
        number for both (along a side of one pixel, 1).
    image_shape : tuple of int or None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    padding
        Whether filters stay within the images or maps that they see, or are centred at
        each of their pixels, with zeros around them.
    learning_rate
        Initial learning rate; see ``schedule``. The gradient of a filter is a sum over
        all positions, which Adam divides by its size; with "sgd", steps are shortened
        where there are many.
    max_norm
        Maximum norm of the weights of each filter, for real columns in their standard
        deviations given the hidden units.
    init_biases
        Initial biases of binary visible units: those with which independent units have
        the means of the data, or zeros. Initial weights are normal with standard
        deviation 0.1, or less of many maps, and a tenth of the blocks is on at first.
    features
        Features that ``transform`` returns, and ``inverse_transform`` takes:
        probabilities of pooled or of detection units.
    precision
        Precision of real units given the hidden ones: one learned for all standardised
        columns, or fixed at the inverse variances of the columns.
    min_variance
        Lower limit of real units' learned variance given the hidden units, as a share
        of the columns' variance.

    Attributes
    ----------
    precision_, mean_, scale_ : ndarray of shape (n_features,)
        Of real columns: precisions given the hidden units, and what standardises them.
    """

    _: KW_ONLY
    filter_shape: Count | tuple | None = None
    pool_shape: Count | tuple | None = None
    stride: Count | tuple = 1
    image_shape: tuple | list | None = None
    padding: Literal["valid", "same"] = "valid"
    features: Literal["pooled", "detection"] = "pooled"
    precision: Literal["scalar", "fixed"] = "scalar"
    min_variance: Probability = 0.05


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
    sparsity_target : float, tuple of float or None
        Target for the mean of each hidden unit: one for all layers, or one for each.
    pretrain
        Initial weights: small random numbers, or those of pairs of layers trained one
        after the other by contrastive divergence, with twice the input for layers that
        have neighbours on both sides in the machine [1]_.
    pretrain_iter, pretrain_learning_rate, pretrain_steps : int, float or tuple
        Number of epochs, learning rate and number of Gibbs steps of each pair. A tuple
        has one value for each pair; for ``pretrain_steps`` such a value may itself be a
        tuple, whose values share the epochs.
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
    column_types: Literal["auto", "bernoulli", "gaussian"] = "auto"
    gradient: Literal["pcd", "fpcd", "tempering"] = "pcd"
    negative: Literal["samples", "means"] = "samples"
    mean_field_steps: Count = 10
    sparsity_target: Probability | tuple | None = None
    pretrain: Literal["layerwise"] | None = None
    pretrain_iter: CountOrZero | tuple = 10
    pretrain_learning_rate: Positive | tuple = 0.05
    pretrain_steps: Count | tuple = 1
    inference_steps: Count = 50
    inference_tol: NotNegative = 1e-3
    feature_layer: int | tuple | Literal["all"] = "all"
    n_iter: CountOrZero | Auto = "auto"
    centering = "data"
    resample = True
