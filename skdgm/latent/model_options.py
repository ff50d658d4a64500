"""Options that models with layers of latent units read."""

from typing import Any, Protocol, TypeVar

from skdgm.nets.objective import NetOptions


class LatentOptions(NetOptions, Protocol):
    """Options that all models with layers of latent units read."""

    beta: float = 1.0
    feature_layer: Any = None
    free_bits: float = 0.0
    init_weights: str
    min_variance: float
    min_categories: Any = 2
    n_draws: int
    n_importance: int | None
    resample: bool
    variance: float | str
    warm_up: int = 0


LatentOptionsT = TypeVar("LatentOptionsT", bound=LatentOptions)
