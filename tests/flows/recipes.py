"""Densities of codes, for the tests of flows."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm


def log_base(flow, z):
    """Log density of a code at the base of a flow, by scipy."""
    base = flow.density_.base
    if not base:
        return norm.logpdf(z).sum()
    parts = [
        weight + multivariate_normal(mean, np.linalg.inv(root @ root.T)).logpdf(z)
        for weight, mean, root in zip(*base)
    ]
    return logsumexp(parts)
