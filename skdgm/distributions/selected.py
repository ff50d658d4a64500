r"""Binary units in blocks, of each of which the next layer has one as input.

.. math:: p(h \mid \eta) = \prod_i \sigma(\eta_i)^{h_i} (1 - \sigma(\eta_i))^{1 - h_i},
   \qquad p_B = h_{J_B}

All units are independent, as in a machine without pooling, and the pooled unit of a
block B is that of a position J: with ``choice="max"`` of the unit whose probability is
highest, so that the pooled mean is the maximum of the block's means; with "mean" of one
at random, so that it is their mean. Bits are drawn with these means, as those of
deterministic pooling of the probabilities.

Downwards, J is any position with the same probability, and the other units of the block
are as without neighbours, with the biases c of their maps alone:

.. math:: P(h, J \mid p) = \prod_B \frac{[h_{J_B} = p_B]}{|B|} \prod_{i \in B \setminus
   J_B} \sigma(c_i)^{h_i} (1 - \sigma(c_i))^{1 - h_i}
"""

from math import prod

import numpy as np

from skdgm.distributions.pooled import Pooled, one_of
from skdgm.utils.images import in_blocks, joined, split
from skdgm.utils.math import sigmoid, softplus

# Tags of the random streams of positions and of the other units.
_WHICH, _OTHERS = range(2)
# Share of the highest among the positions of proposals.
_GREEDY = 0.5


class Selected(Pooled):
    """Maps of independent binary units, in ``rows`` and ``columns`` of 1, and pooled
    units that are one of a block, the "max" or for the "mean" any; ``down`` and
    ``across``, rows and columns of a block, divide the images."""

    __slots__ = ()

    @property
    def block(self):
        return self.down, self.across

    def pool(self, x):
        """Maximum or mean of each block of values, or means, (n_rows, n_pooled)."""
        parts = in_blocks(x, self, self.block)
        pooled = parts.max(axis=(2, 4)) if self._by_max else parts.mean(axis=(2, 4))
        return pooled.reshape(len(parts), self.n_pooled)

    def select(self, x, mean, rng):
        """Pooled units of rows that were drawn with given means, (n_rows, n_pooled), by
        a Stream with a row for each row."""
        which = self._highest(mean)
        if not self._by_max:
            which = one_of(prod(self.block), rng, self.n_pooled)
        return self._at(x, which)

    def propose(self, x, mean, rng):
        r"""Pooled units, and the log of by how much the model, in which all positions
        of a block are as likely, prefers their positions to the draw. With "max" half
        of the positions are at random here:

        .. math:: Q(J_B = j \mid v) = \frac12 [j = \arg\max_i p(h_i = 1 \mid v)] +
           \frac1{2 |B|}

        since an importance weight counts only what may be drawn.
        """
        if not self._by_max:
            return self.select(x, mean, rng), 0.0
        n, highest = prod(self.block), self._highest(mean)
        any_one = one_of(n, rng.fold(_WHICH), self.n_pooled)
        heads = rng.fold(_OTHERS).uniform(self.n_pooled) < _GREEDY
        which = np.where(heads, highest, any_one)
        share = (1 - _GREEDY) / n + _GREEDY * (which == highest)
        return self._at(x, which), -np.log(n * share).sum(axis=1)

    def spread(self, pooled, own=None):
        """Means of units, (n_rows, size), given those of pooled ones and the biases of
        maps: an equal share of the pooled mean, and the rest of the others'."""
        pooled = np.asarray(pooled)
        share, other = pooled.dtype.type(1 / prod(self.block)), sigmoid(own)
        return self.repeat(pooled * share) + self._tiled(other * (1 - share))

    def slope(self, mean, pooled, grad):
        slope = mean * (1 - mean)
        if not self._by_max:
            return slope * self.repeat(grad * grad.dtype.type(1 / prod(self.block)))
        n = np.arange(prod(self.block))
        first = self._highest(mean)[..., None] == n
        return slope * joined(first * grad[..., None], self, self.block)

    def unpool(self, pooled, own, rng):
        """Draw units given pooled ones, (n_rows, n_pooled), and the biases of maps: the
        pooled one at any position of its block, and all others with their biases; by a
        Stream with a row for each row."""
        pooled, n = np.asarray(pooled), prod(self.block)
        real = pooled.dtype.type
        which = one_of(n, rng.fold(_WHICH), self.n_pooled)[..., None] == np.arange(n)
        uniform = rng.fold(_OTHERS).uniform(self.size, real)
        others = split(uniform < self._tiled(sigmoid(own)), self, self.block)
        x = np.where(which, pooled[..., None], others.astype(real))
        return joined(x, self, self.block)

    def log_unpooled(self, x, pooled, own):
        """Log probability of rows of units given their pooled ones and the positions of
        these, float64."""
        own = np.asarray(own, np.float64)
        gap = self.param_grad(None, x, None).astype(np.float64)
        gap -= np.reshape(pooled, (len(gap), -1, self.maps)).sum(axis=1)
        n_others = (self.size - self.n_pooled) / self.maps
        return gap @ own - n_others * softplus(own).sum()

    @property
    def _by_max(self):
        return self.choice == "max"

    def _highest(self, mean):
        """Positions of the first highest mean of each block, (n_rows, n_pooled)."""
        return split(mean, self, self.block).argmax(axis=-1)

    def _at(self, x, which):
        """Values of rows at a position of each block."""
        parts = split(x, self, self.block)
        return np.take_along_axis(parts, which[..., None], axis=-1)[..., 0]

    def _tiled(self, own):
        """Numbers of maps for all units."""
        return np.tile(own, self.height * self.width)
