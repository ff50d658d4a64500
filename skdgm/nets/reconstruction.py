r"""Reconstructions of rows by autoencoders: losses, and imputation of missing entries.

The loss of a column is its negative log-likelihood: the cross-entropy for bits, gray
values and categories, and half the squared error for real numbers. Its gradient by the
natural parameters o, the outputs, is

.. math:: \frac{\partial \ell}{\partial o} = \mathbb{E}[x \mid o] - x
"""

from skdgm.utils.math import sigmoid

# Number of reconstructions of missing entries, which start from zeros.
_PASSES = 3


def expected(emission, out):
    """Expected inputs, (n_rows, n_inputs), in the format of ``emission.inputs``, given
    outputs. Expected scores are conditional on not being an atom."""
    mean = out.copy()
    for entries in emission.gray, emission.bits:
        mean[:, entries] = sigmoid(out[:, entries])
    if len(emission.chosen):
        mean[:, emission.chosen] = emission.softmax(out[:, emission.chosen])
    return mean


def inferred(emission, rebuild, x, known):
    """Impute missing entries of rows x, which are zero there, by repeated
    reconstruction. ``rebuild(x)`` returns the outputs of an autoencoder; ``known`` is 1
    for known entries and 0 for missing ones, or None."""
    if known is None:
        return x
    inferred_rows = x
    for _ in range(_PASSES):
        mean = expected(emission, rebuild(inferred_rows))
        mean[:, emission.scores] *= mean[:, emission.none]
        inferred_rows = x + (1 - known) * mean
    return inferred_rows


def reconstruction_slope(emission, out, x, known=None):
    """Gradient of the loss of each row by the outputs, (n_rows, n_outputs). Rows x are
    in the format of ``emission.inputs``; entries with ``known`` 0 have no loss."""
    gap = expected(emission, out) - x
    # Only scores that are not atoms have a loss.
    gap[:, emission.scores] *= x[:, emission.none]
    return gap if known is None else gap * known


def squared_slope(rebuilt, x, known=None):
    """Gradient of half the squared error of each row by reconstructions."""
    gap = rebuilt - x
    return gap if known is None else gap * known
