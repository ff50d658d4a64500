r"""Binary units.

.. math:: p(x \mid \eta) = \exp(\eta x - A(\eta)), \quad x \in \{0, 1\}, \quad
   A(\eta) = \log(1 + e^\eta), \quad \mathbb{E}[x] = A'(\eta) = \sigma(\eta)

with the natural parameter :math:`\eta` = the unit's own bias + what its neighbours
send. The statistic is x itself and the base measure is 1.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr

from skdgm.utils.math import logit, sigmoid, softplus


class Bernoulli(NamedTuple):
    """A block of binary units; its parameters are one bias each.

    Parameters
    ----------
    size : int
        Number of units in the block.
    """

    size: int

    def init(self, means=None, dtype=np.float64):
        """Biases under which the lone block has the given means, or zeros."""
        if means is None:
            return np.zeros(self.size, dtype=dtype)
        return logit(np.asarray(means, dtype=np.float64)).astype(dtype)

    def natural(self, bias):
        """The block's own share of its natural parameter."""
        return bias

    def interpolate(self, bias, base, beta):
        """Biases between those of a base model (beta = 0) and the block's own."""
        return base + beta * (bias - base)

    def statistic(self, bias, x):
        """What the couplings see of a value."""
        return x

    def log_base_measure(self, bias, x):
        """Log of what multiplies the exponential, per row."""
        return 0.0

    def log_partition(self, eta):
        """A(eta), unit by unit."""
        return softplus(eta)

    def mean(self, eta):
        """Expectation of the statistic."""
        return sigmoid(eta)

    def sample(self, eta, rng):
        """A draw for each row and the mean it was drawn with."""
        mean = self.mean(eta)
        x = rng.uniform(self.size, mean.dtype.type) < mean
        return x.astype(mean.dtype), mean

    def entropy(self, mean):
        """Entropy in nats, unit by unit."""
        return entr(mean) + entr(1.0 - mean)

    def param_grad(self, bias, x):
        """Derivative of the log of the unnormalised probability, row by row."""
        return x

    @property
    def n_states(self):
        """Number of joint states of the block."""
        return 2**self.size

    def states(self, codes):
        """The joint states with given numbers, one a row."""
        return (codes[:, None] >> np.arange(self.size)) & 1
