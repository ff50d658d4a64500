r"""DisARM: bits and their antithetic draws.

For bits with log odds a, drawn by uniform noise u, and antithetic ones by 1 - u,

.. math:: z = [u < \sigma(a)], \qquad \tilde z = [1 - u < \sigma(a)], \qquad
   \frac{\partial}{\partial a_j} \mathbb{E}[f] \approx
   \tfrac12 (f(z) - f(\tilde z)) (-1)^{\tilde z_j} [z_j \ne \tilde z_j] \sigma(|a_j|)

is unbiased [1]_ [2]_: what ARM is, given both draws rather than the noise.

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
    r"""Gradient of the expectation by log odds, for each draw, (n_draws, n_units): of
    bits z and antithetic ones, of that shape, with ``gap`` :math:`f(z) - f(\tilde z)`,
    (n_draws,)."""
    sign = np.where(other > 0, -1, 1) * (z != other)
    return 0.5 * gap[:, None] * sign * expit(abs(logits))
