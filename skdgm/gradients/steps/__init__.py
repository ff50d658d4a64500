"""Transformations of gradients, and of update steps."""
