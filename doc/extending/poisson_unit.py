r"""A Poisson unit, for counts.

.. math:: p(x \mid \eta) = \frac{1}{x!} \exp(\eta x - A(\eta)), \quad x \in \{0, 1,
   2, \dots\}, \quad A(\eta) = e^\eta, \quad \mathbb{E}[x] = A'(\eta) = e^\eta

With visible counts and binary hidden units it makes a restricted Boltzmann machine in
which each hidden unit j that is on multiplies the rate of count i by
:math:`e^{W_{ij}}`.
"""

import numpy as np
from scipy.special import gammaln, pdtr, pdtrik, xlogy

from skdgm.distributions import Bernoulli, Biased
from skdgm.energies import layered


class Poisson(Biased):
    """A block of counts, whose parameters are one log rate each.

    ``Biased`` has what follows from "the statistic is the value itself": ``field``,
    ``statistic``, ``param_grad``, ``bias_of``, ``with_bias``, ``scale``, ``constrain``;
    and ``log_weight``, ``pack`` and ``ends`` of bits, which are others here.

    Parameters
    ----------
    size : int
        Number of units in the block.
    """

    __slots__ = ()

    # Joint states of the block: it cannot be enumerated, only summed out.
    n_states = np.inf
    # Least and greatest value, and that the mean is an exponential of the field.
    ends, exponential = (0.0, np.inf), True

    def init(self, moments=None, dtype=np.float64):
        """Log rates with which the block without neighbours has the given means."""
        means = np.ones(self.size) if moments is None else np.asarray(moments, float)
        return np.log(means).astype(dtype)

    def log_weight(self, eta, x):
        r"""Log of each row's unnormalised probability, :math:`\eta x - \log x!`."""
        x = np.asarray(x)
        return (x * eta - gammaln(x + 1)).sum(axis=-1, dtype=np.float64)

    def log_partition(self, eta):
        """Sum of A(eta) over the block, for each row, in float64."""
        return np.exp(eta).sum(axis=-1, dtype=np.float64)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x under each row of eta, with entries that are not
        clamped summed out, (n_rows, n_fields)."""
        x, eta = np.where(clamped, x, 0.0), np.atleast_2d(np.asarray(eta, np.float64))
        own = gammaln(x + 1).sum(axis=1, keepdims=True)
        return x @ eta.T - own + ~clamped @ np.exp(eta).T

    def mean(self, eta):
        """Mean of each unit, its rate."""
        return np.exp(eta)

    def sample(self, eta, rng):
        """Draw a row of counts for each row of ``rng``; return them and their means."""
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return self.draw(mean, rng), mean

    def draw(self, mean, rng):
        """Draw counts of given means, by inverting the distribution function."""
        p = rng.uniform(self.size)
        x = np.ceil(pdtrik(p, mean)).clip(0)
        # Rounding: the count below may do already.
        return (x - (pdtr(x - 1, mean) >= p)).clip(0).astype(mean.dtype)

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means."""
        x = np.asarray(x)
        return (xlogy(x, mean) - mean - gammaln(x + 1)).sum(axis=1, dtype=np.float64)

    def entropy(self, own, mean):
        """Entropy of each unit, with the expectation of -log x! less its value at the
        mean, as ``log_weight`` of a mean takes the latter."""
        return mean - xlogy(mean, mean) + gammaln(mean + 1)

    def pack(self, x):
        """Convert values to the form that ``sample`` returns: as they are."""
        return x


def poisson_rbm(n_visible, n_hidden):
    """Energy of a restricted Boltzmann machine of counts."""
    return layered([[Poisson(n_visible)], [Bernoulli(n_hidden)]])
