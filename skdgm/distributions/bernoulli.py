r"""Binary units.

.. math:: p(x \mid \eta) = \exp(\eta x - A(\eta)), \quad x \in \{0, 1\}, \quad
   A(\eta) = \log(1 + e^\eta), \quad \mathbb{E}[x] = A'(\eta) = \sigma(\eta)

with the natural parameter :math:`\eta` = the unit's bias + the input from its
neighbours. The sufficient statistic is x itself.
"""

import numpy as np
from scipy.special import entr

from skdgm._kernels import bernoulli as kernels
from skdgm.distributions.biased import Biased
from skdgm.utils.lists import Lists
from skdgm.utils.math import logit, softplus
from skdgm.utils.parallel import run

# Cost of a unit, in multiply-adds.
_WORK = 10


def draw(mean, rng):
    """Draw binary units that are 1 with given probabilities.

    Parameters
    ----------
    mean : ndarray of shape (n_rows, n_units), float32 or float64
    rng : Stream
        With a row for each row of ``mean``.

    Returns
    -------
    x : Lists of shape (n_rows, n_units)
        1 where the uniform random number of the entry is below ``mean``.
    """
    x = Lists.empty(*mean.shape, mean.dtype)
    arguments = mean, np.uint64(rng.root), rng.ids, x.index, x.count
    run(kernels.draw, *arguments, n=len(x), work=_WORK * mean.size)
    return x


class Bernoulli(Biased):
    """A block of binary units, whose parameters are one bias each.

    Fields ``eta`` and means are floating arrays of shape (n_rows, size), or (size,) for
    all rows; values x are :class:`~skdgm.utils.lists.Lists` or arrays of 0 and 1, of
    shape (n_rows, size).

    Parameters
    ----------
    size : int
        Number of units in the block.
    """

    __slots__ = ()

    def init(self, means=None, dtype=np.float64):
        r"""Biases with which the block without neighbours has the given means.

        Parameters
        ----------
        means : array-like of shape (size,), optional
            Strictly between 0 and 1; biases are zero without them.
        dtype : dtype, default=float64

        Returns
        -------
        bias : ndarray of shape (size,)
            :math:`\log p - \log(1 - p)` of means p.
        """
        if means is None:
            return np.zeros(self.size, dtype=dtype)
        return logit(np.asarray(means, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        """Sum of A(eta) over the block, for each row, in float64."""
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out, work = np.empty(len(rows)), _WORK * rows.size
        run(kernels.log_partition, rows, out, n=len(rows), work=work)
        return out.reshape(np.shape(eta)[:-1])

    def log_evidence(self, eta, x, clamped):
        r"""Log weight of partly clamped rows, with their free entries summed out.

        .. math:: \sum_{i \text{ clamped}} \eta_{ki} x_{ri} +
           \sum_{i \text{ free}} A(\eta_{ki})

        Parameters
        ----------
        eta : ndarray of shape (n_fields, size)
        x : ndarray of shape (n_rows, size)
        clamped : ndarray of bool of shape (n_rows, size)
            True for clamped entries; others of x are ignored.

        Returns
        -------
        log_weight : ndarray of shape (n_rows, n_fields), float64
        """
        eta = np.asarray(eta, np.float64)
        return np.where(clamped, x, 0) @ eta.T + ~clamped @ softplus(eta).T

    def mean(self, eta):
        r"""Mean of each unit, :math:`\sigma(\eta)`, with the dtype of ``eta``."""
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out = np.empty_like(rows)
        run(kernels.mean, rows, out, n=len(rows), work=_WORK * rows.size)
        return out.reshape(np.shape(eta))

    def sample(self, eta, rng):
        """Draw a value for each row of ``rng``.

        Parameters
        ----------
        eta : ndarray of shape (n_rows, size) or (size,)
        rng : Stream

        Returns
        -------
        x : Lists of shape (n_rows, size)
        mean : ndarray of shape (n_rows, size)
            Probabilities of 1 with which x was drawn.
        """
        mean = self.mean(eta)
        if mean.shape != (len(rng.ids), self.size):
            mean = np.tile(mean, (len(rng.ids), 1))
        return draw(mean, rng), mean

    def draw(self, mean, rng):
        """Draw units that are 1 with probabilities ``mean``; see :func:`draw`."""
        return draw(mean, rng)

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means, in float64."""
        mean, on = np.asarray(mean, np.float64), np.asarray(x, bool)
        with np.errstate(divide="ignore"):
            return np.log(np.where(on, mean, 1 - mean)).sum(axis=1)

    def entropy(self, bias, mean):
        """Entropy of each unit in nats, of the shape of ``mean``."""
        return entr(mean) + entr(1.0 - mean)

    @property
    def n_states(self):
        """Number of joint states of the block, ``2**size``."""
        return 2**self.size

    def states(self, codes):
        """Joint states by number, (n_codes, size); unit i is bit i of the code."""
        return (codes[:, None] >> np.arange(self.size)) & 1
