"""Gradients of objectives without a negative phase."""
