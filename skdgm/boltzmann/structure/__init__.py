"""Structures of machines: options and columns as energies, parameters as attributes."""
