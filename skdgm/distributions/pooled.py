r"""Probabilistic max pooling: blocks of binary units of which at most one is on.

.. math:: p(h \mid \eta) = \prod_B \frac{e^{\sum_{i \in B} \eta_i h_i}}{1 + \sum_{i \in
   B} e^{\eta_i}}, \qquad \sum_{i \in B} h_i \in \{0, 1\}, \qquad
   A(\eta) = \sum_B \log\Big(1 + \sum_{i \in B} e^{\eta_i}\Big)

Units form images: maps of detection units, which are divided into blocks B. A block is
a softmax with an additional state in which all units are off. Its pooled unit,
:math:`\max_{i \in B} h_i = \sum_{i \in B} h_i`, is on with probability :math:`1 - 1 /
(1 + \sum_{i \in B} e^{\eta_i})` [1]_. A block of one unit is a binary unit.

References
----------
.. [1] Lee, Grosse, Ranganath and Ng (2009). Convolutional deep belief networks for
   scalable unsupervised learning of hierarchical representations. ICML.
"""

from math import prod
from typing import NamedTuple

import numpy as np
from scipy.special import entr, logsumexp

from skdgm._kernels.machines import pooled as kernels
from skdgm.distributions.roles import Unit
from skdgm.utils.images import in_blocks, joined, repeated, split
from skdgm.utils.lists import dot
from skdgm.utils.threading.parallel import run

# Cost of a unit, in multiply-adds.
_WORK = 12
# Minimum initial probability that a block is on, and that it is off.
_RARE = 1e-3


class _Shape(NamedTuple):
    height: int
    width: int
    maps: int
    rows: int
    columns: int
    # Fields for ``Selected`` only.
    down: int = 1
    across: int = 1
    choice: str = ""


class Pooled(_Shape, Unit):
    """Maps of units in blocks, whose parameters are one bias for each map.

    Values and means are arrays of shape (n_rows, size), ordered by pixel and then by
    map. The ``rows`` and ``columns`` of a block divide those of the images.
    """

    __slots__ = ()
    ends, form = (0.0, 1.0), "pooled"

    @property
    def size(self):
        """Number of units."""
        return self.height * self.width * self.maps

    @property
    def n_blocks(self):
        """Number of blocks over all maps."""
        return self.size // (self.rows * self.columns)

    @property
    def block(self):
        """Rows and columns of units below a pooled unit."""
        return self.rows, self.columns

    @property
    def n_pooled(self):
        """Number of pooled units over all maps."""
        return self.size // prod(self.block)

    def init(self, moments=None, dtype=np.float64):
        """Biases of maps for given means of units without neighbors, (size,), which
        are averaged over each map. The probability that a block is on is clipped to
        [0.001, 0.999]. Zeros if ``moments`` is None."""
        if moments is None:
            return np.zeros(self.maps, dtype=dtype)
        n = self.rows * self.columns
        p = np.asarray(moments, np.float64).reshape(-1, self.maps).mean(axis=0)
        on = np.clip(n * p, _RARE, 1 - _RARE)
        return (np.log(on / n) - np.log1p(-on)).astype(dtype)

    def field(self, params, received=0.0):
        """Natural parameters eta = bias of the map + input from the neighbors."""
        if np.ndim(received) == 2 and np.ndim(params) == 1:
            images = np.asarray(received)
            shifted = params + images.reshape(len(images), -1, self.maps)
            return shifted.reshape(len(images), self.size)
        return np.tile(params, self.height * self.width) + received

    def statistic(self, params, x):
        """Sufficient statistic of x: x itself."""
        return x

    def log_weight(self, eta, x):
        return dot(np.asarray(x), eta)

    def log_partition(self, eta):
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out, work = np.empty(len(rows)), _WORK * rows.size
        run(kernels.log_partition, rows, self[:5], out, n=len(rows), work=work)
        return out.reshape(np.shape(eta)[:-1])

    def log_evidence(self, eta, x, clamped):
        """Log weight of partly clamped rows. A clamped unit that is on excludes all
        others of its block; a clamped unit that is off is excluded."""
        eta = self.blocks(np.atleast_2d(np.asarray(eta, np.float64)))
        on, off = (
            self.blocks(clamped & values)
            for values in (np.asarray(x) > 0, np.asarray(x) == 0)
        )
        others = on.sum(axis=-1, keepdims=True) - on
        weight = np.where((others > 0) | off, -np.inf, 0.0)
        off_weight = np.where(on.any(axis=-1), -np.inf, 0.0)
        log_weights = np.empty((len(on), len(eta)))
        for row, (excluded, excluded_off) in enumerate(zip(weight, off_weight)):
            states = logsumexp(eta + excluded, axis=-1)
            log_weights[row] = np.logaddexp(states, excluded_off).sum(axis=-1)
        return log_weights

    def mean(self, eta):
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out, work = np.empty_like(rows), _WORK * rows.size
        run(kernels.mean, rows, self[:5], out, n=len(rows), work=work)
        return out.reshape(np.shape(eta))

    def sample(self, eta, rng):
        mean = self.mean(eta)
        if mean.shape != (len(rng.ids), self.size):
            mean = np.tile(mean, (len(rng.ids), 1))
        return self.draw(mean, rng), mean

    def draw(self, mean, rng):
        """Draw units with probabilities ``mean``, (n_rows, size), by a uniform number
        for each block. ``rng`` is a Stream with a row for each row of ``mean``."""
        mean = np.ascontiguousarray(mean)
        uniform, x = rng.uniform(self.n_blocks, mean.dtype.type), np.empty_like(mean)
        run(kernels.draw, mean, uniform, self[:5], x, n=len(x), work=_WORK * mean.size)
        return x

    def log_prob(self, mean, x):
        """Log probability of each row of x given its row of means, float64."""
        mean, on = np.asarray(mean, np.float64), np.asarray(x, np.float64)
        off = 1 - self._sums(on)
        p_off = np.maximum(1 - self._sums(mean), 0)
        with np.errstate(divide="ignore"):
            chosen = np.log(np.where(on > 0, mean, 1.0)).sum(axis=1)
            return chosen + np.log(np.where(off > 0, p_off, 1.0)).sum(axis=1)

    def entropy(self, params, mean):
        """Entropy in nats, (n_rows, size); that of the off state is divided among the
        units of its block."""
        n, sides = mean.dtype.type(self.rows * self.columns), self[3:5]
        off = entr(np.maximum(1 - self._sums(mean), mean.dtype.type(0)))
        return entr(mean) + repeated(off / n, self, sides)

    def param_grad(self, params, x, received):
        """Derivative of each row's log weight with respect to the biases: the number of
        active units of each map, (n_rows, maps)."""
        x = np.asarray(x)
        return x.reshape(len(x), -1, self.maps).sum(axis=1)

    def blocks(self, x):
        """Copy of rows arranged by block, (n_rows, n_blocks, units of a block)."""
        return split(x, self, self[3:5])

    def _whole(self, blocks):
        """Inverse of :meth:`blocks`."""
        return joined(blocks, self, self[3:5])

    def _sums(self, x):
        """Sums of values over blocks, (n_rows, n_blocks)."""
        if self.rows * self.columns == 1:
            return np.array(x, order="C")
        return (
            in_blocks(x, self, self[3:5])
            .sum(axis=(2, 4))
            .reshape(len(x), self.n_blocks)
        )

    def pool(self, x):
        """Pooled units, or their means, of rows of values, (n_rows, n_pooled), ordered
        by pixel and then by map."""
        return self._sums(x)

    def select(self, x, mean, rng):
        """Pooled units of rows that were drawn with given means, (n_rows, n_pooled);
        ``rng`` has a row for each row."""
        return self.pool(x)

    def propose(self, x, mean, rng):
        """Draw pooled units from a proposal that covers all possible ones.

        Returns the pooled units as :meth:`select` does, and the log importance weight
        of each row, or one for all: the log ratio of the model's probability to the
        proposal's.
        """
        return self.select(x, mean, rng), 0.0

    def repeat(self, pooled):
        """Repeat the value of each pooled unit for all units of its block, (n_rows,
        size): the adjoint of sums over blocks."""
        return repeated(pooled, self, self.block)

    def spread(self, pooled, params=None):
        """Means of units, (n_rows, size), given means of pooled units. All units of a
        block are equally likely, so that biases have no effect."""
        share = pooled.dtype.type(1 / prod(self.block))
        return self.repeat(np.asarray(pooled) * share)

    def slope(self, mean, pooled, grad):
        """Gradient with respect to natural parameters, (n_rows, size), from the
        gradient with respect to pooled means, given the means of units and of pooled
        units."""
        return mean * self.repeat(grad * (1 - pooled))

    @property
    def tops(self):
        """The pooled units as a separate block, with one bias for each map."""
        height, width = self.block
        return Pooled(self[0] // height, self[1] // width, self.maps, 1, 1)

    def under(self, params):
        """Biases of maps for blocks that are on as often as units with biases
        ``params``."""
        return params - params.dtype.type(np.log(prod(self.block)))

    def unpool(self, pooled, params, rng):
        """Draw units given pooled units, (n_rows, n_pooled), by a Stream with a row for
        each row. In each block that is on, one unit is on, all with equal probability;
        ``params``, the biases of maps, has no effect."""
        pooled, n = np.asarray(pooled), prod(self.block)
        which = one_of(n, rng, self.n_pooled, pooled.dtype.type)
        return self._whole((which[..., None] == np.arange(n)) * pooled[..., None])

    def log_unpooled(self, x, pooled, params):
        """Log probability of units given pooled units under :meth:`unpool`, float64."""
        n_on = np.asarray(x).sum(axis=1, dtype=np.float64)
        return -np.log(prod(self.block)) * n_on

    @property
    def n_states(self):
        """Number of joint states: a block of n units has n + 1 states."""
        return (self.rows * self.columns + 1) ** self.n_blocks

    def states(self, codes):
        """Joint states by number in mixed radix, (n_codes, size)."""
        codes, n = np.asarray(codes), self.rows * self.columns
        x = np.zeros((len(codes), self.n_blocks, n + 1))
        for block in range(self.n_blocks):
            codes, state = np.divmod(codes, n + 1)
            x[np.arange(len(x)), block, state] = 1
        return self._whole(x[:, :, 1:])


def one_of(n, rng, size, dtype=np.float64):
    """Draw ``size`` integers from 0 to n - 1 for each row of a Stream."""
    return np.minimum((rng.uniform(size, dtype) * n).astype(int), n - 1)
