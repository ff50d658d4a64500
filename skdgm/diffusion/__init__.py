"""Densities of columns by noise that is taken away step by step."""

from skdgm.diffusion.diffusion import Diffusion

__all__ = ["Diffusion"]
