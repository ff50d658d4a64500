"""Options that models of directed layers read."""

from typing import Protocol, TypeVar

from skdgm.latent.model_options import LatentOptions
from skdgm.training.objective import TrainingOptions


class BitLayersOptions(LatentOptions, Protocol):
    """Options that models of binary layers read."""

    hidden_layer_sizes: int | tuple
    autoregressive: bool | str = False
    gradient_draws: int | None = None
    n_importance: int | None = None
    ordering: str | tuple = "given"
    recognition_autoregressive: bool | str = False


class SigmoidBeliefOptions(BitLayersOptions, Protocol):
    """Options that sigmoid belief networks read."""

    baseline: str
    mean_field_steps: int
    n_steps: int
    normalize_signal: bool
    recognition_phase: str
    temperature: float


class HelmholtzOptions(BitLayersOptions, Protocol):
    """Options that a Helmholtz machine reads."""

    objective: str = "wake-sleep"


class GeometricOptions(BitLayersOptions, Protocol):
    """Options that a bidirectional Helmholtz machine reads."""

    objective: str = "rws"
    recognition_phase: str = "wake"


class CodingOptions(TrainingOptions, Protocol):
    """Options that spike-and-slab sparse coding reads."""

    n_components: int
    features: str
    learning_rate: float
    mean_field_steps: int
    min_variance: float
    prior_weight: float


BitLayersOptionsT = TypeVar("BitLayersOptionsT", bound=BitLayersOptions)
