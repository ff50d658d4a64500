"""Stochastic units inside nets, and columns that are drawn from their outputs."""
