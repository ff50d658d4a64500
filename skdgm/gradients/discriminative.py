r"""Exact gradient of a label's log probability.

.. math:: \frac{\partial}{\partial\theta} \log p(y \mid v) =
   \mathbb{E}_{h \mid v, y}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{h, y' \mid v}\left[-\frac{\partial E}{\partial\theta}\right]

Both terms are sums over the few labels, with the hidden units marginalized in closed
form [1]_. No chains and no partition function are needed.

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


def discriminative(energy, params, x, target, labeled):
    """Gradient of the sum of log p(y | rest) over labeled rows, divided by the number
    of rows, as of :func:`~skdgm.energies.contrast`. The energy has two colors; ``x``
    has values of the first, including the label, and means of the last. ``target`` is
    the number of the label's block, a Softmax, and ``labeled``, (n_rows,), is True for
    rows that have a label."""
    posterior = LabelPosterior(energy, params, x, target)
    p = softmax(posterior.log_joint(), axis=1).astype(params.dtype)
    y = np.asarray(x[target])
    # Both terms are equal for rows without labels.
    p[~labeled] = y[~labeled]
    error = (y - p).T
    expected, joint = list(x), {}
    expected[target] = p
    for block in energy.colors[-1]:
        means, pairs = [], []
        for states, means_given_label in posterior.means(block):
            means.append(np.einsum("rk,krj->rj", p[:, states], means_given_label))
            pairs.append((error[states, None] @ means_given_label)[:, 0])
        expected[block] = sum(means)
        joint[block] = np.concatenate(pairs) / p.dtype.type(len(p))
    difference = contrast(energy, params, x, tuple(expected))
    couplings = tuple(
        Contrast.of(joint[j]) if i == target else coupling_grad.one_sided()
        for (i, j, _), coupling_grad in zip(energy.unshared_links, difference.couplings)
    )
    return Params(difference.units, couplings)


def weighted_sum(grad, other, weight):
    """Sum of ``grad`` and ``weight`` times ``other``. ``grad`` is a result of
    :func:`discriminative`, ``other`` of :func:`~skdgm.energies.contrast`."""
    units = tree_map(lambda a, b: a + b.dtype.type(weight) * b, grad.units, other.units)
    pairs = zip(grad.couplings, other.couplings, strict=True)
    return Params(units, tuple(a.plus(b, weight) for a, b in pairs))
