"""Markov chains: pure kernels that take any energy."""

from skdgm.samplers import gibbs
from skdgm.samplers.sweep import sweep

__all__ = ["gibbs", "sweep"]
