"""Densities of real columns in autoregressive nets."""

import numpy as np

from skdgm.distributions import Mixture


def standard_mixture(n_components, shape, min_variance, rescaled=True):
    """Mixture densities for standardised columns.

    Parameters
    ----------
    n_components : int
    shape : {"gaussian", "laplace"}
    min_variance : float
        The lower limit of scales is the square root of this.
    rescaled : bool, default=True
        Whether gradients by means are multiplied by the scales.

    Returns
    -------
    mixture : Mixture
    """
    return Mixture(n_components, shape, float(np.sqrt(min_variance)), rescaled)
