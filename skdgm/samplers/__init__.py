"""Markov chain Monte Carlo samplers that work with any energy."""

from skdgm.samplers import binary, sitewise
from skdgm.samplers.gibbs import FastWeights, Gibbs, by_means, draws, sweep
from skdgm.samplers.hmc import HMC
from skdgm.samplers.sampler import Info, Sampler, State
from skdgm.samplers.tempering import Ladder, ParallelTempering, betas

__all__ = [
    "HMC",
    "FastWeights",
    "Gibbs",
    "Info",
    "Ladder",
    "ParallelTempering",
    "Sampler",
    "State",
    "betas",
    "binary",
    "by_means",
    "draws",
    "sitewise",
    "sweep",
]
