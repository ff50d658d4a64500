"""Options of stacks of autoencoders."""

from typing import Literal

from skdgm.autoencoder._corruption import CorruptionKind
from skdgm.base.common_options import CategoryOptions, ColumnTypes, TableOptions
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
    Share,
)
from skdgm.nets.options import Activation
from skdgm.stacks import PretrainedOptions

# Names of options of tables.
TABLES = *CategoryOptions._own_options, *TableOptions._own_options


class StackStructure(TableOptions):
    """Options that say what a stack is made of.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Number of hidden units of each layer, from the bottom up.
    layer
        Kind of every layer: :class:`DenoisingAutoencoder`,
        :class:`ContractiveAutoencoder`, or a plain :class:`Autoencoder`.
    activation
        Activation function of hidden units. Layers above the first reconstruct
        "logistic" ones as probabilities of bits, all others as real numbers.
    corruption
        Corruption of the inputs of each "denoising" layer, as of
        :class:`DenoisingAutoencoder`.
    corruption_level : float or tuple of float
        Its level; a tuple gives one value for each layer.
    contraction : float or tuple of float
        Weight of the penalty of each "contractive" layer, as of
        :class:`ContractiveAutoencoder`; a tuple gives one value for each layer.
    tied
        If True, decoders have the weights of their encoders, transposed.
    column_types
        Kind of the columns: "auto", read from the data, or one of those of
        :class:`~skdgm.VAE`.
    layers : list of (str, autoencoder) or None
        A stack of autoencoders given explicitly, as the steps of a Pipeline are, in
        place of all options that describe one and its training: of any of these
        classes, with ``hidden_layer_sizes=()``. Clones of them are fitted. Their
        parameters can be set as ``name__parameter``.
    """

    hidden_layer_sizes: ArrayLike | Count = (256, 256)
    _: KW_ONLY
    layer: Literal["denoising", "contractive", "plain"] = "denoising"
    activation: Activation = "logistic"
    corruption: CorruptionKind = "masking"
    corruption_level: NotNegative | tuple = 0.3
    contraction: NotNegative | tuple = 0.1
    tied: bool = True
    column_types: ColumnTypes = "auto"
    layers: list | None = None


class StackTraining(Options):
    """Options of the training of each layer, as of :class:`DenoisingAutoencoder`.

    Parameters
    ----------
    n_iter : int, tuple of int or "auto"
        Number of epochs, of every layer or one value for each; "auto": 3,500 updates,
        but between 20 and 100 epochs.
    learning_rate, batch_size, solver, alpha, schedule, momentum, clip_norm, \
            early_stopping, validation_fraction, n_iter_no_change, tol : \
            default=those of the layers
        Training options of every layer, as of :class:`DenoisingAutoencoder`; of the
        first two a tuple gives one value for each layer.
    """

    _: KW_ONLY
    n_iter: CountOrZero | tuple | Auto = "auto"
    learning_rate: Positive | tuple = 0.003
    batch_size: Count | tuple = 100
    solver: Literal["adam", "rmsprop", "sgd"] = "adam"
    alpha: NotNegative = 0.0
    schedule: Literal["constant", "invscaling", "linear"] = "linear"
    momentum: Share = 0.9
    clip_norm: Positive | None = None
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    n_iter_no_change: Count = 10
    tol: NotNegative = 1e-3


class TunedStackOptions(StackStructure, PretrainedOptions):
    """Options of stacks of autoencoders that are fine-tuned.

    Parameters
    ----------
    layers : list of (str, autoencoder) or None
        A stack of autoencoders given explicitly, as in :class:`StackedAutoencoder`, in
        place of all options that describe one and its pre-training. Their parameters
        can be set as ``name__parameter``.
    pretrain_iter : int, tuple of int or "auto"
        Epochs of pre-training, of every layer or one value for each; "auto": 3,500
        updates, but between 20 and 100 epochs. A layer with 0 epochs starts from random
        weights, as in an ordinary net.
    pretrain_learning_rate, pretrain_batch_size : default=those of StackedAutoencoder
        Options ``learning_rate`` and ``batch_size`` of pre-training; a tuple gives one
        value for each layer.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, those of the output layer last; inputs are standardised real
        columns, bits, and indicators of categories.
    stack_ : StackedAutoencoder
        Pre-trained stack, as which :meth:`reconstruction_error`, :meth:`score_samples`,
        :meth:`sample` and :meth:`impute` reconstruct rows.
    density_kind_ : str
        Kind of :meth:`score_samples`: "estimate".
    column_types_ : dict
        How each column is read, by its name (or number): a
        :class:`~skdgm.data.ColumnType`. It prints a line for each column.
    density_ : Density
        That of ``stack_``.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X has some.
    """

    _: KW_ONLY
    pretrain_learning_rate = 0.003
    pretrain_batch_size = 100
