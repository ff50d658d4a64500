"""A label as one of the blocks of a machine."""

import numpy as np
from scipy.special import softmax

from skdgm.data.labels import UNKNOWN
from skdgm.distributions import Softmax, one_hot, pick
from skdgm.inference import LabelPosterior, bound, mean_field
from skdgm.partition import exact


def label_of(energy):
    """Number of the label's block, the only softmax block; None without a label. In a
    restricted machine it belongs to the visible layer, in a deep machine it is above
    all layers."""
    blocks = range(len(energy.units))
    labels = (block for block in blocks if isinstance(energy.units[block], Softmax))
    return next(labels, None)


def with_label(parts, label, value):
    """Tuple with one element for each block, in which ``value`` replaces the label's
    element."""
    return (*parts[:label], value, *parts[label + 1 :])


def known_labels(x, clamp, label, codes, frequencies, dtype):
    """Clamp a machine to known label codes; unknown labels, -1, start from the
    frequencies of labels. Returns ``x`` and ``clamp``."""
    known, clamped, n_labels = codes != UNKNOWN, True, len(frequencies)
    if known.all():
        y = one_hot(codes, n_labels, dtype)
    else:
        y = np.eye(n_labels, dtype=dtype)[np.maximum(codes, 0)]
        y[~known] = frequencies
        clamped = np.repeat(known[:, None], n_labels, axis=1)
    return with_label(x, label, y), with_label(clamp, label, clamped)


def drawn(rng, posterior):
    """One-hot labels drawn from their exact distribution given all other blocks."""
    p = softmax(posterior.log_joint(), axis=1)
    return pick(p, rng, posterior.params.dtype)


def log_joint(energy, params, x, clamp):
    """Log of the unnormalized probability of each row with each label, (n_rows,
    n_classes), in a machine with one hidden layer. It is exact, or a mean-field bound
    if entries are missing and the hidden units are too many to enumerate. The label in
    ``x`` is ignored."""
    label = label_of(energy)
    if clamp[0] is True:
        return LabelPosterior(energy, params, x, label).log_joint()
    columns, n_labels = [], energy.units[label].size
    for code in range(n_labels):
        y = np.asarray(one_hot(np.full(len(x[0]), code), n_labels, params.dtype))
        values, clamped = (x[0], y, None), (clamp[0], True, None)
        if exact.is_enumerable(energy):
            columns.append(exact.log_evidence(energy, params, values, clamped))
        else:
            means, _ = mean_field(energy, params, values, clamped)
            columns.append(bound(energy, params, means, clamped))
    return np.stack(columns, axis=1)
