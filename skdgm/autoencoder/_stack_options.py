"""Options of stacks of autoencoders."""

from typing import Annotated, Literal

from skdgm.autoencoder._corruption import CorruptionKind
from skdgm.autoencoder._reconstruction_estimator import ReconstructionEstimator
from skdgm.base.common_groups import Pretraining, PretrainingDetails
from skdgm.base.common_options import ColumnTypes, TableDetails
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
    Share,
)
from skdgm.data import columns_as_asked
from skdgm.nets.options import Activation, NetSolver
from skdgm.stacks.model import lowest_domain

# Names of details of tables.
TABLES = "missing_pattern", "min_categories", "min_frequency", "max_categories"
TABLES += ("handle_unknown",)


class DenoisingLayer(OptionGroup):
    """Denoising autoencoders as the layers of a stack; "auto" is the stack's default.

    Parameters
    ----------
    corruption
        Corruption of the inputs of each layer: normal noise; missing entries
        ("masking"); or extreme values, as of :class:`~skdgm.DenoisingAutoencoder`.
    corruption_level : {"auto"}, float or tuple of float, default="auto"
        Standard deviation of normal noise, or probability that an entry is corrupted; a
        tuple has a value for each layer.

    Examples
    --------
    >>> from skdgm import StackedAutoencoder
    >>> from skdgm.options import DenoisingLayer
    >>> StackedAutoencoder(layer=DenoisingLayer(corruption_level=0.1))
    StackedAutoencoder(layer=DenoisingLayer(corruption_level=0.1))
    """

    STANDS_FOR = "denoising"

    _: KW_ONLY
    corruption: CorruptionKind | Auto = "auto"
    corruption_level: NotNegative | tuple | Auto = "auto"


class ContractiveLayer(OptionGroup):
    """Contractive autoencoders as the layers of a stack, whose codes change little with
    the inputs; "auto" is the stack's default.

    Parameters
    ----------
    contraction : {"auto"}, float or tuple of float, default="auto"
        Weight of the penalty of derivatives of codes, in nats, as of
        :class:`~skdgm.ContractiveAutoencoder`; a tuple has a value for each layer.

    Examples
    --------
    >>> from skdgm import StackedAutoencoder
    >>> from skdgm.options import ContractiveLayer
    >>> StackedAutoencoder(layer=ContractiveLayer(contraction=0.5))
    StackedAutoencoder(layer=ContractiveLayer(contraction=0.5))
    """

    STANDS_FOR = "contractive"

    _: KW_ONLY
    contraction: NotNegative | tuple | Auto = "auto"


class LayerDetails(Details):
    """Details of autoencoders that are layers."""

    corruption: CorruptionKind = "masking"
    corruption_level: NotNegative | tuple = 0.3
    contraction: NotNegative | tuple = 0.1


class LayerSolverDetails(Details):
    """Details of their optimisers."""

    schedule: Literal["constant", "invscaling", "linear"] = "linear"
    momentum: Share = 0.9
    clip_norm: Positive | None = None


class StackStructure(Options):
    """Options of the structure of a stack, and methods of its layers.

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
    layer: Annotated[
        Literal["denoising", "contractive", "plain"]
        | DenoisingLayer
        | ContractiveLayer,
        LayerDetails,
    ] = "denoising"
    activation: Activation = "logistic"
    tied: bool = True
    column_types: Annotated[ColumnTypes, TableDetails] = "auto"
    layers: list | None = None

    sample, impute = ReconstructionEstimator.sample, ReconstructionEstimator.impute
    reconstruction_error = ReconstructionEstimator.reconstruction_error

    @property
    def _asked_domain(self):
        options = self._options
        if options.layers is None:
            return columns_as_asked(options)
        return lowest_domain(options, ReconstructionEstimator)


class StackTraining(Options):
    """Options of the training of each layer, as of :class:`DenoisingAutoencoder`.

    Parameters
    ----------
    n_iter : int, tuple of int or "auto"
        Number of epochs, of every layer or one value for each; "auto": 3,500 updates,
        but between 20 and 100 epochs.
    learning_rate, batch_size : default=those of the layers
        Options of every layer, as of :class:`DenoisingAutoencoder`; a tuple gives one
        value for each.
    solver
        Optimiser of every layer: "adam" and "rmsprop" scale steps by the recent size of
        gradients.
    alpha, early_stopping, validation_fraction, n_iter_no_change, tol : \
            default=those of the layers
        Options of every layer, as of :class:`DenoisingAutoencoder`.
    """

    _: KW_ONLY
    n_iter: CountOrZero | tuple | Auto = "auto"
    learning_rate: Positive | tuple = 0.003
    batch_size: Count | tuple = 100
    solver: Annotated[NetSolver, LayerSolverDetails] = "adam"
    alpha: NotNegative = 0.0
    early_stopping: bool = False
    validation_fraction: Fraction = 0.1
    n_iter_no_change: Count = 10
    tol: NotNegative = 1e-3


class StackPretrainingDetails(PretrainingDetails):
    """Details of training autoencoders layer by layer."""

    pretrain_learning_rate: Positive | tuple = 0.003
    pretrain_batch_size: Count | tuple = 100


StackPretraining = Annotated[
    Literal["layerwise"] | Pretraining,
    StackPretrainingDetails,
    Doc("""
        Training of the layers one after the other, before the net is fine-tuned.
        ``n_iter`` "auto" makes 3,500 updates of each, but between 20 and 100 epochs; a
        layer with 0 epochs starts from random weights, as in an ordinary net.
    """),
]
TunedLayers = Annotated[
    list | None,
    Doc(
        """
        A stack of autoencoders given explicitly, as in :class:`StackedAutoencoder`, in
        place of all options that describe one and its pre-training. Their parameters
        can be set as ``name__parameter``.
        """,
        "list of (str, autoencoder) or None",
    ),
]
