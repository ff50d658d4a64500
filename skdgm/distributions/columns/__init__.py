"""Distributions of columns of tables given outputs of nets."""
