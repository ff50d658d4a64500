"""Stacks that are trained layer by layer, and nets initialized from stacks."""

from skdgm.stacks.classifier import TunedClassifier
from skdgm.stacks.model import Stack, StackModel
from skdgm.stacks.network import StackedNetwork
from skdgm.stacks.regressor import TunedRegressor
from skdgm.stacks.tuned import TunedModel, TunedNetwork

__all__ = [
    "Stack",
    "StackModel",
    "StackedNetwork",
    "TunedClassifier",
    "TunedModel",
    "TunedNetwork",
    "TunedRegressor",
]
