r"""Boltzmann machines whose units form layers.

Layers 0, 1, 2, … consist of one or several blocks each; couplings join the blocks of
neighbouring layers only. With natural parameters :math:`\eta_i` of block i without
neighbours, log weights :math:`w_i` and statistics :math:`T_i`,

.. math:: -E(x) = \sum_i w_i(x_i; \eta_i) + \sum_{i \sim j} T_i(x_i)^\top W_{ij} \,
   T_j(x_j), \qquad p(x) = e^{-E(x)} / Z.

The input from neighbours is added to :math:`\eta_i`, in which :math:`w_i` is linear.
So interpolating natural parameters interpolates energies.

One hidden layer gives the restricted Boltzmann machine [1]_, several the deep one
[2]_. Given the even layers the blocks of the odd ones are independent, and vice versa:
these are the two colours of the model.

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

    A state x is a tuple with an array or Lists of shape (n_rows, size) for each block,
    ``path`` a :class:`Path`, or None for the model itself. Energies are (n_rows,).

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
        """Params with small normal weights, and biases that give the means where known;
        ``rng`` is a NumPy generator, ``means`` has what ``init`` of each unit takes."""
        means = means or (None,) * len(self.units)
        return Params(
            tuple(u.init(m, dtype) for u, m in zip(self.units, means)),
            tuple(c.init(rng, scale, dtype) for _, _, c in self.wiring.links),
        )

    def received(self, params, x, block, among=None):
        """Sum of the inputs to a block from its neighbours, or from those with a number
        in ``among``; of shape (n_rows, size)."""
        return sum(
            self.wiring.links[link].coupling.send(
                params.couplings[link], self.statistic(params, x, other), up
            )
            for link, other, up in self.wiring.neighbours(block)
            if among is None or other in among
        )

    def field(self, params, block, received, path=None):
        """Natural parameter of a block with input ``received`` from its neighbours."""
        unit = self.units[block]
        eta = unit.field(params.units[block], received)
        if path is None:
            return eta
        return between(unit.field(path.base[block]), eta, path.beta)

    def energy(self, params, x, path=None):
        """E(x) of each row."""
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
            The values of the summed colour are ignored.
        summed : {EVEN, ODD}
        received : dict, optional
            The input of each summed block, if known already.
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
        """Model without couplings with given means: its units' parameters and log Z.

        Parameters
        ----------
        means : tuple
            The means (or other moments) of each block, as ``init`` of its unit takes
            them, or None for a block that keeps its own parameters.
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
        """Log weight of the value of a block without its neighbours."""
        eta = self.field(params, block, 0.0, path)
        return self.units[block].log_weight(eta, x[block])

    def statistic(self, params, x, block):
        """Sufficient statistic of a block, by which its couplings multiply."""
        return self.units[block].statistic(params.units[block], x[block])

    def constrain(self, params, max_norm=None):
        """Project parameters onto the allowed set, in place.

        Parameters
        ----------
        max_norm : float, optional
            Highest norm of a unit's weights to a block below, which count in standard
            deviations of real units.
        """
        for unit, own in zip(self.units, params.units):
            unit.constrain(own)
        if max_norm is not None:
            for link, weights in zip(self.wiring.links, params.couplings):
                scale = self.units[link.below].scale(params.units[link.below])
                link.coupling.limit(weights, max_norm, scale)
