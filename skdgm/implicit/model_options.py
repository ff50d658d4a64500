"""Options that models of generators read."""

from typing import Protocol, TypeVar

from skdgm.nets.objective import NetOptions


class GeneratorOptions(NetOptions, Protocol):
    """Options that generators read."""

    n_components: int
    hidden_layer_sizes: int | tuple | None
    activation: str
    batch_norm: bool | str
    prior: str
    temperature: float
    n_draws: int
    dropout: float
    features: str = "discriminator"
    init_weights: str = "he_normal"
    output_noise: float = 0.0


GeneratorOptionsT = TypeVar("GeneratorOptionsT", bound=GeneratorOptions)
