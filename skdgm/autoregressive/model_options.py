"""Options that autoregressive models read."""

from typing import Any, Protocol, TypeVar

from skdgm.nets.objective import NetOptions


class AutoregressiveOptions(NetOptions, Protocol):
    """Options that all autoregressive models read."""

    ordering: str | tuple = "given"
    min_categories: Any = 2
    min_variance: float
    conditional: str = "gaussian"
    n_mixtures: int = 1


class OrderedOptions(AutoregressiveOptions, Protocol):
    """Options that models of one order or several orders read."""

    n_orderings: int


class NetChainOptions(OrderedOptions, Protocol):
    """Options that nets of one order or several orders read."""

    n_components: int
    activation: str
    init_weights: str


class GroupOptions(NetChainOptions, Protocol):
    """Options that nets with a group of units for each column read."""

    direct: bool


class RealChainOptions(NetChainOptions, Protocol):
    """Options that nets of real columns read."""

    column_types: str = "gaussian"


class MaskedOptions(AutoregressiveOptions, Protocol):
    """Options that nets with masks read."""

    hidden_layer_sizes: int | tuple
    activation: str
    direct: bool
    init_weights: str
    n_masks: int


class OrderlessOptions(AutoregressiveOptions, Protocol):
    """Options that nets of all orders read."""

    hidden_layer_sizes: int | tuple
    activation: str
    dropout: float
    init_weights: str
    learned_steps: str
    n_steps: int


AutoregressiveOptionsT = TypeVar("AutoregressiveOptionsT", bound=AutoregressiveOptions)
