"""Directed nets with bits in their hidden layers, and inference nets."""

from skdgm.directed.bidirectional_helmholtz_machine import BidirectionalHelmholtzMachine
from skdgm.directed.helmholtz_machine import HelmholtzMachine
from skdgm.directed.sigmoid_belief_network import SigmoidBeliefNetwork

__all__ = ["BidirectionalHelmholtzMachine", "HelmholtzMachine", "SigmoidBeliefNetwork"]
