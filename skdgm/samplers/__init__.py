"""Markov chain Monte Carlo: pure functions that take any energy."""

from skdgm.samplers import binary, gibbs, sitewise, tempering
from skdgm.samplers.gibbs import by_means, sweep

__all__ = ["binary", "by_means", "gibbs", "sitewise", "sweep", "tempering"]
