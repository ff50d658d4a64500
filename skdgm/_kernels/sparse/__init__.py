"""Kernels of lists of nonzero entries and of lines of tiles."""
