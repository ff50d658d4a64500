r"""One categorical unit, in exactly one of several states.

.. math:: p(x = k \mid \eta) = \exp(\eta_k - A(\eta)), \quad
   A(\eta) = \log \sum_k e^{\eta_k}, \quad p_k = \partial A / \partial \eta_k

A value is one-hot, a row with a 1 in the column of its state, so that values and means
have the same shape, and the sufficient statistic is the value itself.
"""

import numpy as np
from scipy.special import entr, logsumexp, softmax

from skdgm.distributions.biased import Biased
from skdgm.utils.lists import Lists


def one_hot(codes, n_states, dtype):
    """One-hot rows of state numbers.

    Parameters
    ----------
    codes : ndarray of int of shape (n_rows,)
    n_states : int
    dtype : dtype
        Of the array that the lists stand for.

    Returns
    -------
    x : Lists of shape (n_rows, n_states)
    """
    x = Lists.empty(len(codes), n_states, dtype)
    x.index[:, 0], x.count[:] = codes, 1
    return x


def pick(p, rng, dtype):
    """Draw a state for each row by inverting the cumulative distribution.

    Parameters
    ----------
    p : ndarray of shape (n_rows, n_states), float32 or float64
        Probabilities of the states; rows sum to 1.
    rng : Stream
        With a row for each row of ``p``.
    dtype : dtype
        Of the array that the lists stand for.

    Returns
    -------
    x : Lists of shape (n_rows, n_states)
    """
    below = p.cumsum(axis=1)[:, :-1]
    codes = (rng.uniform(1, p.dtype.type) >= below).sum(axis=1)
    return one_hot(codes, p.shape[1], dtype)


class Softmax(Biased):
    """A categorical unit, whose parameters are one bias for each state.

    Fields ``eta`` and means are floating arrays of shape (n_rows, size), or (size,) for
    all rows; values x are one-hot, as Lists or arrays of shape (n_rows, size).

    Parameters
    ----------
    size : int
        Number of states.
    """

    __slots__ = ()

    def init(self, means=None, dtype=np.float64):
        """Log probabilities, (size,): biases with which the unit without neighbours has
        the given probabilities; zeros without them."""
        if means is None:
            return np.zeros(self.size, dtype=dtype)
        return np.log(np.asarray(means, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        """A(eta) of each row, in float64."""
        return logsumexp(np.asarray(eta, np.float64), axis=-1)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x under each row of eta, float64 of shape (n_rows,
        n_fields); A(eta) for rows that are not clamped (``clamped`` in all columns)."""
        known = x @ np.asarray(eta, np.float64).T
        return np.where(
            clamped.all(axis=1, keepdims=True), known, self.log_partition(eta)
        )

    def mean(self, eta):
        """Probabilities of the states, of the shape of ``eta``."""
        return softmax(eta, axis=-1)

    def sample(self, eta, rng):
        """Draw a state for each row of ``rng``.

        Parameters
        ----------
        eta : ndarray of shape (n_rows, size) or (size,)
        rng : Stream

        Returns
        -------
        x : Lists of shape (n_rows, size)
        mean : ndarray of shape (n_rows, size)
            Probabilities with which x was drawn.
        """
        mean = np.broadcast_to(self.mean(eta), (len(rng.ids), self.size))
        return pick(mean, rng, mean.dtype), mean

    def draw(self, mean, rng):
        """Draw states with the probabilities of the rows of ``mean``, as Lists."""
        return pick(mean, rng, mean.dtype)

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means, in float64."""
        with np.errstate(divide="ignore"):
            return np.log((np.asarray(mean, np.float64) * np.asarray(x)).sum(axis=1))

    def entropy(self, bias, mean):
        """Contribution of each state to the entropy, -p log p, in nats."""
        return entr(mean)

    @property
    def n_states(self):
        """Number of states: ``size``, or 1 if that is zero."""
        return max(1, self.size)

    def states(self, codes):
        """States by number as one-hot rows, float64 of shape (n_codes, size)."""
        return np.eye(self.size)[codes] if self.size else np.zeros((len(codes), 0))
