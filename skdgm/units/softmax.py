r"""One unit with several states, of which it is in exactly one.

.. math:: p(x = k \mid \eta) = \exp(\eta_k - A(\eta)), \quad
   A(\eta) = \log \sum_k e^{\eta_k}, \quad p_k = \partial A / \partial \eta_k

A value is a row with a 1 in the place of its state: so values are where their means
are, and the statistic is the value itself.
"""

import numpy as np
from scipy.special import entr, logsumexp, softmax

from skdgm.units.biased import Biased
from skdgm.utils.lists import Lists


def one_hot(codes, n_states, dtype):
    """Lists of one entry, in the place of each row's state."""
    x = Lists.empty(len(codes), n_states, dtype)
    x.index[:, 0], x.count[:] = codes, 1
    return x


def pick(p, rng, dtype):
    """A state for each row, as lists, drawn with the probabilities of the rows of p."""
    below = p.cumsum(axis=1)[:, :-1]
    codes = (rng.uniform(1, p.dtype.type) >= below).sum(axis=1)
    return one_hot(codes, p.shape[1], dtype)


class Softmax(Biased):
    """A unit with so many states; its parameters are one bias each.

    Parameters
    ----------
    size : int
        Number of states.
    """

    __slots__ = ()

    def init(self, means=None, dtype=np.float64):
        """Biases under which the lone unit has the given probabilities, or zeros."""
        if means is None:
            return np.zeros(self.size, dtype=dtype)
        return np.log(np.asarray(means, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        """A(eta), row by row, in float64."""
        return logsumexp(np.asarray(eta, np.float64), axis=-1)

    def log_evidence(self, eta, x, held):
        """Log weight of each row of x under each row of eta; of rows that are not held,
        the sum over all states. Of shape (len(x), len(eta)), in float64."""
        known = x @ np.asarray(eta, np.float64).T
        return np.where(held.all(axis=1, keepdims=True), known, self.log_partition(eta))

    def mean(self, eta):
        """The states' probabilities."""
        return softmax(eta, axis=-1)

    def sample(self, eta, rng):
        """A draw for each row, as lists, and the probabilities it was drawn with."""
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return pick(mean, rng, mean.dtype), mean

    def draw(self, mean, rng):
        """Lists of states with the probabilities of rows of means."""
        return pick(mean, rng, mean.dtype)

    def log_prob(self, mean, x):
        """Log probability of each row under the row's means, in float64."""
        with np.errstate(divide="ignore"):
            return np.log((np.asarray(mean, np.float64) * np.asarray(x)).sum(axis=1))

    def entropy(self, bias, mean):
        """Entropy in nats, a share for each state."""
        return entr(mean)

    @property
    def n_states(self):
        """Number of states."""
        return max(1, self.size)

    def states(self, codes):
        """The states with given numbers, one a row."""
        return np.eye(self.size)[codes] if self.size else np.zeros((len(codes), 0))
