r"""Test of dependence between columns, without which latent units are useless.

A latent unit is active if it carries information about the rows [2]_,

.. math:: \operatorname{Var}_x(\mathbb{E}_q[z_j]) > 0.01

Columns are nearly independent if no eigenvalue of their correlation matrix is clearly
larger than for independent columns [1]_,

.. math:: \lambda \le \Bigl(1 + \sqrt{D / n}\Bigr)^2

.. [1] Marchenko and Pastur (1967). Distribution of eigenvalues for some sets of random
   matrices. Mathematics of the USSR-Sbornik.
.. [2] Burda, Grosse and Salakhutdinov (2016). Importance weighted autoencoders. ICLR.
"""

import numpy as np

# Variance of a latent unit's means above which it is active.
ACTIVE = 0.01
# Factor by which the largest eigenvalue must exceed the limit of independent columns.
_CLEARLY = 1.5


def are_dependent(x):
    """Return True if columns are more dependent than by chance."""
    x = np.where(np.isinf(x), x.dtype.type(np.nan), x)
    x = x - np.nanmean(np.where(np.isnan(x).all(axis=0), 0, x), axis=0)
    x = np.where(np.isnan(x), 0, x).astype(np.float64)
    size = np.sqrt((x**2).mean(axis=0))
    x = x[:, size > 0] / size[size > 0]
    if min(x.shape) < 2:
        return False
    largest = np.linalg.norm(x, 2) ** 2 / len(x)
    return largest > _CLEARLY * (1 + np.sqrt(x.shape[1] / len(x))) ** 2
