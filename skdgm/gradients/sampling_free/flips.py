r"""Gradients of objectives that compare rows with their neighbors.

The hidden units of a binary machine are marginalized, :math:`\log p^*(v) = b^\top v +
\sum_j \log(1 + e^{c_j + v^\top W_{:j}})`. Let :math:`v^{(i)}` be v with bit i flipped,
and :math:`s_i = \log p^*(v^{(i)}) - \log p^*(v)`. An objective :math:`J = -\sum_i
\varphi(s_i)` does not depend on the partition function, and

.. math:: \frac{\partial J}{\partial\theta} = \sum_i \varphi'(s_i) \left(
   \frac{\partial \log p^*(v)}{\partial\theta} -
   \frac{\partial \log p^*(v^{(i)})}{\partial\theta} \right)

Each :math:`\varphi` increases, so that rows become more probable than their neighbors:

- pseudo-likelihood: :math:`\varphi(s) = \log(1 + e^s)` [1]_;
- ratio matching: :math:`\sigma(s)^2`, the squared probability of the flipped value,
  which is bounded, so that outliers have little influence [2]_;
- minimum probability flow: :math:`e^{s / 2}`, the initial rate at which probability
  leaves the rows under dynamics that flip one bit at a time and have the model as
  their equilibrium [3]_. Rates are limited to :math:`e^{10}`.

References
----------
.. [1] Besag (1975). Statistical analysis of non-lattice data. The Statistician.
.. [2] Hyvärinen (2007). Some extensions of score matching. Computational Statistics
   and Data Analysis.
.. [3] Sohl-Dickstein, Battaglino and DeWeese (2011). Minimum probability flow learning.
   ICML.
"""

import numpy as np

from skdgm.couplings import Contrast
from skdgm.energies import Params, mean_row
from skdgm.utils.math import sigmoid, softplus
from skdgm.utils.products import matmul

# Approximate maximum number of hidden inputs computed for the neighbors of a batch.
_BUDGET = 2**21


def pseudo_likelihood(s):
    """Derivative of phi for the pseudo-likelihood, at an array s."""
    return sigmoid(s)


def ratio_matching(s):
    """Derivative of phi for ratio matching, at an array s."""
    other = sigmoid(s)
    return 2 * other * other * (1 - other)


def probability_flow(s):
    """Derivative of phi for minimum probability flow, at an array s."""
    half = s.dtype.type(0.5)
    return half * np.exp(np.minimum(half * s, s.dtype.type(10)))


def sites(generator, n_rows, n_visible, n_hidden):
    """Draw the indices of the bits to flip: all bits, unless these are too many."""
    n_sites = max(16, _BUDGET // max(1, n_rows * n_hidden))
    if n_sites >= n_visible:
        return np.arange(n_visible)
    return np.sort(generator.choice(n_visible, n_sites, replace=False))


def flips(params, v, index, slope):
    """Gradient of the mean of J over rows of bits, as of
    :func:`~skdgm.energies.contrast`. If ``index`` has only some bits, their sum is
    scaled to all bits. ``slope(s)`` is the derivative of phi."""
    (b, c), (W,) = params
    W = np.asarray(W)
    inputs = matmul(v, W) + c
    change = 1 - 2 * v[:, index]
    flipped = inputs[:, None, :] + change[:, :, None] * W[index]
    s = change * b[index] + (
        softplus(flipped).sum(axis=2) - softplus(inputs).sum(axis=1)[:, None]
    )
    weights = slope(s) * v.dtype.type(v.shape[1] / len(index))
    means = sigmoid(flipped)
    of_neighbors = np.einsum("ri,rij->rj", weights, means)
    of_c = weights.sum(axis=1)[:, None] * sigmoid(inputs) - of_neighbors
    of_b = np.zeros_like(v)
    of_b[:, index] = -change * weights
    # Add the change of bit i in its own neighbor to row i.
    G = matmul(v.T, of_c)
    G[index] -= np.einsum("ri,rij->ij", change * weights, means)
    couplings = (Contrast.of(G * G.dtype.type(1 / len(v))),)
    return Params((mean_row(of_b), mean_row(of_c)), couplings)
