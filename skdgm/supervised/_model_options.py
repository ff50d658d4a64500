"""Options that the model of rows conditional on attributes reads."""

from typing import Any, Protocol

from skdgm.nets.objective import NetOptions


class AttributeOptions(NetOptions, Protocol):
    """Options that nets from attributes to rows read."""

    hidden_layer_sizes: int | tuple
    conv_layer_sizes: int | tuple
    image_shape: tuple | list | None
    activation: str
    attribute_types: str | tuple | dict
    dropout: float
    init_weights: str
    min_categories: Any
    min_variance: float
    upsampling: str
    variance: float | str
