"""Bringing data to a model: bits of grey values, densities of counted ones."""

from skdgm.preprocessing.bernoulli_binarizer import BernoulliBinarizer
from skdgm.preprocessing.dequantizer import Dequantizer

__all__ = ["BernoulliBinarizer", "Dequantizer"]
