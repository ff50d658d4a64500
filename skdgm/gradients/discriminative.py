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
from skdgm.inference import LabelPosterior
from skdgm.utils.tree import tree_map


def discriminative(energy, params, x, target, labelled):
    """Gradient of the sum of log p(y | rest) over labelled rows, divided by n_rows, as
    :func:`~skdgm.energies.contrast` returns it.

    x has values of the first of two colours, the label included, and means of the last;
    ``target`` is the number of the label's block, a Softmax; ``labelled``, (n_rows,),
    is False for rows that do not count.
    """
    posterior = LabelPosterior(energy, params, x, target)
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


def weighted_sum(grad, other, weight):
    """Sum of a gradient that :func:`discriminative` returns and ``weight`` times one
    that :func:`~skdgm.energies.contrast` does."""
    units = tree_map(lambda a, b: a + b.dtype.type(weight) * b, grad.units, other.units)
    pairs = zip(grad.couplings, other.couplings, strict=True)
    return Params(units, tuple(a.plus(b, weight) for a, b in pairs))
