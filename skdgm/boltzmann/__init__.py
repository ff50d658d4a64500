"""Boltzmann machines: undirected models of binary and real data."""

from skdgm.boltzmann.rbm import BernoulliRBM

__all__ = ["BernoulliRBM"]
