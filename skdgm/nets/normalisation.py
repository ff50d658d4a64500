r"""Batch normalisation.

.. math:: y = \gamma \odot \frac{x - m}{\sqrt{v + \epsilon}} + \beta

with means m and variances v of the batch's columns [1]_; once learned, of the data's.
What it makes of the slope of y, with :math:`\hat x` for what is multiplied by
:math:`\gamma`:

.. math:: \bar\gamma = \textstyle\sum_r \bar y_r \hat x_r, \quad
   \bar\beta = \sum_r \bar y_r, \quad
   \bar x = \frac{\gamma}{\sqrt{v + \epsilon}}
   \bigl(\bar y - \tfrac1n \bar\beta - \tfrac1n \hat x \bar\gamma \bigr)

References
----------
.. [1] Ioffe and Szegedy (2015). Batch normalization: accelerating deep network training
   by reducing internal covariate shift. ICML.
"""

import autograd.numpy  # noqa: F401  Which teaches autograd about arrays.
import numpy as np
from autograd.extend import defvjp_argnums, primitive

# What is added to variances.
EPSILON = 1e-5


@primitive
def standardise(x, gain, shift):
    """Columns of a batch, standardised, times gains, plus shifts.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)
    gain, shift : ndarray of shape (n_columns,)

    Returns
    -------
    y : ndarray of shape (n_rows, n_columns)
    """
    normal, _ = _normalised(x)
    return normal * gain + shift


def _normalised(x):
    """Standardised columns, and what they were divided by."""
    mean, variance = moments(x)
    size = np.sqrt(variance + x.dtype.type(EPSILON))
    return (x - mean) / size, size


def moments(x):
    """Means and variances of columns."""
    return x.mean(axis=0), x.var(axis=0)


def _back(argnums, y, args, kwargs):
    x, gain, _ = args
    normal, size = _normalised(x)

    def pull(slope):
        of_shift, of_gain = slope.sum(axis=0), (slope * normal).sum(axis=0)
        found = [None, of_gain, of_shift]
        if 0 in argnums:
            shared = (of_shift + normal * of_gain) / x.dtype.type(len(x))
            found[0] = gain / size * (slope - shared)
        return [found[argnum] for argnum in argnums]

    return pull


defvjp_argnums(standardise, _back)
