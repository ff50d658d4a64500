r"""Sums over all states of one layer, with conditions or biases for each row.

.. math:: Z(x) = \sum_{y, h} e^{-E(y, h; x)} = \sum_h e^{\log w(h; x)} \sum_y e^{-E(y;
   h, x)}

Either h or the free part of y has few states, which are enumerated. The other layer is
summed out in closed form given each state.
"""

import math
from copy import copy
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.distributions import Gaussian
from skdgm.partition import exact
from skdgm.utils.tree import tree_map

# Maximum bits of the layer that is enumerated for each row; entries of a chunk.
MAX_BITS, _MAX_ENTRIES = 12, 2**22


def few_bits(energy):
    """Log2 of the number of states of the smaller layer, y or the hidden units."""
    visible, *_, hidden = energy.colors
    return min(exact.n_bits(energy, visible), exact.n_bits(energy, hidden))


class _Entries(NamedTuple):
    """Unit of selected entries of a block, and their positions in the block."""

    unit: Any
    places: np.ndarray

    @property
    def bits(self):
        """Log2 of the number of joint states."""
        return math.log2(self.unit.n_states) if len(self.places) else 0.0


def _entries(unit, mask):
    places = np.flatnonzero(mask)
    return _Entries(unit if mask.all() else unit.only(places), places)


def part_of(tree, places):
    """Selected entries of all arrays of a tree; a number does not change."""
    if isinstance(tree, int | float):
        return tree
    return tree_map(lambda own: own[..., places], tree)


def _joined(parts):
    """Concatenate the blocks of several chunks of rows; None stays None."""
    if len(parts) == 1:
        return parts[0]
    blocks = (
        list(map(np.asarray, chunks)) if chunks[0] is not None else None
        for chunks in zip(*parts)
    )
    return [chunks and np.concatenate(chunks) for chunks in blocks]


class Enumeration:
    """Sums over the states of the smaller layer, free entries of y or hidden units.

    The energy has the colors of y, optionally of conditions, and of hidden units;
    ``params`` are float64. All rows have the same ``known`` entries, a list of masks of
    the visible blocks, (size,), by default none. The methods take conditions z,
    (n_rows, n_conditions), or None for an energy without conditions, whose biases then
    differ by row. They take values y of the visible blocks as a list, of which only
    known entries count, or None if nothing is known.
    """

    def __init__(self, energy, params, known=None):
        self.energy, self.params = energy, params
        self.visible, *conditions, self.hidden = energy.colors
        self.given = conditions[0][0] if conditions else None
        nothing = [np.zeros(unit.size, bool) for unit in energy.units]
        masks = nothing if known is None else [*known, *nothing[len(known) :]]
        self.known, self.free = (
            [_entries(energy.units[b], masks[b] == is_known) for b in range(len(masks))]
            for is_known in (True, False)
        )
        of_y = sum(part.bits for b, part in enumerate(self.free) if b in self.visible)
        of_hidden = exact.n_bits(energy, self.hidden)
        self.of_y, self.bits = of_y <= of_hidden, min(of_y, of_hidden)
        layers = self.visible, self.hidden
        self.few, self.many = layers if self.of_y else layers[::-1]

    def of(self, known):
        """The enumeration for rows with known entries."""
        none_known = not any(mask.any() for mask in known)
        return self if none_known else type(self)(self.energy, self.params, known)

    @property
    def possible(self):
        """True if the states are few enough to be enumerated for each row."""
        return self.bits <= MAX_BITS

    @cached_property
    def states(self):
        """All states of the free entries: values of each enumerated block, (n_states,
        size), 0 where known; None for other blocks."""
        codes = np.arange(round(2**self.bits))
        x = [None] * len(self.energy.units)
        for block in self.few:
            x[block] = np.zeros((len(codes), self.energy.units[block].size))
            unit, places = self.free[block]
            if len(places):
                remaining, unit_codes = np.divmod(codes, unit.n_states)
                x[block][:, places], codes = unit.states(unit_codes), remaining
        return x

    def size(self):
        """Maximum number of rows in a chunk."""
        widest = max(self.energy.units[block].size for block in self.many)
        return max(1, int(_MAX_ENTRIES // (2**self.bits * widest)))

    def _rows(self, z, y):
        """Values of conditions, and of known entries of y if y is enumerated, by block;
        None for other blocks."""
        x = [None] * len(self.energy.units)
        if self.given is not None:
            x[self.given] = z
        if self.of_y:
            for block in self.visible:
                places = self.known[block].places
                if len(places):
                    x[block] = np.zeros((len(y[block]), self.energy.units[block].size))
                    x[block][:, places] = y[block][:, places]
        return x

    def _inputs(self, z, y, block):
        """Inputs of a block that is summed out: from each row, from each state, and
        from both through three-way weights, (n_rows * n_states, size). An input without
        sources is 0."""
        energy, params, rows = self.energy, self.params, self._rows(z, y)
        among = [other for other, part in enumerate(rows) if part is not None]
        of_rows = energy.received(params, rows, block, among=among)
        of_states = energy.received(params, self.states, block, among=self.few)
        across = energy.product_input(params, self.states, rows, block, outer=True)
        return of_rows, of_states, across

    def _fields(self, n_rows, inputs, block, entries):
        """Natural parameters of entries of a block, (n_rows * n_states, n_entries)."""
        unit, places = entries
        of_rows, of_states, total = (part_of(source, places) for source in inputs)
        for part, axis in (of_rows, 1), (of_states, 0):
            if isinstance(part, np.ndarray):
                shape = n_rows, self._n_states, len(places)
                repeated_part = np.broadcast_to(np.expand_dims(part, axis), shape)
                total = total + repeated_part.reshape(-1, len(places))
        params = tree_map(
            lambda p: np.repeat(p, self._n_states, axis=0) if p.ndim > 1 else p,
            part_of(self.params.units[block], places),
        )
        return unit.field(params, total)

    def _log_partition(self, n_rows, inputs, block):
        """Log partition function of the free entries of a block given each state,
        (n_rows, n_states) or (1, n_states)."""
        unit, places = self.free[block]
        of_rows, of_states, across = (part_of(source, places) for source in inputs)
        if isinstance(unit, Gaussian) and not isinstance(across, np.ndarray):
            params = part_of(self.params.units[block], places)
            return unit.log_partition_of_sums(params, of_rows, of_states)
        eta = self._fields(n_rows, inputs, block, self.free[block])
        return unit.log_partition(eta).reshape(n_rows, self._n_states)

    def _of_known(self, inputs, y, block):
        """Log weights of the known entries of a block given each state, (n_rows,
        n_states); they are linear in the input."""
        unit, places = self.known[block]
        of_rows, of_states, across = (part_of(source, places) for source in inputs)
        params, x = part_of(self.params.units[block], places), y[block][:, places]
        T = np.asarray(unit.statistic(params, x))
        total = unit.log_weight(unit.field(params, of_rows), x)[:, None]
        if isinstance(of_states, np.ndarray):
            total = total + T @ of_states.T
        if isinstance(across, np.ndarray):
            shape = len(x), self._n_states, len(places)
            total = total + np.einsum("ru,rsu->rs", T, across.reshape(shape))
        return total

    @property
    def _n_states(self):
        return len(self.states[self.few[0]])

    def _n_rows(self, z):
        return self.params.n_conditions if z is None else len(z)

    def log_weights(self, z, y=None):
        """Log weight of each state with the known entries of y, (n_rows, n_states)."""
        energy, n_states, n_rows = self.energy, self._n_states, self._n_rows(z)
        total = np.zeros((n_rows, 1))
        rows = self._rows(z, y)
        for block in self.few:
            received = energy.received(self.params, rows, block, among=(self.given,))
            eta = energy.field(self.params, block, received)
            unit, places = self.free[block]
            if len(places):
                x, clamped = (
                    self.states[block][:, places],
                    np.ones((n_states, len(places)), bool),
                )
                total = total + unit.log_evidence(part_of(eta, places), x, clamped).T
            unit, places = self.known[block]
            if len(places):
                known_log_w = unit.log_weight(part_of(eta, places), y[block][:, places])
                total = total + known_log_w[:, None]
        for block in self.many:
            inputs = self._inputs(z, y, block)
            if len(self.free[block].places):
                total = total + self._log_partition(n_rows, inputs, block)
            if len(self.known[block].places):
                total = total + self._of_known(inputs, y, block)
        return total

    def log_evidence(self, z, y=None):
        """Log of the sum over the hidden units and the free entries of y, (n_rows,)."""
        return np.concatenate(
            [
                logsumexp(sums.log_weights(z_part, y_part), axis=1)
                for sums, z_part, y_part, _ in self._parts(z, y)
            ]
        )

    def means(self, z, y=None):
        """Means of the blocks of y and of the hidden units, a list by block."""
        return _joined(
            [
                sums.means_of_part(z_part, y_part)
                for sums, z_part, y_part, _ in self._parts(z, y)
            ]
        )

    def draw(self, z, rng, y=None):
        """Draw y and the hidden units exactly, a list by block; ``rng`` has a stream
        for each row."""
        return _joined(
            [
                sums.draw_part(z_part, y_part, rng.take(part))
                for sums, z_part, y_part, part in self._parts(z, y)
            ]
        )

    def _parts(self, z, y):
        """Iterate over chunks of rows: enumeration, conditions, values and slice."""
        for start in range(0, self._n_rows(z), self.size()):
            chunk, enumeration = slice(start, start + self.size()), self
            if self.params.n_conditions:
                enumeration = copy(self)
                enumeration.params = self.params.take(chunk)
            z_part = None if z is None else z[chunk]
            yield enumeration, z_part, y and [values[chunk] for values in y], chunk

    def means_of_part(self, z, y):
        """Means of the units given the enumerated part of the states."""
        log_w = self.log_weights(z, y)
        p = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        means_by_block = [None] * len(self.energy.units)
        for block in self.few:
            means_by_block[block] = p @ self.states[block]
        for block in self.many:
            means_by_block[block] = np.zeros((len(p), self.energy.units[block].size))
            unit, places = self.free[block]
            if len(places):
                inputs = self._inputs(z, y, block)
                eta = self._fields(len(p), inputs, block, self.free[block])
                means = unit.mean(eta).reshape((*p.shape, -1))
                means_by_block[block][:, places] = np.einsum("rs,rsu->ru", p, means)
        return self._with_known(means_by_block, y)

    def draw_part(self, z, y, rng):
        """Draw states of the units, starting with the enumerated part."""
        noisy = self.log_weights(z, y) + rng.fold(0).gumbel(self._n_states)
        chosen = noisy.argmax(axis=1)
        x = [None if part is None else part[chosen] for part in self.states]
        x = self._with_known(x, y)
        if self.given is not None:
            x[self.given] = z
        for block in self.many:
            received = self.energy.received(self.params, x, block)
            eta = self.energy.field(self.params, block, received)
            x[block] = self.energy.units[block].sample(eta, rng.fold(1 + block))[0]
        return self._with_known(x, y)

    def _with_known(self, x, y):
        """Put the known entries of y into the values of blocks."""
        for block in self.visible:
            places = self.known[block].places
            if len(places) and x[block] is not None:
                x[block] = np.array(np.asarray(x[block]))
                x[block][:, places] = y[block][:, places]
        return x
