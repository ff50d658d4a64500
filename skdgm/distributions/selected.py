r"""Blocks of independent binary units, one of which is the pooled unit.

.. math:: p(h \mid \eta) = \prod_i \sigma(\eta_i)^{h_i} (1 - \sigma(\eta_i))^{1 - h_i},
   \qquad p_B = h_{J_B}

The pooled unit of a block B, which is the input of the next layer, is the unit at a
position J. With ``choice="max"``, J is the unit with the highest probability, so that
the pooled mean is the maximum of the block's means. With "mean", J is random, so that
the pooled mean is their average. In both cases the pooled mean equals deterministic
pooling of the probabilities.

In the downward direction, J is uniform over the block, and the other units of the block
have the probabilities of units without neighbors, with the biases c of their maps:

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
# Probability that a proposal takes the unit with the highest mean.
_GREEDY = 0.5


class Selected(Pooled):
    """Maps of independent binary units with pooled units, each of which is one of the
    units of a block: with ``choice="max"`` the most probable, with "mean" any. ``rows``
    and ``columns`` are 1; ``down`` and ``across``, the rows and columns of a block,
    divide those of the images."""

    __slots__ = ()

    @property
    def block(self):
        return self.down, self.across

    def pool(self, x):
        """Maximum or mean over each block of values or means, (n_rows, n_pooled)."""
        blocks = in_blocks(x, self, self.block)
        pooled = blocks.max(axis=(2, 4)) if self._by_max else blocks.mean(axis=(2, 4))
        return pooled.reshape(len(blocks), self.n_pooled)

    def select(self, x, mean, rng):
        which = self._highest(mean)
        if not self._by_max:
            which = one_of(prod(self.block), rng, self.n_pooled)
        return self._at(x, which)

    def propose(self, x, mean, rng):
        r"""Draw pooled units from a proposal; return them and log importance weights.

        In the model all positions of a block are equally likely. With "max", half of
        the proposed positions are uniform, so that each position has positive
        probability:

        .. math:: Q(J_B = j \mid v) = \frac12 [j = \arg\max_i p(h_i = 1 \mid v)] +
           \frac1{2 |B|}
        """
        if not self._by_max:
            return self.select(x, mean, rng), 0.0
        n, highest = prod(self.block), self._highest(mean)
        uniform_choice = one_of(n, rng.fold(_WHICH), self.n_pooled)
        is_greedy = rng.fold(_OTHERS).uniform(self.n_pooled) < _GREEDY
        which = np.where(is_greedy, highest, uniform_choice)
        probabilities = (1 - _GREEDY) / n + _GREEDY * (which == highest)
        return self._at(x, which), -np.log(n * probabilities).sum(axis=1)

    def spread(self, pooled, params=None):
        """Means of units, (n_rows, size), given means of pooled units and the biases of
        maps: the average over the uniform position of the pooled unit."""
        pooled = np.asarray(pooled)
        share, other = pooled.dtype.type(1 / prod(self.block)), sigmoid(params)
        return self.repeat(pooled * share) + self._tiled(other * (1 - share))

    def slope(self, mean, pooled, grad):
        slope = mean * (1 - mean)
        if not self._by_max:
            return slope * self.repeat(grad * grad.dtype.type(1 / prod(self.block)))
        n = np.arange(prod(self.block))
        first = self._highest(mean)[..., None] == n
        return slope * joined(first * grad[..., None], self, self.block)

    def unpool(self, pooled, params, rng):
        """Draw units given pooled units, (n_rows, n_pooled), and the biases of maps, by
        a Stream with a row for each row. The pooled unit is at a uniform position of
        its block; all others are drawn with their biases."""
        pooled, n = np.asarray(pooled), prod(self.block)
        real = pooled.dtype.type
        which = one_of(n, rng.fold(_WHICH), self.n_pooled)[..., None] == np.arange(n)
        uniform = rng.fold(_OTHERS).uniform(self.size, real)
        others = split(uniform < self._tiled(sigmoid(params)), self, self.block)
        x = np.where(which, pooled[..., None], others.astype(real))
        return joined(x, self, self.block)

    def log_unpooled(self, x, pooled, params):
        """Log probability of rows of units given their pooled units and the positions
        of the pooled units, float64."""
        params = np.asarray(params, np.float64)
        n_other_on = self.param_grad(None, x, None).astype(np.float64)
        n_other_on -= np.reshape(pooled, (len(n_other_on), -1, self.maps)).sum(axis=1)
        n_others = (self.size - self.n_pooled) / self.maps
        return n_other_on @ params - n_others * softplus(params).sum()

    @property
    def _by_max(self):
        return self.choice == "max"

    def _highest(self, mean):
        """Position of the first maximum in each block of means, (n_rows, n_pooled)."""
        return split(mean, self, self.block).argmax(axis=-1)

    def _at(self, x, which):
        """Values of rows at a position of each block, (n_rows, n_pooled)."""
        blocks = split(x, self, self.block)
        return np.take_along_axis(blocks, which[..., None], axis=-1)[..., 0]

    def _tiled(self, params):
        """Values of maps, repeated for all pixels."""
        return np.tile(params, self.height * self.width)
