r"""Binary units.

.. math:: p(x \mid \eta) = \exp(\eta x - A(\eta)), \quad x \in \{0, 1\}, \quad
   A(\eta) = \log(1 + e^\eta), \quad \mathbb{E}[x] = A'(\eta) = \sigma(\eta)

with the natural parameter :math:`\eta` = the unit's own bias + what its neighbours
send. The statistic is x itself.
"""

import numpy as np
from scipy.special import entr

from skdgm._kernels import bernoulli as kernels
from skdgm.units.biased import Biased
from skdgm.utils.lists import Lists
from skdgm.utils.math import logit, softplus
from skdgm.utils.parallel import run

# What a unit costs, in multiply-adds.
_WORK = 10


def draw(mean, rng):
    """Lists of binary units that are on with given probabilities."""
    x = Lists.empty(*mean.shape, mean.dtype)
    arguments = mean, np.uint64(rng.root), rng.ids, x.index, x.count
    run(kernels.draw, *arguments, n=len(x), work=_WORK * mean.size)
    return x


class Bernoulli(Biased):
    """A block of binary units; its parameters are one bias each.

    Parameters
    ----------
    size : int
        Number of units in the block.
    """

    __slots__ = ()

    def init(self, means=None, dtype=np.float64):
        """Biases under which the lone block has the given means, or zeros."""
        if means is None:
            return np.zeros(self.size, dtype=dtype)
        return logit(np.asarray(means, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        """The sum of A(eta) over the block, row by row, in float64."""
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out, work = np.empty(len(rows)), _WORK * rows.size
        run(kernels.log_partition, rows, out, n=len(rows), work=work)
        return out.reshape(np.shape(eta)[:-1])

    def log_evidence(self, eta, x, held):
        """Log weight of each row of x under each row of eta: of the entries that are
        held, the others being summed out. Of shape (len(x), len(eta)), in float64."""
        eta = np.asarray(eta, np.float64)
        return np.where(held, x, 0) @ eta.T + ~held @ softplus(eta).T

    def mean(self, eta):
        """Expectation of a value."""
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out = np.empty_like(rows)
        run(kernels.mean, rows, out, n=len(rows), work=_WORK * rows.size)
        return out.reshape(np.shape(eta))

    def sample(self, eta, rng):
        """A draw for each row, as lists, and the mean it was drawn with."""
        mean = self.mean(eta)
        if mean.shape != (len(rng.ids), self.size):
            mean = np.tile(mean, (len(rng.ids), 1))
        return draw(mean, rng), mean

    def draw(self, mean, rng):
        """Lists of units that are on with the probabilities of rows of means."""
        return draw(mean, rng)

    def log_prob(self, mean, x):
        """Log probability of each row under the row's means, in float64."""
        mean, on = np.asarray(mean, np.float64), np.asarray(x, bool)
        with np.errstate(divide="ignore"):
            return np.log(np.where(on, mean, 1 - mean)).sum(axis=1)

    def entropy(self, bias, mean):
        """Entropy in nats, unit by unit."""
        return entr(mean) + entr(1.0 - mean)

    @property
    def n_states(self):
        """Number of joint states of the block."""
        return 2**self.size

    def states(self, codes):
        """The joint states with given numbers, one a row."""
        return (codes[:, None] >> np.arange(self.size)) & 1
