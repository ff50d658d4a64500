"""Models of rows given attributes that are known."""

from skdgm.supervised.generator_net import GeneratorNet

__all__ = ["GeneratorNet"]
