"""Conditional models of rows given known attributes."""

from skdgm.supervised.generator_net import GeneratorNet

__all__ = ["GeneratorNet"]
