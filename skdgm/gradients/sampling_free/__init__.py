"""Gradients of objectives without a model phase."""
