r"""Negative log-likelihood of real numbers and of classes, given a net's outputs.

.. math:: \tfrac12 \sum_j (x_j - \mu_j)^2 e^{-s_j} + s_j + \log 2 \pi, \qquad
   \sum_j \log \sum_k e^{z_{jk}} - z_{j x_j}

for normal variables with log variances s, and for classes with logits z, in nats. A row
of targets may have several consecutive rows of outputs; entries that are NaN do not
count.
"""

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
import numpy as np
from autograd.extend import defvjp, primitive

from skdgm.nets.latents import LOG_2PI
from skdgm.utils.math import sigmoid, softplus


@primitive
def at_least(raw, log_floor):
    """Bound log variances below, smoothly: log(e^f + e^s).

    Parameters
    ----------
    raw : ndarray
        Unbounded log variances s.
    log_floor : float
        Log of the least variance, f.

    Returns
    -------
    log_var : ndarray
        Of the shape and dtype of ``raw``.
    """
    log_floor = raw.dtype.type(log_floor)
    return log_floor + softplus(raw - log_floor)


defvjp(at_least, lambda _, s, f: lambda grad: grad * sigmoid(s - f), None)


def _shared(targets, outputs):
    """Targets with an axis for their rows of outputs, and a mask of known entries."""
    targets = targets[:, None]
    known = ~np.isnan(targets)
    return np.where(known, targets, 0), known


def _by_target(outputs, targets):
    """Outputs of each row of targets along an axis; one shared row as it is."""
    if outputs.ndim == 1:
        return outputs
    return outputs.reshape(len(targets), -1, outputs.shape[-1])


@primitive
def normal_loss(mean, log_var, targets):
    """Negative log-likelihood of real numbers, in nats.

    Parameters
    ----------
    mean : ndarray of shape (n_rows * n_each, n_outputs)
    log_var : ndarray of shape (n_outputs,) or (n_rows * n_each, n_outputs)
    targets : ndarray of shape (n_rows, n_outputs)
        NaN where missing.

    Returns
    -------
    loss : ndarray of shape (n_rows * n_each,)
    """
    x, known = _shared(targets, mean)
    s = _by_target(log_var, targets)
    own = (x - _by_target(mean, targets)) ** 2 * np.exp(-s) + s
    own += mean.dtype.type(LOG_2PI)
    return 0.5 * np.where(known, own, 0).sum(axis=2).reshape(-1)


def _of_mean(_, mean, log_var, targets):
    x, known = _shared(targets, mean)
    gap = _by_target(mean, targets) - x
    own = np.where(known, gap * np.exp(-_by_target(log_var, targets)), 0)
    return lambda grad: grad[:, None] * own.reshape(mean.shape)


def _of_log_var(_, mean, log_var, targets):
    x, known = _shared(targets, mean)
    gap, s = _by_target(mean, targets) - x, _by_target(log_var, targets)
    own = np.where(known, 0.5 * (1 - gap**2 * np.exp(-s)), 0).reshape(mean.shape)

    def backward(grad):
        of_each = grad[:, None] * own
        return of_each.sum(axis=0) if log_var.ndim == 1 else of_each

    return backward


defvjp(normal_loss, _of_mean, _of_log_var, None)


def log_probabilities(logits, starts):
    """Log probabilities of shape (n_rows, n_classes_in_all), from logits so shaped, by
    a softmax over the classes of each column, which begin at ``starts``."""
    sizes = np.diff([*starts, logits.shape[1]])
    high = np.maximum.reduceat(logits, starts, axis=1)
    shifted = logits - np.repeat(high, sizes, axis=1)
    total = np.log(np.add.reduceat(np.exp(shifted), starts, axis=1))
    return shifted - np.repeat(total, sizes, axis=1)


@primitive
def class_loss(logits, codes, starts):
    """Negative log-likelihood of classes, in nats.

    Parameters
    ----------
    logits : ndarray of shape (n_rows * n_each, n_classes_in_all)
    codes : ndarray of shape (n_rows, n_columns)
        Class numbers from 0, as real numbers; NaN where missing.
    starts : ndarray of shape (n_columns,)
        Position of each column's first class in ``logits``.

    Returns
    -------
    loss : ndarray of shape (n_rows * n_each,)
    """
    log_p = _by_target(log_probabilities(logits, starts), codes)
    index, known = _places(codes, starts)
    index = np.broadcast_to(index, (*log_p.shape[:2], codes.shape[1]))
    chosen = np.take_along_axis(log_p, index, axis=2)
    return -np.where(known, chosen, 0).sum(axis=2).reshape(-1)


def _places(codes, starts):
    x, known = _shared(codes, None)
    return x.astype(np.intp) + starts, known


def _of_logits(_, logits, codes, starts):
    p = _by_target(np.exp(log_probabilities(logits, starts)), codes).copy()
    index, known = _places(codes, starts)
    index = np.broadcast_to(index, (*p.shape[:2], codes.shape[1]))
    chosen = np.take_along_axis(p, index, axis=2)
    np.put_along_axis(p, index, chosen - 1, axis=2)
    sizes = np.diff([*starts, logits.shape[1]])
    p *= np.repeat(known, sizes, axis=2)
    return lambda grad: grad[:, None] * p.reshape(logits.shape)


defvjp(class_loss, _of_logits, None, None)
