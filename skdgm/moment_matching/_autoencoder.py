r"""Losses of an autoencoder's outputs, by the kinds of columns.

The loss of a column is its negative log-likelihood: a cross-entropy of bits, grey
values and categories, half the squared error of real numbers. With natural parameters
o as outputs, its gradient is

.. math:: \frac{\partial \ell}{\partial o} = \mathbb{E}[x \mid o] - x
"""

from scipy.special import expit


def reconstruction_slope(emission, out, x):
    """Gradient of the loss of each row by the outputs.

    Parameters
    ----------
    emission : Emission
    out : ndarray of shape (n_rows, n_outputs)
    x : ndarray of shape (n_rows, n_inputs)
        What is to be rebuilt, as ``emission.inputs`` returns it.

    Returns
    -------
    slope : ndarray of shape (n_rows, n_outputs)
    """
    mean = out.copy()
    for part in emission.grey, emission.bits:
        mean[:, part] = expit(out[:, part])
    if len(emission.chosen):
        mean[:, emission.chosen] = emission.softmax(out[:, emission.chosen])
    gap = mean - x
    # A score counts where it is no atom.
    gap[:, emission.scores] *= x[:, emission.none]
    return gap
