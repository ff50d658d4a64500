"""Layers, objectives, densities and models of generative stochastic networks."""
