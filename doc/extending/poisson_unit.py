r"""Poisson unit, for counts.

.. math:: p(x \mid \eta) = \frac{1}{x!} \exp(\eta x - A(\eta)), \quad x \in \{0, 1,
   2, \dots\}, \quad A(\eta) = e^\eta, \quad \mathbb{E}[x] = A'(\eta) = e^\eta

In a restricted Boltzmann machine with visible counts and binary hidden units, an active
hidden unit j multiplies the rate of count i by :math:`e^{W_{ij}}`.
"""

import numpy as np
from scipy.special import gammaln, pdtr, pdtrik, xlogy

from skdgm.distributions import Bernoulli, Biased
from skdgm.energies import layered


class Poisson(Biased):
    """Block of counts with one log rate for each unit.

    ``Biased`` implements the methods of units whose statistic is the value: ``field``,
    ``statistic``, ``param_grad``, ``bias_of``, ``with_bias``, ``scale`` and
    ``constrain``. Its ``log_weight``, ``pack`` and ``ends`` are for bits.

    Parameters
    ----------
    size : int
        Number of units in the block.
    """

    __slots__ = ()

    # Number of joint states: the block cannot be enumerated, only summed out.
    n_states = np.inf
    # Minimum and maximum of a value; the mean is the exponential of the field.
    ends, exponential = (0.0, np.inf), True

    def init(self, moments=None, dtype=np.float64):
        """Log rates for which independent units have the given means."""
        means = np.ones(self.size) if moments is None else np.asarray(moments, float)
        return np.log(means).astype(dtype)

    def log_weight(self, eta, x):
        r"""Unnormalized log-probability of each row, :math:`\eta x - \log x!`."""
        x = np.asarray(x)
        return (x * eta - gammaln(x + 1)).sum(axis=-1, dtype=np.float64)

    def log_partition(self, eta):
        """Sum of A(eta) over the block, (n_rows,), in float64."""
        return np.exp(eta).sum(axis=-1, dtype=np.float64)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x for each row of eta, (n_rows, n_fields).

        Entries that are not clamped are summed out.
        """
        x, eta = np.where(clamped, x, 0.0), np.atleast_2d(np.asarray(eta, np.float64))
        log_factorials = gammaln(x + 1).sum(axis=1, keepdims=True)
        return x @ eta.T - log_factorials + ~clamped @ np.exp(eta).T

    def mean(self, eta):
        """Mean of each unit, which is its rate."""
        return np.exp(eta)

    def sample(self, eta, rng):
        """Draw a row of counts for each row of ``rng``; return them and their means."""
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return self.draw(mean, rng), mean

    def draw(self, mean, rng):
        """Draw counts with given means, by inverting the distribution function."""
        p = rng.uniform(self.size)
        x = np.ceil(pdtrik(p, mean)).clip(0)
        # Rounding errors: subtract 1 if the smaller count already reaches p.
        return (x - (pdtr(x - 1, mean) >= p)).clip(0).astype(mean.dtype)

    def log_prob(self, mean, x):
        """Log-probability of each row of x given its row of means, (n_rows,)."""
        x = np.asarray(x)
        return (xlogy(x, mean) - mean - gammaln(x + 1)).sum(axis=1, dtype=np.float64)

    def entropy(self, params, mean):
        """Entropy of each unit, with E[log x!] replaced by its value at the mean.

        ``log_weight`` of a mean has the same term, so that both cancel in the bound.
        """
        return mean - xlogy(mean, mean) + gammaln(mean + 1)

    def pack(self, x):
        """Return values in the format of ``sample``, without conversion."""
        return x


def poisson_rbm(n_visible, n_hidden):
    """Energy of a restricted Boltzmann machine with visible counts."""
    return layered([[Poisson(n_visible)], [Bernoulli(n_hidden)]])
