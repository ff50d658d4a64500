r"""Score matching of real rows, plain and denoising.

With the binary hidden units of a machine with real visible units marginalized, the
score is

.. math:: \psi_i(v) = \frac{\partial \log p^*(v)}{\partial v_i} = \lambda_i \bigl(b_i -
   v_i + (W \mu)_i\bigr), \qquad \mu = \sigma\bigl(c + W^\top (\lambda \odot v)\bigr)

Score matching [1]_ minimizes

.. math:: -J(v) = \sum_i \tfrac12 \psi_i(v)^2 + \frac{\partial \psi_i}{\partial v_i},
   \qquad \frac{\partial \psi_i}{\partial v_i} = -\lambda_i + \lambda_i^2 \sum_j
   W_{ij}^2 \mu_j (1 - \mu_j)

Denoising score matching [2]_ adds noise :math:`\epsilon` of standard deviation
:math:`\tau` to the rows, models the distribution of noisy rows, and minimizes

.. math:: -J(v) = \sum_i \tfrac12 \bigl(\psi_i(v + \epsilon) + \epsilon_i / \tau^2
   \bigr)^2.

References
----------
.. [1] Hyvärinen (2005). Estimation of non-normalized statistical models by score
   matching. JMLR.
.. [2] Vincent (2011). A connection between score matching and denoising autoencoders.
   Neural Computation.
"""

import numpy as np

from skdgm.couplings import Contrast
from skdgm.distributions.gaussian import Normal
from skdgm.energies import Params, mean_row
from skdgm.utils.math import sigmoid
from skdgm.utils.products import matmul


def score_matching(unit, params, v):
    """Gradient of the mean of J over rows, as of :func:`~skdgm.energies.contrast`. The
    machine has a block of real visible units, ``unit``, and a block of hidden bits."""
    W, precision, means, score = _scored(params, v)
    variances = means * (1 - means)
    squares = precision[:, None] ** 2 * W * W
    # Derivatives of -J by the inputs of hidden units, through psi and its derivative.
    weighted_score = precision * score
    of_c = matmul(weighted_score, W) * variances
    of_c += variances * (1 - 2 * means) * squares.sum(axis=0)
    G = matmul(weighted_score.T, means) + matmul((precision * v).T, of_c)
    G += 2 * len(v) * precision[:, None] ** 2 * W * mean_row(variances)
    direct = score * score - precision + 2 * matmul(variances, squares.T)
    of_precision = direct + precision * v * matmul(of_c, W.T)
    return _grad(unit, weighted_score, of_precision, of_c, G)


def denoising(unit, params, v, noise, scale):
    """Gradient of denoising score matching; see :func:`score_matching`. ``noise`` are
    standard normal numbers of the shape of v, ``scale`` is the noise's standard
    deviation."""
    scale = v.dtype.type(scale)
    v = v + scale * noise
    W, precision, means, score = _scored(params, v)
    residual = score + noise / scale
    weighted_residual = precision * residual
    of_c = matmul(weighted_residual, W) * means * (1 - means)
    G = matmul(weighted_residual.T, means) + matmul((precision * v).T, of_c)
    of_precision = residual * score + precision * v * matmul(of_c, W.T)
    return _grad(unit, weighted_residual, of_precision, of_c, G)


def _scored(params, v):
    """Weights, precisions, means of hidden units, and scores."""
    (visible, c), (W,) = params
    W, precision = np.asarray(W), np.exp(visible.log_precision)
    means = sigmoid(matmul(precision * v, W) + c)
    score = precision * (visible.mean - v + matmul(means, W.T))
    return W, precision, means, score


def _grad(unit, of_b, of_precision, of_c, G):
    """Gradient of J, given the derivatives of -J for each row."""
    learned = mean_row(unit.learned(-of_precision))
    visible = Normal(mean_row(-of_b), learned)
    couplings = (Contrast.of(G * G.dtype.type(-1 / len(of_b))),)
    return Params((visible, mean_row(-of_c)), couplings)
