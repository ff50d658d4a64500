r"""Directed layers: generation of the units below and recognition of the units above.

.. math:: P(x \mid h) = \exp(T(x)^\top W h + \log w(x) - A), \qquad
   Q(h \mid x) = \prod_j \sigma(c_j + T(x)^\top R_{:j})^{h_j} (\cdots)^{1 - h_j}

Both are conditional distributions of restricted Boltzmann machines [1]_. After
layerwise training they share one machine (R = W); refinement unties them.

References
----------
.. [1] Hinton, Osindero and Teh (2006). A fast learning algorithm for deep belief nets.
   Neural Computation.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions import Gaussian, Pooled
from skdgm.energies import Energy, Params, contrast, layered, tiled
from skdgm.inference import mean_field
from skdgm.utils.tree import tree_map

# Numbers of the lower and the upper block of a two-block machine.
BELOW, ABOVE = 0, 1
# Tags of the random streams of upward passes, downward passes, and pooling.
_UP, _DOWN, _WITHIN = range(3)


class Directed(NamedTuple):
    """Directed layer: the energy of a machine with one block below and one block of
    binary units above, with separate recognition (upward) and generative (downward)
    parameters."""

    energy: Energy
    recognition: Params
    generative: Params

    @property
    def units(self):
        """Units below and units above."""
        return self.energy.units

    def for_lists(self):
        """Layer with its weights in tiles, if both blocks are binary."""
        if self.energy.has_real_units:
            return self
        return self._replace(
            recognition=tiled(self.recognition), generative=tiled(self.generative)
        )

    def up(self, x):
        """Natural parameters of Q(h | x), (n_rows, n_above), given values or means of
        the units below."""
        received = self.energy.received(self.recognition, (x, None), ABOVE)
        return self.energy.field(self.recognition, ABOVE, received)

    def down(self, h):
        """Natural parameters of P(x | h), given values or means of the units above:
        logits of binary units, ``Natural`` parameters of real units."""
        received = self.energy.received(self.generative, (None, h), BELOW)
        return self.energy.field(self.generative, BELOW, received)

    def means(self, x, clamp):
        """Mean-field means of the missing entries below and of the units above. ``x``
        and ``clamp`` are pairs, for both blocks, of values and of masks of observed
        entries, or None."""
        return mean_field(self.energy, self.recognition, x, clamp)[0]

    def above(self, h, mean, rng):
        """Input of the next layer, given drawn units above and their means: the units
        themselves."""
        return h

    def proposed(self, h, mean, rng):
        """Proposed input of the next layer for a likelihood, and the log ratio of its
        probability to the probability of the proposal, in nats."""
        return h, 0.0

    def within(self, seen, rng):
        """Draw the units above given the input of the next layer."""
        return seen

    def spread(self, seen):
        """Means of the units above given means of the input of the next layer."""
        return seen

    def log_within(self, h, seen):
        """Log probability of the units above given the input of the next layer: one
        value per row, or one for all."""
        return 0.0

    def log_conditional(self, x, h, clamped=True):
        r"""Log probability of the observed units below given the units above, in nats.

        .. math:: \log P(x \mid h) = \sum_{i \text{ observed}} \log P(x_i \mid h)

        ``clamped`` masks the observed entries of x; True if all are observed.
        """
        unit, eta = self.units[BELOW], self.down(h)
        if clamped is True:
            return unit.log_weight(eta, x) - unit.log_partition(eta)
        x = np.asarray(x)
        single = type(unit)(1)
        eta = tree_map(lambda part: np.broadcast_to(part, x.shape).reshape(-1, 1), eta)
        log_p = single.log_weight(eta, x.reshape(-1, 1)) - single.log_partition(eta)
        return log_p.reshape(x.shape).sum(axis=1, where=clamped)

    def wake(self, x, h, clamped, rng):
        r"""Gradient of mean log P(x | h) with respect to generative parameters.

        .. math:: \Delta_P = \langle \partial \log P(x \mid h) / \partial\theta \rangle

        Units above are draws from Q, and missing entries below do not contribute.
        ``rng`` has a stream for each row.
        """
        unit = self.units[BELOW]
        drawn, model = unit.sample(self.down(h), rng)
        if isinstance(unit, Gaussian):
            # Means of squares are those of the model for draws, but not for means.
            model = drawn
        x = x if clamped is True else np.where(clamped, x, model)
        return contrast(self.energy, self.generative, (x, h), (model, h))

    def sleep(self, x, h):
        r"""Gradient of mean log Q(h | x) with respect to recognition parameters.

        .. math:: \Delta_Q = \langle \partial \log Q(h \mid x) / \partial\phi \rangle

        Units below are draws from P, or means.
        """
        mean = self.units[ABOVE].mean(self.up(x))
        grad = contrast(self.frozen(), self.recognition, (x, h), (x, mean))
        return grad._replace(couplings=(grad.couplings[0].one_sided(),))

    def frozen(self):
        """Energy of the layer with fixed precisions."""
        below, above = self.units
        if isinstance(below, Gaussian):
            below = below._replace(precision="fixed")
        return layered([[below], [above]])


class PooledDirected(Directed):
    r"""Directed layer whose input to the next layer are pooled units p.

    .. math:: P(h \mid p) = \prod_{B: p_B = 1} \frac{1}{|B|}, \qquad p_B = \sum_{j \in
       B} h_j \in \{0, 1\}

    For max and mean pooling, P(h | p) is that of
    :class:`~skdgm.distributions.Selected`.
    """

    __slots__ = ()

    def for_lists(self):
        """Layer itself: filters are not stored in tiles."""
        return self

    @property
    def _biases(self):
        """Biases of the maps in generation."""
        return self.generative.units[ABOVE]

    def above(self, h, mean, rng):
        """Pooled units."""
        return self.units[ABOVE].select(h, mean, rng)

    def proposed(self, h, mean, rng):
        """Proposed pooled units, and their log ratio of probabilities."""
        return self.units[ABOVE].propose(h, mean, rng)

    def within(self, seen, rng):
        """Draw detection units given pooled units."""
        return self.units[ABOVE].unpool(seen, self._biases, rng)

    def spread(self, seen):
        """Means of detection units given means of pooled units."""
        return self.units[ABOVE].spread(seen, self._biases)

    def log_within(self, h, seen):
        """Log probability of detection units given pooled units."""
        return self.units[ABOVE].log_unpooled(h, seen, self._biases)


def directed(energy, recognition, generative):
    """Directed layer of a two-block energy, with pooling if its upper units are
    pooled."""
    pooled = isinstance(energy.units[ABOVE], Pooled)
    return (PooledDirected if pooled else Directed)(energy, recognition, generative)


def ascent(layers, x, rng):
    """Draw the units above directed layers in one upward pass.

    Returns a list of x and the drawn inputs of the next layer for each layer, from the
    bottom up. ``rng`` has a stream for each row.
    """
    states = [x]
    for number, layer in enumerate(layers):
        layer_rng = rng.fold(_UP, number)
        h, mean = layer.units[ABOVE].sample(layer.up(states[-1]), layer_rng)
        states.append(layer.above(h, mean, layer_rng.fold(_WITHIN)))
    return states


def descent(layers, h, rng):
    """Draw the units below directed layers in one downward pass.

    ``h`` is the input of the layer above the directed layers. Returns the drawn units
    of each layer from the bottom up, and the conditional means of the visible units,
    (n_rows, n_visible).
    """
    states, mean = [h], h
    for number, layer in reversed(list(enumerate(layers))):
        layer_rng = rng.fold(_DOWN, number)
        states[0] = layer.within(states[0], layer_rng.fold(_WITHIN))
        x, mean = layer.units[BELOW].sample(layer.down(states[0]), layer_rng)
        states.insert(0, x)
    return states, mean
