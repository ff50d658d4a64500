"""Options that models of autoencoders read."""

from typing import Any, Protocol, TypeVar

from skdgm.latent.model_options import LatentOptions
from skdgm.nets.objective import NetOptions
from skdgm.stacks.model_options import StackModelOptions


class ReconstructionOptions(NetOptions, Protocol):
    """Options that all models of reconstructions read."""

    n_components: int
    hidden_layer_sizes: int | tuple
    conv_layer_sizes: int | tuple
    image_shape: tuple | list | None
    activation: str
    code_activation: str | None
    tied: bool
    init_weights: str
    variance: float | str
    min_variance: float
    min_categories: Any
    contraction: float = 0.0
    corruption: str = "gaussian"
    corruption_level: float = 0.0
    n_active: int | None = None
    n_draws: int | None = None
    sparsity: float = 0.0
    walkback: int = 0


class PredictabilityMinimizationOptions(ReconstructionOptions, Protocol):
    """Options that the minimization of predictability reads."""

    codes: str
    n_predictor_steps: int
    predictor_layer_sizes: int | tuple
    reconstruction: float
    code_activation: str | None = "logistic"


class GSNOptions(ReconstructionOptions, Protocol):
    """Options that generative stochastic networks read."""

    noise_after: float | tuple
    noise_before: float | tuple
    n_components: Any = None
    code_activation: str | None = None
    conv_layer_sizes: int | tuple = ()
    image_shape: tuple | list | None = None


class LabeledGSNOptions(GSNOptions, Protocol):
    """Options that generative stochastic networks of labels read."""

    generative_weight: float
    label_corruption: float


class AutoencoderOptions(LatentOptions, Protocol):
    """Options that variational autoencoders read."""

    n_components: int | tuple
    hidden_layer_sizes: int | tuple
    conv_layer_sizes: int | tuple
    image_shape: tuple | list | None
    activation: str
    attribute_conditional: bool
    attribute_types: str | tuple | dict
    batch_norm: bool
    dropout: float
    inference: str
    n_couplings: int
    n_mixtures: int
    n_prior_components: int | str
    posterior: str
    prior: str


class DrawOptions(LatentOptions, Protocol):
    """Options that DRAW reads."""

    n_components: int
    cell: str
    image_shape: tuple | list | None
    n_glimpses: int
    n_recurrent: int
    read_size: int | None
    write_size: int | None


class LayersOptions(StackModelOptions, Protocol):
    """Options that stacks of autoencoders read."""

    hidden_layer_sizes: Any
    activation: str
    contraction: float | tuple
    corruption: str
    corruption_level: float | tuple
    layer_type: str
    tied: bool
    handle_unknown: str
    max_categories: int | None
    min_categories: Any
    min_frequency: float | None


ReconstructionOptionsT = TypeVar("ReconstructionOptionsT", bound=ReconstructionOptions)
GSNOptionsT = TypeVar("GSNOptionsT", bound=GSNOptions)
