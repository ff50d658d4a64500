r"""Factors of conditional machines: weights that conditions gate.

.. math:: -E(y, h; x) = \dots + \sum_f \big(T(y)^\top A\big)_f \big(h^\top B\big)_f
   \big(x^\top C\big)_f

If only some conditions z are gates, they also gate the weights of the conditions [1]_:
there are factors of (y, h, z), of (y, x, z) and of (h, x, z).

References
----------
.. [1] Taylor and Hinton (2009). Factored conditional restricted Boltzmann machines for
   modeling motion style. ICML.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.boltzmann._conditional.conditions import widths_of
from skdgm.couplings import Factors
from skdgm.energies import Triple

# Names of the three ends of each kind of factors.
ALL = (("visible", "hidden", "conditions"),)
GATED = (
    ("visible", "hidden", "gates"),
    ("visible", "conditions", "gates"),
    ("hidden", "conditions", "gates"),
)


class Gating(NamedTuple):
    """Number of factors, a tuple of bool with the conditions that are gates (empty if
    all are), and whether there are weights between pairs of blocks."""

    n_factors: int
    gates: tuple = ()
    pairwise: bool = True

    @property
    def kinds(self):
        """The ends of each kind of factors, tuples of their names."""
        if not self.n_factors:
            return ()
        return GATED if self.gates else ALL

    def triples(self, units, first):
        """Three-way links between visible blocks, the hidden block and the conditions,
        and their couplings, which are numbered from ``first``."""
        links, couplings = [], []
        for kind in self.kinds:
            numbers = {}
            for end in kind:
                for block in self._blocks(end, len(units)):
                    numbers[end, block] = first + len(couplings)
                    mask = np.array(self.gates)[:, None] if end == "gates" else None
                    size = units[block].size
                    couplings.append(Factors(size, self.n_factors, mask))
            for first_end in self._blocks(kind[0], len(units)):
                others = [self._blocks(end, len(units))[0] for end in kind[1:]]
                blocks = first_end, *others
                numbered = tuple(numbers[end] for end in zip(kind, blocks))
                links.append(Triple(blocks, numbered))
        return links, couplings

    @staticmethod
    def _blocks(end, n_blocks):
        if end == "visible":
            return range(n_blocks - 2)
        return (n_blocks - 2 if end == "hidden" else n_blocks - 1,)

    def named(self, couplings, layout, gains):
        """Weights of the factors as a fitted attribute, a list of arrays of shape
        (n_factors, n_entries) for the three ends of each kind. ``gains`` are those of
        visible blocks and hidden units."""
        remaining, factors = iter(couplings), []
        for end in self._ends:
            if end == "visible":
                shape = self.n_factors, layout.widths.sum()
                weights = np.empty(shape, gains[-1].dtype)
                for places, gain in zip(layout.entries, gains):
                    weights[:, places] = next(remaining).T * gain
            else:
                weights = next(remaining).T * (gains[-1] if end == "hidden" else 1)
            factors.append(np.ascontiguousarray(weights))
        return factors

    def couplings(self, named, layout, gains):
        """Inverse of :meth:`named`."""
        couplings = []
        for end, of_end in zip(self._ends, named, strict=True):
            weights = of_end.T
            if end == "visible":
                places = zip(layout.entries, gains)
                couplings += [
                    weights[entries] / _column(gain) for entries, gain in places
                ]
            else:
                couplings.append(
                    weights / _column(gains[-1]) if end == "hidden" else weights
                )
        return [np.ascontiguousarray(weights) for weights in couplings]

    @property
    def _ends(self):
        return [end for kind in self.kinds for end in kind]


def _column(gain):
    return np.reshape(gain, (-1, 1))


def gating_of(facts):
    """Factors of a machine, with the conditions that are gates."""
    structure = facts.structure
    if structure.gates is None or not structure.n_factors:
        return Gating(structure.n_factors, (), structure.pairwise)
    names = getattr(facts.known, "feature_names_in_", None)
    n = len(facts.columns.seen)
    of_columns = np.zeros(n, bool)
    of_columns[gate_columns(structure.gates, names, n)] = True
    lags = max(1, structure.n_lags)
    gates = np.tile(np.repeat(of_columns, widths_of(facts.columns)), lags)
    return Gating(structure.n_factors, tuple(gates.tolist()), structure.pairwise)


def gate_columns(gates, names, n_columns):
    """Numbers of the columns of X that are gates, given by number or name; ValueError
    if X has no such column."""
    names, numbers = [] if names is None else list(names), []
    for gate in gates:
        if isinstance(gate, Integral) and not isinstance(gate, bool):
            place = int(gate)
        else:
            place = names.index(gate) if gate in names else n_columns
        if not -n_columns <= place < n_columns:
            has = f"columns {names}" if names else f"{n_columns} columns, without names"
            raise ValueError(f"gates names column {gate!r}, but X has {has}.")
        numbers.append(place % n_columns)
    return numbers
