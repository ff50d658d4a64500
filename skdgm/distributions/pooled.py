r"""Probabilistic max pooling: blocks of binary units of which at most one is on.

.. math:: p(h \mid \eta) = \prod_B \frac{e^{\sum_{i \in B} \eta_i h_i}}{1 + \sum_{i \in
   B} e^{\eta_i}}, \qquad \sum_{i \in B} h_i \in \{0, 1\}, \qquad
   A(\eta) = \sum_B \log\Big(1 + \sum_{i \in B} e^{\eta_i}\Big)

Units are images: maps of detection units, which are divided into blocks B. A block is a
softmax with a state of its own for off, and its pooled unit, :math:`\max_{i \in B}
h_i = \sum_{i \in B} h_i`, is on with the probability :math:`1 - 1 / (1 + \sum_{i \in B}
e^{\eta_i})` [1]_. A block of one unit is a binary unit.

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
# Least probability of blocks to be on, and to be off, in initial parameters.
_RARE = 1e-3


class _Shape(NamedTuple):
    height: int
    width: int
    maps: int
    rows: int
    columns: int
    # Fields of ``Selected`` alone.
    down: int = 1
    across: int = 1
    choice: str = ""


class Pooled(_Shape, Unit):
    """Maps of units in blocks, whose parameters are one bias for each map.

    Values and means are arrays of shape (n_rows, size), pixel after pixel, and of each
    map after map. ``rows`` and ``columns`` of a block divide those of the images.
    """

    __slots__ = ()
    ends, form = (0.0, 1.0), "pooled"

    @property
    def size(self):
        """Number of units."""
        return self.height * self.width * self.maps

    @property
    def n_blocks(self):
        """Number of blocks, of all maps, in which at most one unit is on."""
        return self.size // (self.rows * self.columns)

    @property
    def block(self):
        """Rows and columns of units under a pooled one."""
        return self.rows, self.columns

    @property
    def n_pooled(self):
        """Number of pooled units, of all maps."""
        return self.size // prod(self.block)

    def init(self, moments=None, dtype=np.float64):
        """Biases of maps with which units without neighbours have the given means,
        (size,), averaged over each map, and blocks are on at least once and off at
        least once in a thousand times; zeros without means."""
        if moments is None:
            return np.zeros(self.maps, dtype=dtype)
        n = self.rows * self.columns
        p = np.asarray(moments, np.float64).reshape(-1, self.maps).mean(axis=0)
        on = np.clip(n * p, _RARE, 1 - _RARE)
        return (np.log(on / n) - np.log1p(-on)).astype(dtype)

    def field(self, own, received=0.0):
        """Natural parameters eta = bias of the map + input from the neighbours."""
        return np.tile(own, self.height * self.width) + received

    def statistic(self, own, x):
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
        """Log weight of partly clamped rows: a unit that is on excludes all others of
        its block, and one that is off is not drawn."""
        eta = self.blocks(np.atleast_2d(np.asarray(eta, np.float64)))
        on, off = (
            self.blocks(clamped & part)
            for part in (np.asarray(x) > 0, np.asarray(x) == 0)
        )
        others = on.sum(axis=-1, keepdims=True) - on
        weight = np.where((others > 0) | off, -np.inf, 0.0)
        out = np.where(on.any(axis=-1), -np.inf, 0.0)
        found = np.empty((len(on), len(eta)))
        for row, (own, rest) in enumerate(zip(weight, out)):
            states = logsumexp(eta + own, axis=-1)
            found[row] = np.logaddexp(states, rest).sum(axis=-1)
        return found

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
        """Draw units with the probabilities ``mean``, (n_rows, size), by a Stream with
        a row for each row of it: a uniform number for each block."""
        mean = np.ascontiguousarray(mean)
        uniform, x = rng.uniform(self.n_blocks, mean.dtype.type), np.empty_like(mean)
        run(kernels.draw, mean, uniform, self[:5], x, n=len(x), work=_WORK * mean.size)
        return x

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means, in float64."""
        mean, on = np.asarray(mean, np.float64), np.asarray(x, np.float64)
        off = 1 - self._sums(on)
        left = np.maximum(1 - self._sums(mean), 0)
        with np.errstate(divide="ignore"):
            chosen = np.log(np.where(on > 0, mean, 1.0)).sum(axis=1)
            return chosen + np.log(np.where(off > 0, left, 1.0)).sum(axis=1)

    def entropy(self, own, mean):
        """Entropy in nats, (n_rows, size): that of the off state is divided among the
        units of its block."""
        n, sides = mean.dtype.type(self.rows * self.columns), self[3:5]
        off = entr(np.maximum(1 - self._sums(mean), mean.dtype.type(0)))
        return entr(mean) + repeated(off / n, self, sides)

    def param_grad(self, own, x, received):
        """Derivative of each row's log weight by the biases: how many units of each map
        are on, (n_rows, maps)."""
        x = np.asarray(x)
        return x.reshape(len(x), -1, self.maps).sum(axis=1)

    def blocks(self, x):
        """Rows by block, (n_rows, n_blocks, units of a block), a copy."""
        return split(x, self, self[3:5])

    def _whole(self, blocks):
        """Rows of which :meth:`blocks` are given."""
        return joined(blocks, self, self[3:5])

    def _sums(self, x):
        """Sums of values over blocks, (n_rows, n_blocks)."""
        return (
            in_blocks(x, self, self[3:5])
            .sum(axis=(2, 4))
            .reshape(len(x), self.n_blocks)
        )

    def pool(self, x):
        """Pooled units of rows of values, or their means, (n_rows, n_pooled): a pixel
        for each block, and of each map after map."""
        return self._sums(x)

    def select(self, x, mean, rng):
        """Pooled units of rows that were drawn with given means, (n_rows, n_pooled)."""
        return self.pool(x)

    def propose(self, x, mean, rng):
        """Pooled units as of :meth:`select`, but any that may be, and the log of by how
        much the model prefers them to the draw: of each row, or one for all."""
        return self.select(x, mean, rng), 0.0

    def repeat(self, pooled):
        """Number of each pooled unit for all units of its block, (n_rows, size): the
        adjoint of sums over blocks."""
        return repeated(pooled, self, self.block)

    def spread(self, pooled, own=None):
        """Means of units, (n_rows, size), given those of pooled ones, where all units
        of a block are as likely, and biases are no matter."""
        share = pooled.dtype.type(1 / prod(self.block))
        return self.repeat(np.asarray(pooled) * share)

    def slope(self, mean, pooled, grad):
        """Gradient by natural parameters, (n_rows, size), from that by pooled means;
        the means of units and the pooled ones are given."""
        return mean * self.repeat(grad * (1 - pooled))

    @property
    def tops(self):
        """The pooled units as a block of their own, one bias for each map."""
        height, width = self.block
        return Pooled(self[0] // height, self[1] // width, self.maps, 1, 1)

    def under(self, own):
        """Biases of blocks that are on as often as pooled units of these biases."""
        return own - own.dtype.type(np.log(prod(self.block)))

    def unpool(self, pooled, own, rng):
        """Draw units given pooled ones, (n_rows, n_pooled), and the biases of maps: in
        each block that is on, one, of which all are as likely; by a Stream with a row
        for each row."""
        pooled, n = np.asarray(pooled), prod(self.block)
        which = one_of(n, rng, self.n_pooled, pooled.dtype.type)
        return self._whole((which[..., None] == np.arange(n)) * pooled[..., None])

    def log_unpooled(self, x, pooled, own):
        """Log probability of rows of units given their pooled ones, as of
        :meth:`unpool`, float64."""
        n_on = np.asarray(x).sum(axis=1, dtype=np.float64)
        return -np.log(prod(self.block)) * n_on

    @property
    def n_states(self):
        """Number of joint states of the units: of each block their number + 1."""
        return (self.rows * self.columns + 1) ** self.n_blocks

    def states(self, codes):
        """Joint states by number in mixed radix, (n_codes, size)."""
        codes, n = np.asarray(codes), self.rows * self.columns
        x = np.zeros((len(codes), self.n_blocks, n + 1))
        for block in range(self.n_blocks):
            codes, own = np.divmod(codes, n + 1)
            x[np.arange(len(x)), block, own] = 1
        return self._whole(x[:, :, 1:])


def one_of(n, rng, size, dtype=np.float64):
    """Draw ``size`` of the numbers from 0 to n - 1 for each row of a Stream."""
    return np.minimum((rng.uniform(size, dtype) * n).astype(int), n - 1)
