r"""Poisson distribution, of counts.

.. math:: p(x \mid \eta) = \frac{1}{x!} \exp(\eta x - A(\eta)), \quad x \in \{0, 1,
   2, \dots\}, \quad A(\eta) = e^\eta, \quad \mathbb{E}[x] = A'(\eta) = e^\eta

With visible counts and binary hidden units, each hidden unit j that is on multiplies
the rate of count i by :math:`e^{W_{ij}}`. (With counts on both sides of a coupling
there is no such model: weights above 0 have no finite Z.)
"""

import numpy as np
from scipy.special import gammaln, pdtr, pdtrik, xlogy

from skdgm.distributions.roles import Biased

# Means above this have no counts in float64.
_MOST = 1e15


def draw_counts(mean, rng):
    """Draw Poisson counts by inverting the distribution function.

    Parameters
    ----------
    mean : ndarray of shape (n_rows, size)
    rng : Stream
        With a stream for each row.

    Returns
    -------
    x : ndarray of shape (n_rows, size), of the dtype of ``mean``
    """
    p = rng.uniform(mean.shape[1])
    rate = np.clip(mean.astype(np.float64), np.finfo(np.float32).tiny, _MOST)
    x = np.ceil(pdtrik(p, rate)).clip(0)
    # Rounding: the count below may do already.
    return (x - (pdtr(x - 1, rate) >= p)).clip(0).astype(mean.dtype)


class Poisson(Biased):
    """A block of counts, whose parameters are one log rate each."""

    __slots__ = ()
    n_states = np.inf

    def init(self, moments=None, dtype=np.float64):
        """Log rates with which the block without neighbours has the given means; zeros
        without means."""
        if moments is None:
            return np.zeros(self.size, dtype)
        return np.log(np.asarray(moments, np.float64)).astype(dtype)

    def log_weight(self, eta, x):
        x = np.asarray(x)
        own = gammaln(np.asarray(x, np.float64) + 1)
        return (x * eta - own).sum(axis=-1, dtype=np.float64)

    def log_partition(self, eta):
        return np.exp(np.asarray(eta, np.float64)).sum(axis=-1)

    def log_evidence(self, eta, x, clamped):
        x, eta = np.where(clamped, x, 0.0), np.asarray(eta, np.float64)
        own = gammaln(x + 1).sum(axis=1, keepdims=True)
        return x @ eta.T - own + ~clamped @ np.exp(eta).T

    def mean(self, eta):
        return np.exp(eta)

    def sample(self, eta, rng):
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return draw_counts(mean, rng), mean

    def draw(self, mean, rng):
        """Draw counts of given means; see :func:`draw_counts`."""
        return draw_counts(mean, rng)

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means, in float64."""
        mean, x = np.asarray(mean, np.float64), np.asarray(x, np.float64)
        return (xlogy(x, mean) - mean - gammaln(x + 1)).sum(axis=1)

    def entropy(self, own, mean):
        """Entropy of each unit, with the expectation of -log x! less its value at the
        mean, as ``log_weight`` of a mean takes the latter."""
        return mean - xlogy(mean, mean) + gammaln(mean + 1)

    def pack(self, x):
        """Convert values to the form that ``sample`` returns: as they are."""
        return x
