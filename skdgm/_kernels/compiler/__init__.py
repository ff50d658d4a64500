"""Compilation of kernels, and what all of them are made of."""
