"""Markov chains: pure kernels that take any energy."""

from skdgm.samplers import binary, gibbs
from skdgm.samplers.sweep import sweep

__all__ = ["binary", "gibbs", "sweep"]
