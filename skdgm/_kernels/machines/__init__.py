"""Kernels of Boltzmann machines whose blocks are layers."""
