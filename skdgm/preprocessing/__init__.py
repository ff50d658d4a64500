"""Transformers of data for density models: binarization and dequantization."""

from skdgm.preprocessing.bernoulli_binarizer import BernoulliBinarizer
from skdgm.preprocessing.dequantizer import Dequantizer

__all__ = ["BernoulliBinarizer", "Dequantizer"]
