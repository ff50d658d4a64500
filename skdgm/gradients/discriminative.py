r"""The exact gradient of a label's log probability.

.. math:: \frac{\partial}{\partial\theta} \log p(y \mid v) =
   \mathbb{E}_{h \mid v, y}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{h, y' \mid v}\left[-\frac{\partial E}{\partial\theta}\right]

Both terms are sums over the few labels, with the hidden units summed out in closed
form [1]_: neither a chain nor the partition function is needed.

References
----------
.. [1] Larochelle and Bengio (2008). Classification using discriminative restricted
   Boltzmann machines. ICML.
"""

import numpy as np
from scipy.special import softmax

from skdgm.couplings import Contrast
from skdgm.energies import Params, contrast
from skdgm.inference import Posterior
from skdgm.utils.tree import tree_map


def discriminative(energy, params, x, target, labelled):
    """Gradient of the sum of log p(y | rest) over labelled rows, divided by n_rows.

    Parameters
    ----------
    energy : Energy
        A machine with two colours.
    params : Params
    x : tuple of {ndarray, Lists} of shape (n_rows, size)
        Values of the first colour, the label included, and means of the last.
    target : int
        The number of the label's block, whose unit is a Softmax.
    labelled : ndarray of bool of shape (n_rows,)
        False for rows that do not count.

    Returns
    -------
    grad : Params
        Of the form that :func:`~skdgm.energies.contrast` returns.
    """
    posterior = Posterior(energy, params, x, target)
    p = softmax(posterior.log_joint(), axis=1).astype(params.dtype)
    y = np.asarray(x[target])
    # Both terms are equal for rows without labels.
    p[~labelled] = y[~labelled]
    error = (y - p).T
    expected, joint = list(x), {}
    expected[target] = p
    for block in energy.colours[-1]:
        means, pairs = [], []
        for states, given in posterior.means(block):
            means.append(np.einsum("rk,krj->rj", p[:, states], given))
            pairs.append((error[states, None] @ given)[:, 0])
        expected[block] = sum(means)
        joint[block] = np.concatenate(pairs) / p.dtype.type(len(p))
    rough = contrast(energy, params, x, tuple(expected))
    couplings = tuple(
        Contrast.of(joint[j]) if i == target else part.one_sided()
        for (i, j, _), part in zip(energy.own_links, rough.couplings)
    )
    return Params(rough.units, couplings)


def joined(grad, other, weight):
    """Sum of a gradient and ``weight`` times another one.

    Parameters
    ----------
    grad : Params
        Returned by :func:`discriminative`.
    other : Params
        Returned by :func:`~skdgm.energies.contrast`.
    weight : float

    Returns
    -------
    grad : Params
    """
    units = tree_map(lambda a, b: a + b.dtype.type(weight) * b, grad.units, other.units)
    pairs = zip(grad.couplings, other.couplings, strict=True)
    return Params(units, tuple(a.plus(b, weight) for a, b in pairs))
