"""A label as one of the blocks of a machine."""

import numpy as np
from scipy.special import softmax

from skdgm.data.classes import UNKNOWN
from skdgm.distributions import Softmax, one_hot, pick
from skdgm.inference import Posterior, bound, mean_field
from skdgm.partition import exact

__all__ = ["UNKNOWN", "drawn", "label_of", "log_joint", "with_label"]


def label_of(energy):
    """Index of the label's block, the only softmax unit; None if there is none.

    In a restricted machine it is beside the data, in a deep one above all other layers.

    Parameters
    ----------
    energy : Energy

    Returns
    -------
    block : int or None
    """
    blocks = range(len(energy.units))
    found = (block for block in blocks if isinstance(energy.units[block], Softmax))
    return next(found, None)


def with_label(parts, label, value):
    """Replace the label's element in a tuple that has one element for each block."""
    return (*parts[:label], value, *parts[label + 1 :])


def drawn(rng, posterior):
    """Labels drawn from their exact distribution given all other blocks.

    Parameters
    ----------
    rng : Stream
        With a row for each row.
    posterior : Posterior

    Returns
    -------
    y : Lists
        Labels in one-hot form.
    """
    p = softmax(posterior.log_joint(), axis=1)
    return pick(p, rng, posterior.params.dtype)


def log_joint(energy, params, x, clamp):
    """Log of the unnormalised probability of each row with each label.

    Parameters
    ----------
    energy : Energy
        With one hidden layer, and a label beside the data.
    params : Params
    x, clamp : tuple
        Of all blocks; what they have of the label is ignored.

    Returns
    -------
    log_joint : ndarray of shape (n_rows, n_classes)
        Exact, or a mean-field bound where entries are missing under hidden units that
        are too many to enumerate.
    """
    label = label_of(energy)
    if clamp[0] is True:
        return Posterior(energy, params, x, label).log_joint()
    columns, n_labels = [], energy.units[label].size
    for code in range(n_labels):
        y = np.asarray(one_hot(np.full(len(x[0]), code), n_labels, params.dtype))
        given, clamped = (x[0], y, None), (clamp[0], True, None)
        if exact.is_enumerable(energy):
            columns.append(exact.log_evidence(energy, params, given, clamped))
        else:
            means, _ = mean_field(energy, params, given, clamped)
            columns.append(bound(energy, params, means, clamped))
    return np.stack(columns, axis=1)
