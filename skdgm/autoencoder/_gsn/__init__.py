"""Generative stochastic networks: their layers, objective, density and models."""
