r"""Gradients of objectives that compare rows with their neighbours.

With the hidden units of a binary machine summed out,
:math:`\log p^*(v) = b^\top v + \sum_j \log(1 + e^{c_j + v^\top W_{:j}})`. If
:math:`v^{(i)}` is v with bit i flipped and :math:`s_i = \log p^*(v^{(i)}) - \log
p^*(v)`, an objective :math:`J = -\sum_i \varphi(s_i)` has no partition function, and

.. math:: \frac{\partial J}{\partial\theta} = \sum_i \varphi'(s_i) \left(
   \frac{\partial \log p^*(v)}{\partial\theta} -
   \frac{\partial \log p^*(v^{(i)})}{\partial\theta} \right)

where each :math:`\varphi` increases, so that rows are made more probable than their
neighbours:

- the pseudo-likelihood has :math:`\varphi(s) = \log(1 + e^s)` [1]_;
- ratio matching :math:`\sigma(s)^2`, the squared probability of the other value of a
  bit, which is bounded, so that outliers count little [2]_;
- minimum probability flow :math:`e^{s / 2}`: the rate at which probability leaves the
  rows, at the first moment, under dynamics that flip one bit and have the model for
  their equilibrium [3]_. Rates above :math:`e^{10}` count as that.

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

# Numbers that are computed for the neighbours of a batch, roughly.
_BUDGET = 2**21


def pseudo_likelihood(s):
    """Derivative of phi of the pseudo-likelihood, for an array of s."""
    return sigmoid(s)


def ratio_matching(s):
    """Derivative of phi of ratio matching, for an array of s."""
    other = sigmoid(s)
    return 2 * other * other * (1 - other)


def probability_flow(s):
    """Derivative of phi of minimum probability flow, for an array of s."""
    half = s.dtype.type(0.5)
    return half * np.exp(np.minimum(half * s, s.dtype.type(10)))


def sites(generator, n_rows, n_visible, n_hidden):
    """Draw the bits that are flipped, an index: all, unless there are too many."""
    n_sites = max(16, _BUDGET // max(1, n_rows * n_hidden))
    if n_sites >= n_visible:
        return np.arange(n_visible)
    return np.sort(generator.choice(n_visible, n_sites, replace=False))


def flips(params, v, index, slope):
    """Gradient of the mean of J over rows of bits, as :func:`~skdgm.energies.contrast`
    returns it; where ``index`` has a part of the bits, scaled to all. ``slope`` is the
    derivative of phi for an array of s."""
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
    of_neighbours = np.einsum("ri,rij->rj", weights, means)
    of_c = weights.sum(axis=1)[:, None] * sigmoid(inputs) - of_neighbours
    of_b = np.zeros_like(v)
    of_b[:, index] = -change * weights
    # Row i of the weights has, beside v_i, what the flip of bit i adds.
    G = matmul(v.T, of_c)
    G[index] -= np.einsum("ri,rij->ij", change * weights, means)
    couplings = (Contrast.of(G * G.dtype.type(1 / len(v))),)
    return Params((mean_row(of_b), mean_row(of_c)), couplings)
