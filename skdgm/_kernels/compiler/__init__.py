"""Compilation of kernels, and primitives of kernels."""
