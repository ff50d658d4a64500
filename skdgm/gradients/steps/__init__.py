"""Transformations of gradients, and of the steps along them."""
