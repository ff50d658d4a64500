"""Belief networks: layers that generate the one below."""

from skdgm.belief.dbn import DBN

__all__ = ["DBN"]
