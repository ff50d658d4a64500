r"""One unit with several states, of which it is in exactly one.

.. math:: p(x = k \mid \eta) = \exp(\eta_k - A(\eta)), \quad
   A(\eta) = \log \sum_k e^{\eta_k}, \quad p_k = \partial A / \partial \eta_k

A value is a row with a 1 in the place of its state: so values are where their means
are, and the statistic is the value itself.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr, logsumexp, softmax

from skdgm.utils.lists import Lists, dot


def one_hot(codes, n_states, dtype):
    """Lists of one entry, in the place of each row's state."""
    x = Lists.empty(len(codes), n_states, dtype)
    x.index[:, 0], x.count[:] = codes, 1
    return x


class Softmax(NamedTuple):
    """A unit with so many states; its parameters are one bias each.

    Parameters
    ----------
    size : int
        Number of states.
    """

    size: int

    def init(self, means=None, dtype=np.float64):
        """Biases under which the lone unit has the given probabilities, or zeros."""
        if means is None:
            return np.zeros(self.size, dtype=dtype)
        return np.log(np.asarray(means, dtype=np.float64)).astype(dtype)

    def field(self, bias, received=0.0):
        """The natural parameter, given what the neighbours send."""
        return bias + received

    def statistic(self, bias, x):
        """What the couplings see of a value."""
        return x

    def log_weight(self, eta, x):
        """Log of a value's unnormalised probability, per row, in float64."""
        return dot(x, eta)

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
        below = mean.cumsum(axis=1)[:, :-1]
        codes = (rng.uniform(1, mean.dtype.type) >= below).sum(axis=1)
        return one_hot(codes, self.size, mean.dtype), mean

    def entropy(self, bias, mean):
        """Entropy in nats, a share for each state."""
        return entr(mean)

    def param_grad(self, bias, x, received):
        """Derivative of the log weight by the bias, row by row."""
        return x

    def pack(self, x):
        """Values as samples come: lists."""
        return Lists.pack(x, binary=True)

    def bias_of(self, bias):
        """What of a tree of parameters adds up with what is received."""
        return bias

    def with_bias(self, own, bias):
        """Such a tree with another bias."""
        return bias

    def constrain(self, bias):
        """Bring parameters back to where they may be, in place."""

    @property
    def n_states(self):
        """Number of states."""
        return max(1, self.size)

    def states(self, codes):
        """The states with given numbers, one a row."""
        return np.eye(self.size)[codes] if self.size else np.zeros((len(codes), 0))
