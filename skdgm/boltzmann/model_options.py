"""Options that models of Boltzmann machines read."""

from typing import Any, Protocol, TypeVar

from skdgm.base.model import ModelOptions


class EnergyOptions(ModelOptions, Protocol):
    """Options of all Boltzmann machines."""

    solver: str
    learning_rate: float
    momentum: float | tuple
    gradient: str
    n_steps: int | tuple
    n_temperatures: int = 1
    l1_ratio: float = 0.0
    centering: str | None
    precision: str | None = None
    min_variance: float | None = None
    column_types: Any = "bernoulli"
    fast_learning_rate: float | None = None
    init_biases: str = "marginals"
    max_norm: float | None = None
    mean_field_steps: int = 50
    negative: str = "samples"
    quadratic: bool = False
    resample: bool = False
    sparsity_cost: float = 0.1
    sparsity_target: float | tuple | None = None


class RestrictedOptions(EnergyOptions, Protocol):
    """Options of restricted Boltzmann machines."""

    n_components: int


class RealOptions(RestrictedOptions, Protocol):
    """Options of restricted Boltzmann machines with real columns."""

    column_types: Any = "gaussian"


class ConvolvedOptions(RestrictedOptions, Protocol):
    """Options of convolutional restricted Boltzmann machines."""

    features: str
    filter_shape: int | tuple | None
    image_shape: tuple | list | None
    padding: str
    pool_shape: int | tuple | None
    pooling: str
    stride: int | tuple
    visible_bias: str


class DeepMachineOptions(EnergyOptions, Protocol):
    """Options of deep Boltzmann machines."""

    hidden_layer_sizes: Any = None
    feature_layer: int | str | tuple
    pretrain: str | None
    pretrain_iter: int | tuple
    pretrain_learning_rate: float | tuple
    pretrain_steps: int | tuple


class ConvolvedDeepOptions(DeepMachineOptions, Protocol):
    """Options of convolutional deep Boltzmann machines."""

    conv_layer_sizes: Any
    features: str
    filter_shape: int | tuple | None
    image_shape: tuple | list | None
    padding: str
    pool_shape: int | tuple | None
    stride: int | tuple


class GraphOptions(EnergyOptions, Protocol):
    """Options of general Boltzmann machines."""

    edges: Any
    n_colors: int | str
    n_hidden: int
    positive: str


class TableOptions(EnergyOptions, Protocol):
    """Options of restricted Boltzmann machines with columns of any kind."""

    n_components: int
    hidden: str


class ConditionalOptions(TableOptions, Protocol):
    """Options of conditional machines."""

    condition_types: str | tuple | dict
    n_factors: int
    pairwise: bool
    gates: tuple | list | None = None
    init_conditions: str = "random"
    n_chains: int | None = 1
    n_lags: int = 0


class DocumentOptions(RestrictedOptions, Protocol):
    """Options of machines of documents."""

    column_types: Any = None
    centering: str | None = "data"


class MovesOptions(ModelOptions, Protocol):
    """Options of machines of real columns with their own samplers."""

    learning_rate: float
    max_norm: float
    min_variance: float


class CovarianceOptions(MovesOptions, Protocol):
    """Options of mean-covariance machines."""

    n_mean: int
    n_covariance: int
    n_factors: int | None
    n_leapfrog: int


class SlabOptions(MovesOptions, Protocol):
    """Options of spike-and-slab machines."""

    n_components: int
    n_steps: int


EnergyOptionsT = TypeVar("EnergyOptionsT", bound=EnergyOptions)
RestrictedOptionsT = TypeVar("RestrictedOptionsT", bound=RestrictedOptions)
DeepMachineOptionsT = TypeVar("DeepMachineOptionsT", bound=DeepMachineOptions)
TableOptionsT = TypeVar("TableOptionsT", bound=TableOptions)
MovesOptionsT = TypeVar("MovesOptionsT", bound=MovesOptions)


def penalties_per_row(options: EnergyOptions) -> dict[str, float]:
    """Penalties ``l1`` and ``l2`` on the weights per row, for ``alpha`` per batch."""
    alpha: Any = options.alpha
    alpha = alpha / options.batch_size
    return {"l1": alpha * options.l1_ratio, "l2": alpha * (1 - options.l1_ratio)}
