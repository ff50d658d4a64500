"""Kernels of machines on graphs, and of directed layers."""
