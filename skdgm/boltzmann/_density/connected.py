r"""Densities of general Boltzmann machines.

.. math:: \log p(v) = \log \sum_h e^{-E(v, h)} - \log Z
"""

from functools import cached_property

import numpy as np

from skdgm.base import of_rows
from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann.learning.state import clamp_rows, one_hot_rows
from skdgm.distributions import Sites
from skdgm.inference import bound, mean_field
from skdgm.partition import exact
from skdgm.partition.sites import n_bits
from skdgm.utils.math import distinct
from skdgm.utils.tree import astype

# Number of bits of the free units of a row up to which their states are enumerated.
_MAX_ENUMERATED_BITS = 16


def clamp_sites(energy, v, fill, rng=None):
    """Clamp a machine to rows; see :func:`~skdgm.boltzmann.learning.state.clamp_rows`.
    Codes of categories become one-hot."""
    unit, v = energy.units[0], np.asarray(v)
    v = one_hot_rows(unit, v) if isinstance(unit, Sites) else v
    x, clamp = clamp_rows(v, fill, len(energy.units), rng)
    return (np.asarray(x[0]), *x[1:]), clamp


class GraphDensity(EnergyDensity):
    """Density of a machine with links between any two units."""

    @property
    def capabilities(self):
        """As for layers, but hidden units depend on each other given the visible units:
        if there are many, they are marginalized by a bound."""
        kinds = super().capabilities
        del kinds["visible_fields"]
        hidden = np.zeros(len(self.energy.layout.sizes), bool)
        hidden[self.columns.seen.size :] = True
        if not (self.enumerable or n_bits(self.energy, hidden) <= _MAX_ENUMERATED_BITS):
            weight = of_rows("lower bound", gray="lower bound")
            kinds |= {"numerator": weight, "free_energy": weight}
        kinds |= {
            "features": of_rows("estimate"),
            "inverse": {"unconditional": "estimate"},
        }
        return kinds

    @cached_property
    def params_for_chains(self):
        return self.params

    def params_for(self, rows, dtype=None, index=None):
        return astype(self.params, dtype)

    def clamp_rows(self, v):
        return clamp_sites(self.energy, v, lambda: self.domain.fill(self.columns))

    def log_weight(self, params, x, clamp):
        energy = self.energy
        max_bits = exact.MAX_BITS if self.enumerable else _MAX_ENUMERATED_BITS
        if all(clamped is True for clamped in clamp):
            return -energy.energy(params, x)
        patterns, pattern_of_row = distinct(energy.clamped(clamp, len(x[0])))
        log_weight = np.empty(len(x[0]))
        for number, pattern in enumerate(patterns):
            rows = np.flatnonzero(pattern_of_row == number)
            values = (x[0][rows], *x[1:])
            clamp_of_rows = (
                clamp[0] if clamp[0] is True else clamp[0][rows],
                *clamp[1:],
            )
            if n_bits(energy, ~pattern) <= max_bits:
                log_weight[rows] = exact.log_evidence(
                    energy, params, values, clamp_of_rows
                )
            else:
                means, _ = mean_field(energy, params, values, clamp_of_rows)
                log_weight[rows] = bound(energy, params, means, clamp_of_rows)
        return log_weight

    def hidden_means(self, params, x, clamp):
        """Means of the hidden units; without hidden units, means of each visible unit
        given all others."""
        means, _ = mean_field(self.energy, params, x, clamp)
        if len(self.energy.units) > 1:
            return means[1]
        return self.energy.units[0].mean(self._field(params, means))

    def visible_means(self, H):
        """Means of the visible units given hidden units, by mean field; without hidden
        units H itself, since features are then means of visible units."""
        if len(self.energy.units) == 1:
            return H
        fill = self.domain.fill(self.columns).astype(H.dtype)
        x, clamp = (np.tile(fill, (len(H), 1)), H), (None, True)
        return mean_field(self.energy, self.params, x, clamp)[0][0]

    def drawn_even(self, params, x, clamp, rng):
        """Values of the units, with hidden units drawn from their mean-field means."""
        if len(self.energy.units) == 1:
            return x, 0.0
        means, _ = mean_field(self.energy, params, x, clamp)
        unit = self.energy.units[1]
        h = unit.draw(means[1], rng.fold(1))
        return (x[0], np.asarray(h)), unit.log_prob(means[1], h)
