"""Options that models of stacks read."""

from typing import Any, Protocol, TypeVar

from skdgm.base.model import ModelOptions


class StackModelOptions(ModelOptions, Protocol):
    """Options that all stacks read."""

    layers: list | None
    feature_layer: int | str | tuple
    verbose: Any


class TunedOptions(ModelOptions, Protocol):
    """Options that all fine-tuned nets read."""

    dropout: float | tuple
    layers: list | None


StackModelOptionsT = TypeVar("StackModelOptionsT", bound=StackModelOptions)
TunedOptionsT = TypeVar("TunedOptionsT", bound=TunedOptions)
