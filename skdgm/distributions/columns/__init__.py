"""Distributions of the columns of tables given outputs of nets."""
