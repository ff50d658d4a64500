"""Options that models of moment matching read."""

from typing import Any, Protocol

from skdgm.implicit.model_options import GeneratorOptions


class MatchingOptions(GeneratorOptions, Protocol):
    """Options that moment matching reads."""

    autoencoder_layer_sizes: int | tuple | None
    bandwidths: Any
    square_root: bool
    average: float | bool = False
