"""Options that models of games between nets read."""

from typing import Protocol, TypeVar

from skdgm.implicit.model_options import GeneratorOptions


class GameOptions(GeneratorOptions, Protocol):
    """Options that all games read."""

    image_shape: tuple | list | None
    discriminator_layer_sizes: int | tuple | None
    discriminator_activation: str = "leaky_relu"
    discriminator_learning_rate: float | None = None
    n_discriminator_steps: int = 1
    loss: str
    gradient_penalty: float | str
    class_conditional: bool = False
    n_frequencies: int | str = "auto"
    penalty: str = "zero-centered"
    penalty_decay: float = 0.02
    penalty_interval: int = 2
    clip_weights: float | None = None
    label_smoothing: float = 0.0
    instance_noise: float = 0.0
    feature_matching: bool = False
    minibatch_kernels: int = 0
    packing: int = 1


class LabelGameOptions(GameOptions, Protocol):
    """Options that the game of a classifier reads."""

    discriminator_noise: float | tuple
    jitter: float
    unlabeled_weight: float
    class_conditional: bool = True
    gradient_penalty: float | str = 0.0
    loss: str = "non-saturating"
    n_frequencies: int | str = 0


class PyramidOptions(GameOptions, Protocol):
    """Options that games at several resolutions read."""

    n_levels: int
    n_frequencies: int | str = 0


class InfoGANOptions(GameOptions, Protocol):
    """Options that games with codes read."""

    code_variance: float | str
    information_weight: float
    jitter: float
    n_categories: int | tuple | None
    n_codes: int
    n_heads: int
    n_neighbors: int


class BiGANOptions(GameOptions, Protocol):
    """Options that games with an encoder read."""

    encoder_layer_sizes: int | tuple | None
    reconstruction_weight: float


GameOptionsT = TypeVar("GameOptionsT", bound=GameOptions)
