r"""The exact gradient of a label's log probability.

.. math:: \frac{\partial}{\partial\theta} \log p(y \mid v) =
   \mathbb{E}_{h \mid v, y}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{h, y' \mid v}\left[-\frac{\partial E}{\partial\theta}\right]

Both terms are sums over the few labels, the hidden units being summed out in closed
form [1]_: no chain, and no partition function.

References
----------
.. [1] Larochelle and Bengio (2008). Classification using discriminative restricted
   Boltzmann machines. ICML.
"""

import numpy as np
from scipy.special import softmax

from skdgm.couplings import Contrast
from skdgm.energies import ODD, Params, contrast
from skdgm.inference import Posterior
from skdgm.utils.tree import tree_map


def discriminative(energy, params, x, target, labelled):
    """Gradient of the sum of log p(y | rest) over labelled rows, by the number of rows.

    Parameters
    ----------
    x : tuple
        Values of the even blocks, the label's among them; the means of the odd ones.
    target : int
        The label's block.
    labelled : ndarray of bool
        Which rows count.

    Returns
    -------
    grad : Params
    """
    posterior = Posterior(energy, params, x, target)
    p = softmax(posterior.log_joint(), axis=1).astype(params.dtype)
    y = np.asarray(x[target])
    # Rows without labels have no more in one term than in the other.
    p[~labelled] = y[~labelled]
    expected, joint = list(x), {}
    expected[target] = p
    for block in energy.colours[ODD]:
        mean, pairs = np.zeros_like(x[block]), []
        for state in range(posterior.n_states):
            given = posterior.means(block, state)
            mean += p[:, state, None] * given
            pairs.append((y[:, state] - p[:, state]) @ given / p.dtype.type(len(p)))
        expected[block], joint[block] = mean, np.stack(pairs)
    rough = contrast(energy, params, x, tuple(expected))
    couplings = tuple(
        Contrast.of(joint[j]) if i == target else part.one_sided()
        for (i, j, _), part in zip(energy.wiring.links, rough.couplings)
    )
    return Params(rough.units, couplings)


def joined(grad, other, weight):
    """The sum of a gradient and of another one times a weight."""
    units = tree_map(lambda a, b: a + b.dtype.type(weight) * b, grad.units, other.units)
    pairs = zip(grad.couplings, other.couplings, strict=True)
    return Params(units, tuple(a.plus(b, weight) for a, b in pairs))
