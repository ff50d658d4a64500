"""Compilation of kernels, and primitives that all of them use."""
