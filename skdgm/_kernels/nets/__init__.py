"""Kernels of nets, their losses and their optimizers."""
