"""Options that models of stacks read."""

from typing import Any, Protocol, TypeVar

from skdgm.base.model import ModelOptions


class StackOptions(ModelOptions, Protocol):
    """Options that all stacks read."""

    layers: list | None
    feature_layer: int | str | tuple
    verbose: Any


class TunedOptions(ModelOptions, Protocol):
    """Options that all fine-tuned nets read."""

    dropout: float | tuple
    layers: list | None


StackOptionsT = TypeVar("StackOptionsT", bound=StackOptions)
TunedOptionsT = TypeVar("TunedOptionsT", bound=TunedOptions)
