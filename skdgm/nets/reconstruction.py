r"""Reconstructions of rows by nets: losses, and missing entries.

The loss of a column is its negative log-likelihood: a cross-entropy of bits, grey
values and categories, half the squared error of real numbers. With natural parameters
o as outputs, its gradient is

.. math:: \frac{\partial \ell}{\partial o} = \mathbb{E}[x \mid o] - x
"""

from scipy.special import expit

# Times that missing entries are rebuilt, the first time from zeros.
_PASSES = 3


def expected(emission, out):
    """Expectation of reconstructions, (n_rows, n_inputs), as ``emission.inputs``
    returns it, given outputs; of scores where they are no atoms, not times the
    probability of that."""
    mean = out.copy()
    for part in emission.grey, emission.bits:
        mean[:, part] = expit(out[:, part])
    if len(emission.chosen):
        mean[:, emission.chosen] = emission.softmax(out[:, emission.chosen])
    return mean


def inferred(emission, rebuild, x, known):
    """Rows x, zero where missing, with missing entries as ``rebuild(x)``, outputs of an
    autoencoder, gives them; ``known`` is 1 where a value is known, or None."""
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
    as ``emission.inputs`` returns them; ``known`` is 0 of entries without a loss."""
    gap = expected(emission, out) - x
    # A score counts where it is no atom.
    gap[:, emission.scores] *= x[:, emission.none]
    return gap if known is None else gap * known


def squared_slope(rebuilt, x, known=None):
    """Gradient of half the squared error of each row by reconstructions, in the form of
    the inputs; see :func:`reconstruction_slope`."""
    gap = rebuilt - x
    return gap if known is None else gap * known
