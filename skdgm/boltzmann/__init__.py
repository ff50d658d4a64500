"""Boltzmann machines: undirected models of binary and real data."""

from skdgm.boltzmann.boltzmann_machine import BoltzmannMachine
from skdgm.boltzmann.dbm import DBM
from skdgm.boltzmann.dbm_classifier import DBMClassifier
from skdgm.boltzmann.gaussian_rbm import GaussianRBM
from skdgm.boltzmann.rbm import BernoulliRBM
from skdgm.boltzmann.rbm_classifier import RBMClassifier

__all__ = [
    "DBM",
    "BernoulliRBM",
    "BoltzmannMachine",
    "DBMClassifier",
    "GaussianRBM",
    "RBMClassifier",
]
