"""Options that the model of flows reads."""

from typing import Protocol

from skdgm.nets.objective import NetOptions


class FlowOptions(NetOptions, Protocol):
    """Options that flows read."""

    hidden_layer_sizes: int | tuple
    layer_type: str
    n_layers: int
    n_bins: int
    linear: str
    activation: str
    base: str
    autoregressive: bool
    attribute_conditional: bool
    dequantization: str | None
    bounds: tuple | dict | None
    attribute_types: str | tuple | dict
    column_types: str = "gaussian"
