r"""Densities of machines of which any two units may be linked.

.. math:: \log p(v) = \log \sum_h e^{-E(v, h)} - \log Z
"""

import numpy as np

from skdgm.base import of_rows
from skdgm.boltzmann._density.layered import EnergyDensity
from skdgm.boltzmann._learning.state import one_hot_rows, present
from skdgm.distributions import Sites
from skdgm.inference import bound, mean_field
from skdgm.partition import exact
from skdgm.partition.sites import n_bits
from skdgm.utils.math import distinct
from skdgm.utils.tree import astype

# Bits of free units of a row up to which their states are enumerated.
_FEW = 16


def presented(energy, v, fill, rng=None):
    """Clamp a machine to rows; see :func:`~skdgm.boltzmann._learning.state.present`.

    Codes of categories become one-hot.
    """
    unit, v = energy.units[0], np.asarray(v)
    v = one_hot_rows(unit, v) if isinstance(unit, Sites) else v
    x, clamp = present(v, fill, len(energy.units), rng)
    return (np.asarray(x[0]), *x[1:]), clamp


class GraphDensity(EnergyDensity):
    """Density of a machine of which any two units may be linked."""

    @property
    def capabilities(self):
        """As of layers, but visible units depend on each other given hidden ones, and
        so do these, of which many are summed out within a bound."""
        found = super().capabilities
        del found["visible_fields"]
        hidden = np.zeros(len(self.energy.layout.sizes), bool)
        hidden[self.columns.seen.size :] = True
        if not (self.enumerable or n_bits(self.energy, hidden) <= _FEW):
            weight = of_rows("lower bound", grey="lower bound")
            found |= {"numerator": weight, "free_energy": weight}
        own = {"features": of_rows("estimate"), "inverse": {"nothing": "estimate"}}
        return found | own

    @property
    def params_for_chains(self):
        """Parameters as arrays."""
        return self.params

    def params_for(self, rows, dtype=None, index=None):
        """Parameters as arrays, of a type."""
        return astype(self.params, dtype)

    def present(self, v):
        """Clamp the machine to rows of data; see :meth:`EnergyDensity.present`."""
        return presented(self.energy, v, lambda: self.domain.fill(self.columns))

    def log_weight(self, params, x, clamp):
        """Log of the sum of exp(-E) over all that is not clamped, or a bound on it."""
        energy, most = self.energy, exact.MAX_BITS if self.enumerable else _FEW
        if all(part is True for part in clamp):
            return -energy.energy(params, x)
        fixed = energy.clamped(clamp, len(x[0]))
        patterns, which = distinct(fixed)
        found = np.empty(len(x[0]))
        for number, pattern in enumerate(patterns):
            own = np.flatnonzero(which == number)
            part = (x[0][own], *x[1:])
            held = clamp[0] if clamp[0] is True else clamp[0][own]
            given = energy, params, part, (held, *clamp[1:])
            if n_bits(energy, ~pattern) <= most:
                found[own] = exact.log_evidence(*given)
            else:
                means, _ = mean_field(*given)
                found[own] = bound(energy, params, means, given[-1])
        return found

    def hidden_means(self, params, x, clamp):
        """Means of the hidden units; without any, those of each visible unit given all
        others."""
        means, _ = mean_field(self.energy, params, x, clamp)
        if len(self.energy.units) > 1:
            return means[1]
        return self.energy.units[0].mean(self._field(params, means))

    def visible_means(self, H):
        """Means of the visible units given hidden ones, by mean field; without any, the
        means that :meth:`features` returns."""
        if len(self.energy.units) == 1:
            return H
        fill = self.domain.fill(self.columns).astype(H.dtype)
        x, clamp = (np.tile(fill, (len(H), 1)), H), (None, True)
        return mean_field(self.energy, self.params, x, clamp)[0][0]

    def starts(self, params, x, clamp, rng):
        """Values of all units from which chains start, given the visible ones."""
        return self.drawn_even(params, x, clamp, rng)[0]

    def drawn_even(self, params, x, clamp, rng):
        """Values of the units, hidden ones drawn from the means of mean field."""
        if len(self.energy.units) == 1:
            return x, 0.0
        means, _ = mean_field(self.energy, params, x, clamp)
        unit = self.energy.units[1]
        h = unit.draw(means[1], rng.fold(1))
        return (x[0], np.asarray(h)), unit.log_prob(means[1], h)
