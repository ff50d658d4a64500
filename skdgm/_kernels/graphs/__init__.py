"""Kernels of graphical models, and of directed layers."""
