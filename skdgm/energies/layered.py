r"""Boltzmann machines whose units stand in layers.

Layers 0, 1, 2, … hold one or several blocks each; couplings join the blocks of
neighbouring layers only. With natural parameters :math:`\eta_i` of block i's own,
log weights :math:`w_i` and statistics :math:`T_i`,

.. math:: -E(x) = \sum_i w_i(x_i; \eta_i) + \sum_{i \sim j} T_i(x_i)^\top W_{ij} \,
   T_j(x_j), \qquad p(x) = e^{-E(x)} / Z.

What neighbours send is added to :math:`\eta_i`, in which :math:`w_i` is linear. So a
path of natural parameters between a block's base and its field is a path of energies.

One hidden layer gives the restricted Boltzmann machine [1]_, several the deep
one [2]_. Given the even layers the blocks of the odd ones are independent, and
conversely: these are the model's two colours.

References
----------
.. [1] Smolensky (1986). Information processing in dynamical systems: foundations
   of harmony theory.
.. [2] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

import numpy as np

from skdgm.energies.params import Params, between
from skdgm.energies.wiring import ODD, Wiring


class LayeredEnergy:
    """The energy of a chain of layers.

    A state x is a tuple with one array for each block, its rows being independent
    copies of the model.

    Parameters
    ----------
    layers : sequence of sequences of units
        The blocks of each layer, from the bottom up.
    """

    def __init__(self, layers):
        self.wiring = Wiring.chain(layers)
        self.units = self.wiring.units
        self.colours = self.wiring.colours

    def init(self, rng, means=None, scale=0.01, dtype=np.float64):
        """Small random couplings, and biases that give the means where known."""
        means = means or (None,) * len(self.units)
        return Params(
            tuple(u.init(m, dtype) for u, m in zip(self.units, means)),
            tuple(c.init(rng, scale, dtype) for _, _, c in self.wiring.links),
        )

    def received(self, params, x, block, among=None):
        """The sum of what a block's neighbours send it, of shape (n_rows, size), or of
        what some blocks do that are among them."""
        return sum(
            self.wiring.links[link].coupling.send(
                params.couplings[link], self.statistic(params, x, other), up
            )
            for link, other, up in self.wiring.neighbours(block)
            if among is None or other in among
        )

    def field(self, params, block, received, path=None):
        """A block's natural parameter, given what it receives."""
        unit = self.units[block]
        eta = unit.field(params.units[block], received)
        if path is None:
            return eta
        return between(unit.field(path.base[block]), eta, path.beta)

    def energy(self, params, x, path=None):
        """E(x) of every row."""
        log_weight = sum(
            coupling.log_weight(
                W, self.statistic(params, x, i), self.statistic(params, x, j)
            )
            for (i, j, coupling), W in zip(self.wiring.links, params.couplings)
        )
        if path is not None:
            log_weight = np.ravel(path.beta) * log_weight
        for block in range(len(self.units)):
            log_weight = log_weight + self.lone_weight(params, x, block, path)
        return -log_weight

    def log_marginal(self, params, x, summed=ODD, received=None, path=None):
        """Log of the sum of exp(-E) over the blocks of one colour, in float64.

        Parameters
        ----------
        x : tuple
            The values of the summed colour are not looked at.
        summed : {EVEN, ODD}
        received : dict, optional
            What each summed block receives, where it is known already.
        """
        total = 0.0
        for block in self.colours[summed]:
            known = received[block] if received else self.received(params, x, block)
            eta = self.field(params, block, known, path)
            total = total + self.units[block].log_partition(eta)
        for block in self.colours[1 - summed]:
            total = total + self.lone_weight(params, x, block, path)
        return total

    def base(self, params, means):
        """The model without couplings that has given means, and its log Z.

        Parameters
        ----------
        means : tuple
            The means (or other moments) of each block, as its unit's ``init`` takes
            them, or None where the block keeps its own parameters.
        """
        units = tuple(
            own if m is None else unit.init(m, params.dtype)
            for unit, own, m in zip(self.units, params.units, means)
        )
        log_Z = sum(
            unit.log_partition(unit.field(own)) for unit, own in zip(self.units, units)
        )
        return units, float(log_Z)

    def lone_weight(self, params, x, block, path=None):
        """The log weight of a block's value but for its neighbours."""
        eta = self.field(params, block, 0.0, path)
        return self.units[block].log_weight(eta, x[block])

    def statistic(self, params, x, block):
        """What a block's neighbours see of it."""
        return self.units[block].statistic(params.units[block], x[block])

    def constrain(self, params, max_norm=None):
        """Bring parameters back to where they may be, in place.

        Parameters
        ----------
        max_norm : float, optional
            The highest norm of what weighs on a unit from a block below, counted in
            standard deviations of real units.
        """
        for unit, own in zip(self.units, params.units):
            unit.constrain(own)
        if max_norm is not None:
            for link, weights in zip(self.wiring.links, params.couplings):
                scale = self.units[link.below].scale(params.units[link.below])
                link.coupling.limit(weights, max_norm, scale)
