"""Options that belief networks share."""

from typing import Literal

from skdgm.base.column_group import Columns
from skdgm.base.groups import OptionGroup
from skdgm.base.options import (
    KW_ONLY,
    ArrayLike,
    Auto,
    Count,
    CountOrZero,
    Fraction,
    NotNegative,
    Options,
    Positive,
    Probability,
    Several,
    within,
)
from skdgm.base.solvers import SGD, Adam
from skdgm.boltzmann.groups import Filters, Penalty, Phase
from skdgm.stacks import options as stacks


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


class NetworkOptions(Options):
    """Options of stacks of machines.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Number of hidden units of each layer, from the bottom up.
    column_types
        Kind of the columns. "auto": read from the data, as the guide's page "How
        columns are read" says; "bernoulli": 0, 1 or probabilities of 1; "gaussian":
        real numbers, standardised internally.
    layers : list of (str, machine) or None
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: BernoulliRBM, or at the bottom GaussianRBM.
        Clones of them are fitted. Their parameters can be set as ``name__parameter``.
    """

    hidden_layer_sizes: ArrayLike | Count = (256, 256)
    _: KW_ONLY
    column_types: Literal["auto", "bernoulli", "gaussian"] | Columns = "auto"
    layers: list | None = None


class LayerwiseOptions(NetworkOptions, stacks.LayerwiseOptions):
    """Options of networks that are learned layer by layer.

    Parameters
    ----------
    samples
        If True, a layer above the first learns from samples of the units below, drawn
        again at each presentation; if False, from their means.

    Attributes
    ----------
    layers_ : list of machines
        Fitted machines from the bottom up; refinement changes the last one only.
    coefs_ : list of ndarray of shape (n_below, n_above)
        Recognition weights of each layer.
    intercepts_ : list of ndarray of shape (n_above,)
        Recognition biases, of the units above.
    generative_coefs_ : list of ndarray of shape (n_above, n_below)
        Generative weights of each layer; without refinement the transposed recognition
        weights.
    generative_intercepts_ : list of ndarray of shape (n_below,)
        Generative biases, of the units below.
    log_Z_ : float
        Log partition function of the top-level machine, computed at first use.
    log_Z_se_ : float
        Standard error of ``log_Z_``; 0 where log Z is exact.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Meaning of :meth:`score_samples`: a lower bound, in expectation over draws, if
        log Z is exact, because one of the top-level machine's layers has at most 20
        units, otherwise an estimate of one. For a single layer, as for a BernoulliRBM.
    n_iter_ : int
        Total number of epochs, over all layers and refinement.
    """

    _: KW_ONLY
    resample: bool = within("column_types", True)
    samples: bool = True


class MapOptions(Options):
    """Options of stacks of convolutional machines.

    Parameters
    ----------
    conv_layer_sizes : int or tuple of int
        Number of filters of each layer of maps, from the bottom up.
    filters
        Filters of the layers of maps, and how maps are pooled, as of
        :class:`~skdgm.ConvRBM`; None leaves them at the defaults below. A tuple has one
        value for each layer of maps: of a shape a number, a pair of them (rows and
        columns), or None for the default.
    hidden_layer_sizes : int or tuple of int
        Numbers of units of layers above the maps that are connected to all of them, as
        in :class:`DBN`, from the bottom up; by default there are none.
    image_shape : tuple of int or None
        Height, width and perhaps channels of the images. None is a square of one
        channel, or else one row of pixels.
    layers : list of (str, machine) or None
        A stack of machines given explicitly, as the steps of a Pipeline are, in place
        of all parameters that describe one: ConvRBM, and above these perhaps
        BernoulliRBM. Clones of them are fitted, with the ``image_shape`` that the layer
        below gives. Their parameters can be set as ``name__parameter``.
    """

    conv_layer_sizes: ArrayLike | Count = (40, 40)
    _: KW_ONLY
    filters: Filters | None = None
    filter_shape: Count | tuple | None = within("filters", None)
    pool_shape: Count | tuple | None = within("filters", None)
    stride: Count | tuple = within("filters", 1)
    pooling: Literal["probabilistic", "max", "mean"] | tuple = within(
        "filters", "probabilistic"
    )
    hidden_layer_sizes: ArrayLike | Count = ()
    image_shape: tuple | list | None = None
    padding: Literal["valid", "same"] = within("filters", "valid")


class StackOptions(LayerwiseOptions):
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

    _: KW_ONLY
    learning_rate: Positive | tuple = 0.1
    batch_size: Count | tuple = 10
    n_iter: CountOrZero | tuple | Auto = "auto"
    gradient: Literal["pcd", "cd", "fpcd", "tempering"] | tuple | Phase = "pcd"
    n_steps: int | tuple = within("gradient", 1)
    n_chains: Count | tuple | None = within("gradient", 50)
    n_temperatures: Several | tuple = within("gradient", 10)
    fast_learning_rate: Positive | tuple | None = within("gradient", None)
    centering: Literal["start", "data", "moving"] | tuple | Auto | None = "auto"
    solver: Literal["sgd", "adam"] | tuple | SGD | Adam = "sgd"
    penalty: Penalty | None = None
    momentum: float | tuple = within("solver", 0.0)
    schedule: Literal["constant", "invscaling", "linear", "cooldown"] | tuple = within(
        "solver", "linear"
    )
    power_t: NotNegative | tuple = within("solver", 0.5)
    l1: NotNegative | tuple = within("penalty", 0.0)
    l2: NotNegative | tuple = within("penalty", 0.0)
    max_norm: Positive | tuple | Auto | None = within("penalty", "auto")
    sparsity_target: Probability | tuple | None = within("penalty", None)
    sparsity_cost: NotNegative | tuple = within("penalty", 0.1)
    early_stopping: bool | tuple = False
    validation_fraction: Fraction | tuple = 0.1
    n_iter_no_change: Count | tuple = 5
    tol: NotNegative | tuple = 1e-3
    init_layers: Literal["random", "transpose"] = "transpose"
    refine: Literal["up-down"] | UpDown | None = None
    refine_iter: CountOrZero = within("refine", 10)
    refine_learning_rate: Positive = within("refine", 0.01)
    refine_steps: int | tuple = within("refine", (3, 6, 10))


class TunedOptions(NetworkOptions, stacks.PretrainedOptions):
    """Options of networks that are fine-tuned after pre-training.

    Parameters
    ----------
    layers : list of (str, machine) or None
        A stack of machines given explicitly, as in :class:`DBN`, in place of all
        parameters that describe one and its pre-training. Their parameters can be set
        as ``name__parameter``.
    pretrain
        Training of the layers one after the other, as of a :class:`DBN`, before the net
        is fine-tuned. ``n_iter="auto"`` makes no more than 5,000 updates of a layer,
        unless these are fewer than 20 epochs, and else is as in :class:`DBN`. A layer
        with 0 epochs starts from random weights, as in an ordinary net.

    Attributes
    ----------
    dbn_ : DBN
        Pre-trained network, a density of the data: :meth:`sample`, :meth:`impute` and
        :meth:`score_samples` use it.
    log_Z_, log_Z_se_ : float
        Log partition function of the top-level machine of ``dbn_``, and its standard
        error.
    density_kind_ : {"exact", "lower bound", "estimate"}
        Meaning of :meth:`score_samples`, as for ``dbn_``.
    """

    _: KW_ONLY
    pretrain_gradient: Literal["pcd", "cd", "fpcd", "tempering"] | tuple = within(
        "pretrain", "pcd"
    )
    pretrain_steps: int | tuple = within("pretrain", 1)
