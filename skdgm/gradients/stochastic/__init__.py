"""Gradients through draws of stochastic nets."""
