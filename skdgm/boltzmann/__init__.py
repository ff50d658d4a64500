"""Boltzmann machines: undirected models of binary and real data."""

from skdgm.boltzmann.dbm import DBM
from skdgm.boltzmann.dbm_classifier import DBMClassifier
from skdgm.boltzmann.gaussian_rbm import GaussianRBM
from skdgm.boltzmann.rbm import BernoulliRBM
from skdgm.boltzmann.rbm_classifier import RBMClassifier

__all__ = ["DBM", "BernoulliRBM", "DBMClassifier", "GaussianRBM", "RBMClassifier"]
