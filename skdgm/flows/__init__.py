"""Densities of real columns by maps that have an inverse."""

from skdgm.flows.flow import Flow

__all__ = ["Flow"]
