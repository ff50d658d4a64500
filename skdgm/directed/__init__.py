"""Directed models with binary hidden layers and inference nets, and spike-and-slab
sparse coding."""

from skdgm.directed.bidirectional_helmholtz_machine import BidirectionalHelmholtzMachine
from skdgm.directed.helmholtz_machine import HelmholtzMachine
from skdgm.directed.s3c import S3C
from skdgm.directed.sigmoid_belief_network import SigmoidBeliefNetwork

__all__ = [
    "S3C",
    "BidirectionalHelmholtzMachine",
    "HelmholtzMachine",
    "SigmoidBeliefNetwork",
]
