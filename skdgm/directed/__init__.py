"""Directed nets with bits in their hidden layers, and inference nets."""

from skdgm.directed.sigmoid_belief_network import SigmoidBeliefNetwork

__all__ = ["SigmoidBeliefNetwork"]
