"""Markov chains: pure kernels that take any energy."""

from skdgm.samplers import binary, gibbs, tempering
from skdgm.samplers.sweep import sweep

__all__ = ["binary", "gibbs", "sweep", "tempering"]
