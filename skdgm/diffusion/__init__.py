"""Diffusion models."""

from skdgm.diffusion.diffusion import Diffusion

__all__ = ["Diffusion"]
