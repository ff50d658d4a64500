"""Normalizing flows."""

from skdgm.flows.flow import Flow

__all__ = ["Flow"]
