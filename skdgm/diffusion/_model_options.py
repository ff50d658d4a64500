"""Options that the model of diffusions reads."""

from typing import Any, Protocol

from skdgm.nets.objective import NetOptions


class DiffusionOptions(NetOptions, Protocol):
    """Options that diffusions read."""

    hidden_layer_sizes: int | tuple
    conv_layer_sizes: int | tuple
    image_shape: tuple | list | None
    activation: str
    attribute_conditional: bool
    attribute_types: str | tuple | dict
    bits: str
    min_categories: Any
    n_frequencies: int | str
    weighting: str
