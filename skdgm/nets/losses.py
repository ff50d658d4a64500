r"""How far the output of a net is from what it should have been, row by row.

.. math:: -\sum_k t_k \log \operatorname{softmax}_k(z), \qquad
   \sum_k \log(1 + e^{z_k}) - t_k z_k, \qquad \tfrac12 \sum_k (z_k - t_k)^2

for a class, for what is on and off, and for real numbers [1]_: minus log probabilities
whose slopes are all the gap between an expectation, of which z is the natural
parameter, and t.

References
----------
.. [1] Bishop (1995). Neural networks for pattern recognition, chapter 6. Oxford.
"""

import autograd.numpy  # noqa: F401  Which teaches autograd about arrays.
import numpy as np
from autograd.extend import defvjp, primitive
from scipy.special import expit, log_softmax, softmax

from skdgm.utils.math import softplus


@primitive
def softmax_cross_entropy(logits, targets):
    """Surprise at a class.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
    targets : ndarray of shape (n_rows, n_classes)
        Probabilities; a row of zeros costs nothing.

    Returns
    -------
    loss : ndarray of shape (n_rows,)
    """
    return -(targets * log_softmax(logits, axis=1)).sum(axis=1)


@primitive
def logistic_cross_entropy(logits, targets):
    """Surprise at what is on and what is off.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_outputs)
    targets : ndarray of shape (n_rows, n_outputs)
        Probabilities, each for itself.

    Returns
    -------
    loss : ndarray of shape (n_rows,)
    """
    return (softplus(logits) - targets * logits).sum(axis=1)


@primitive
def squared_error(output, targets):
    """Half the squared distance.

    Parameters
    ----------
    output : ndarray of shape (n_rows, n_outputs)
    targets : ndarray of shape (n_rows, n_outputs)
        What is NaN does not count.

    Returns
    -------
    loss : ndarray of shape (n_rows,)
    """
    return 0.5 * (_gap(output, targets) ** 2).sum(axis=1)


def _gap(output, targets):
    return np.where(np.isnan(targets), 0, output - targets)


def _softmax_gap(logits, targets):
    return softmax(logits, axis=1) * targets.sum(axis=1, keepdims=True) - targets


def _learns(loss, gap):
    """A loss of rows whose slope is a gap between output and target."""
    defvjp(loss, lambda _, z, t: lambda slope: slope[:, None] * gap(z, t), None)


_learns(softmax_cross_entropy, _softmax_gap)
_learns(logistic_cross_entropy, lambda z, t: expit(z) - t)
_learns(squared_error, _gap)
