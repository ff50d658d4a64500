"""Kernels on lists of nonzero entries and lines of tiles."""
