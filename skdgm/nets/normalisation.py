r"""Batch normalisation: columns of a batch, standardised.

It is

.. math:: y = \gamma \odot \frac{x - m}{\sqrt{v + \epsilon}} + \beta,

with means m and variances v of the batch's columns [1]_; after training, those of the
data. With the gradient :math:`\bar y` by the outputs, and :math:`\hat x` for the factor
multiplied by :math:`\gamma`, the gradients by the arguments are

.. math:: \bar\gamma = \textstyle\sum_r \bar y_r \hat x_r, \quad
   \bar\beta = \sum_r \bar y_r, \quad
   \bar x = \frac{\gamma}{\sqrt{v + \epsilon}}
   \bigl(\bar y - \tfrac1n \bar\beta - \tfrac1n \hat x \bar\gamma \bigr)

References
----------
.. [1] Ioffe and Szegedy (2015). Batch normalization: accelerating deep network training
   by reducing internal covariate shift. ICML.
"""

import numpy as np
from autograd.extend import defvjp_argnums

from skdgm.nets.tape import primitive

# Added to variances, for numerical stability.
EPSILON = 1e-5


@primitive
def standardise(x, gain, shift, known=None):
    """Standardise the columns of a batch, multiply by gains and add shifts.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)
    gain, shift : ndarray of shape (n_columns,)
    known : pair of ndarray of shape (n_columns,), optional
        Means and variances of ``x``, if they are known already.

    Returns
    -------
    y : ndarray of shape (n_rows, n_columns)
    """
    normal, _ = _normalised(x, known)
    return normal * gain + shift


def _normalised(x, known):
    """Standardised columns, and the deviations that they were divided by."""
    mean, variance = moments(x) if known is None else known
    size = np.sqrt(variance + x.dtype.type(EPSILON))
    return (x - mean) / size, size


def moments(x):
    """Means and variances of columns.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    mean, variance : ndarray of shape (n_columns,)
    """
    return x.mean(axis=0), x.var(axis=0)


def _back(argnums, y, args, kwargs):
    x, gain, _, *known = args
    known = known[0] if known else None

    def backward(grad):
        normal, size = _normalised(x, known)
        of_shift, of_gain = grad.sum(axis=0), (grad * normal).sum(axis=0)
        found = [None, of_gain, of_shift]
        if 0 in argnums:
            shared = (of_shift + normal * of_gain) / x.dtype.type(len(x))
            found[0] = gain / size * (grad - shared)
        return [found[argnum] for argnum in argnums]

    return backward


defvjp_argnums(standardise, _back)
