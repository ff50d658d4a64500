"""Densities of fitted machines."""
