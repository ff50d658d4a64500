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

# Options of the columns of tables.
TABLES = "missing_pattern", "min_categories", "min_frequency", "max_categories"
TABLES += ("handle_unknown",)


class DenoisingLayer(OptionGroup):
    """Denoising autoencoders as the layers of a stack.

    "auto" means the default of the stack.

    Parameters
    ----------
    corruption
        Corruption of the inputs of each layer: "gaussian", "masking" or
        "salt-and-pepper", as in :class:`~skdgm.DenoisingAutoencoder`.
    corruption_level : {"auto"}, float or tuple of float, default="auto"
        Standard deviation of normal noise, or probability that an entry is corrupted; a
        tuple has a value for each layer.

    See Also
    --------
    ContractiveLayer : Penalty in place of corruption.
    skdgm.StackedAutoencoder : Stack that takes the option.

    Examples
    --------
    >>> from skdgm import StackedAutoencoder
    >>> from skdgm.options import DenoisingLayer
    >>> StackedAutoencoder(layer_type=DenoisingLayer(corruption_level=0.1))
    StackedAutoencoder(layer_type=DenoisingLayer(corruption_level=0.1))
    """

    STANDS_FOR = "denoising"

    _: KW_ONLY
    corruption: CorruptionKind | Auto = "auto"
    corruption_level: NotNegative | tuple | Auto = "auto"


class ContractiveLayer(OptionGroup):
    """Contractive autoencoders as the layers of a stack.

    "auto" means the default of the stack.

    Parameters
    ----------
    contraction : {"auto"}, float or tuple of float, default="auto"
        Weight of the penalty on the Jacobian of codes, in nats, as in
        :class:`~skdgm.ContractiveAutoencoder`; a tuple has a value for each layer.

    See Also
    --------
    DenoisingLayer : Corruption in place of a penalty.
    skdgm.StackedAutoencoder : Stack that takes the option.

    Examples
    --------
    >>> from skdgm import StackedAutoencoder
    >>> from skdgm.options import ContractiveLayer
    >>> StackedAutoencoder(layer_type=ContractiveLayer(contraction=0.5))
    StackedAutoencoder(layer_type=ContractiveLayer(contraction=0.5))
    """

    STANDS_FOR = "contractive"

    _: KW_ONLY
    contraction: NotNegative | tuple | Auto = "auto"


class LayerDetails(Details):
    """Details of the layers of a stack."""

    corruption: CorruptionKind = "masking"
    corruption_level: NotNegative | tuple = 0.3
    contraction: NotNegative | tuple = 0.1


class LayerSolverDetails(Details):
    """Details of the optimizers of the layers."""

    schedule: Literal["constant", "invscaling", "linear"] = "linear"
    momentum: Share = 0.9
    clip_norm: Positive | None = None


class StackStructure(Options):
    """Options of the structure of a stack, and methods of its layers.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of int
        Number of hidden units of each layer, from the bottom up.
    layer_type
        Type of every layer: "denoising", a :class:`DenoisingAutoencoder`;
        "contractive", a :class:`ContractiveAutoencoder`; or "plain", an
        :class:`Autoencoder`.
    activation
        Activation function of hidden units. Layers above the first reconstruct
        "logistic" units as probabilities of bits, and other units as real numbers.
    tied
        If True, each decoder has the transposed weights of its encoder.
    column_types
        Type of the columns: "auto", inferred from the data, or a type as in
        :class:`~skdgm.VAE`.
    layers : list of (str, autoencoder) or None
        Explicit stack of autoencoders, like the steps of a Pipeline, which replaces all
        options that describe a stack and its training. Each autoencoder is of one of
        the classes above, with ``hidden_layer_sizes=()``. Clones of them are fitted.
        Their parameters can be set as ``name__parameter``.
    """

    hidden_layer_sizes: ArrayLike | Count = (256, 256)
    _: KW_ONLY
    layer_type: Annotated[
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
    def _requested_domain(self):
        options = self._options
        if options.layers is None:
            return columns_as_asked(options)
        return lowest_domain(options, ReconstructionEstimator)


class StackTraining(Options):
    r"""Options of the training of each layer.

    Parameters
    ----------
    n_iter : int, tuple of int or "auto"
        Number of epochs of every layer, or a tuple with a value for each; "auto": 3,500
        updates, but between 20 and 100 epochs.
    learning_rate, batch_size : default=those of the layers
        As in :class:`DenoisingAutoencoder`; a tuple has a value for each layer.
    solver
        Optimizer of every layer: "adam" and "rmsprop" scale steps by the recent
        magnitude of gradients.
    alpha, early_stopping, validation_fraction, n_iter_no_change, tol : \
            default=those of the layers
        As in :class:`DenoisingAutoencoder`, for every layer.
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
    """Details of layer-wise pretraining of autoencoders."""

    pretrain_learning_rate: Positive | tuple = 0.003
    pretrain_batch_size: Count | tuple = 100


StackPretraining = Annotated[
    Literal["layerwise"] | Pretraining,
    StackPretrainingDetails,
    Doc("""
        Greedy layer-wise training before the net is fine-tuned. ``n_iter`` "auto" makes
        3,500 updates of each layer, but between 20 and 100 epochs; a layer with 0
        epochs keeps its random initial weights.
    """),
]
TunedLayers = Annotated[
    list | None,
    Doc(
        """
        Explicit stack of autoencoders, as in :class:`StackedAutoencoder`, which
        replaces all options that describe a stack and its pretraining. Their parameters
        can be set as ``name__parameter``.
        """,
        "list of (str, autoencoder) or None",
    ),
]
