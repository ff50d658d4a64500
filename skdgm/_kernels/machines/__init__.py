"""Kernels of layered Boltzmann machines."""
