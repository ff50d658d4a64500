"""Options that models of deep belief networks read."""

from typing import Any, Protocol, TypeVar

from skdgm.stacks.model_options import StackModelOptions, TunedOptions


class BeliefNetworkOptions(StackModelOptions, Protocol):
    """Options that all deep belief networks read."""

    hidden_layer_sizes: Any
    gradient: str | tuple
    n_steps: int | tuple
    resample: bool
    samples: bool
    sparsity_cost: float | tuple
    sparsity_target: float | tuple | None
    init_layers: str = "transpose"
    refine: str | None = None
    refine_iter: int = 0
    refine_steps: int | tuple = 1
    refine_learning_rate: float
    visible_bias: str | None = None


class TunedBeliefOptions(TunedOptions, Protocol):
    """Options that nets initialized by a deep belief network read."""

    visible_bias: str | None = None


class MapsOptions(BeliefNetworkOptions, Protocol):
    """Options that convolutional deep belief networks read."""

    conv_layer_sizes: Any
    filter_shape: int | tuple | None
    image_shape: tuple | list | None
    padding: str
    pool_shape: int | tuple | None
    pooling: str | tuple
    stride: int | tuple
    # There is no joint refinement.
    refine_learning_rate: float = 0.0
    n_iter_no_change: int = 0
    tol: float = 0.0
    validation_fraction: float = 0.0


BeliefNetworkOptionsT = TypeVar("BeliefNetworkOptionsT", bound=BeliefNetworkOptions)
