r"""DisARM: a gradient estimator with antithetic bits.

Let a be the log odds of bits, u uniform noise, z the bits drawn by u, and
:math:`\tilde z` the antithetic bits drawn by 1 - u:

.. math:: z = [u < \sigma(a)], \qquad \tilde z = [1 - u < \sigma(a)], \qquad
   \frac{\partial}{\partial a_j} \mathbb{E}[f] \approx
   \tfrac12 (f(z) - f(\tilde z)) (-1)^{\tilde z_j} [z_j \ne \tilde z_j] \sigma(|a_j|)

The estimator is unbiased [1]_ [2]_. It is the expectation of ARM, conditional on both
draws instead of the noise.

References
----------
.. [1] Dong, Mnih and Tucker (2020). DisARM: an antithetic gradient estimator for binary
   latent variables. NeurIPS.
.. [2] Yin and Zhou (2019). ARM: augment-REINFORCE-merge gradient for stochastic binary
   networks. ICLR.
"""

import numpy as np
from scipy.special import expit


def disarm(logits, z, other, gap):
    r"""Gradient of the expectation with respect to log odds, for each draw, (n_draws,
    n_units). ``z`` and ``other`` are bits and antithetic bits of the same shape,
    ``gap`` is :math:`f(z) - f(\tilde z)`, of shape (n_draws,)."""
    sign = np.where(other > 0, -1, 1) * (z != other)
    return 0.5 * gap[:, None] * sign * expit(abs(logits))
