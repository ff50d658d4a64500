"""Directed models: nets with bits in their hidden layers, and inference nets; sparse
coding by spikes and slabs."""

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
