"""Boltzmann machines: undirected models of bits, numbers, tables and documents."""

from skdgm.boltzmann.bernoulli_rbm import BernoulliRBM
from skdgm.boltzmann.boltzmann_machine import BoltzmannMachine
from skdgm.boltzmann.conditional_rbm import ConditionalRBM
from skdgm.boltzmann.conv_dbm import ConvDBM
from skdgm.boltzmann.conv_rbm import ConvRBM
from skdgm.boltzmann.dbm import DBM
from skdgm.boltzmann.dbm_classifier import DBMClassifier
from skdgm.boltzmann.gated_rbm import GatedRBM
from skdgm.boltzmann.gaussian_rbm import GaussianRBM
from skdgm.boltzmann.mean_covariance_rbm import MeanCovarianceRBM
from skdgm.boltzmann.mean_product_of_t import MeanProductOfT
from skdgm.boltzmann.rbm import RBM
from skdgm.boltzmann.rbm_classifier import RBMClassifier
from skdgm.boltzmann.replicated_softmax import ReplicatedSoftmax
from skdgm.boltzmann.spike_slab_rbm import SpikeSlabRBM

__all__ = [
    "DBM",
    "RBM",
    "BernoulliRBM",
    "BoltzmannMachine",
    "ConditionalRBM",
    "ConvDBM",
    "ConvRBM",
    "DBMClassifier",
    "GatedRBM",
    "GaussianRBM",
    "MeanCovarianceRBM",
    "MeanProductOfT",
    "RBMClassifier",
    "ReplicatedSoftmax",
    "SpikeSlabRBM",
]
