"""Machines of means and covariances, learned by Hamiltonian Monte Carlo."""
