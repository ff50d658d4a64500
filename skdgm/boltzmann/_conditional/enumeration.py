r"""Sums over all states of one layer, for each row's conditions.

.. math:: Z(x) = \sum_{y, h} e^{-E(y, h; x)} = \sum_h e^{\log w(h; x)} \sum_y e^{-E(y;
   h, x)}

where y, or h, has few states: these are enumerated, and the other layer is summed out
given each of them in closed form.
"""

import numpy as np
from scipy.special import logsumexp

from skdgm.partition import exact

# Most bits of the layer that is enumerated, for every row; entries at a time.
MAX_BITS, _ROOM = 12, 2**22
_VISIBLE, _HIDDEN = 0, 2


def few_bits(energy):
    """Log2 of the number of states of the smaller layer, y or the hidden units."""
    visible, _, hidden = energy.colours
    return min(exact.n_bits(energy, visible), exact.n_bits(energy, hidden))


class Enumeration:
    """Sums over the states of the layer that has fewer: y or the hidden units.

    Parameters
    ----------
    energy : Energy
        With the colours of y, conditions and hidden units.
    params : Params
        In float64.
    """

    def __init__(self, energy, params):
        self.energy, self.params = energy, params
        bits = {c: exact.n_bits(energy, energy.colours[c]) for c in (0, 2)}
        self.of_y = bits[_VISIBLE] <= bits[_HIDDEN]
        few, many = (_VISIBLE, _HIDDEN) if self.of_y else (_HIDDEN, _VISIBLE)
        self.few, self.many = energy.colours[few], energy.colours[many]
        self.bits = bits[few]
        (self.given,) = energy.colours[1]

    @property
    def possible(self):
        """Whether the states are few enough to be enumerated for each row."""
        return self.bits <= MAX_BITS

    def states(self):
        """All states: for each block its values, (n_states, size), or None."""
        codes = np.arange(round(2**self.bits))
        x = [None] * len(self.energy.units)
        for block in self.few:
            unit = self.energy.units[block]
            codes, own = np.divmod(codes, unit.n_states)
            x[block] = np.asarray(unit.states(own), np.float64)
        return x

    def size(self):
        """Number of rows at a time."""
        widest = max(self.energy.units[block].size for block in self.many)
        return max(1, int(_ROOM // (2**self.bits * widest)))

    def fields(self, x, z, block):
        """Natural parameters of a block that is summed out given each state, of rows by
        states, one after the other."""
        energy, params = self.energy, self.params
        state, given = list(x), [None] * len(x)
        given[self.given] = z
        own = energy.received(params, state, block, among=self.few)
        from_z = energy.received(params, given, block, among=(self.given,))
        both = energy.received_across(params, state, given, block, outer=True)
        # Where all weights are gated, there is perhaps nothing from either alone.
        for part, axis in (from_z, 1), (own, 0):
            if isinstance(part, np.ndarray):
                shape = len(z), len(x[self.few[0]]), part.shape[-1]
                whole = np.broadcast_to(np.expand_dims(part, axis), shape)
                both = both + whole.reshape(-1, shape[-1])
        return energy.field(params, block, both)

    def log_weights(self, x, z):
        """Log weight of each state x given conditions z: (n_rows, n_states)."""
        total = self._of_few(x, z)
        for block in self.many:
            log_A = self.energy.units[block].log_partition(self.fields(x, z, block))
            total = total + log_A.reshape(len(z), -1)
        return total

    def _of_few(self, x, z):
        """Log weights of states without the layer that is summed out."""
        energy, params, total = self.energy, self.params, 0.0
        given = [None] * len(x)
        given[self.given] = z
        for block in self.few:
            received = energy.received(params, given, block, among=(self.given,))
            eta = energy.field(params, block, received)
            whole = np.ones(x[block].shape, bool)
            total = total + energy.units[block].log_evidence(eta, x[block], whole).T
        return total

    def log_Z(self, z):
        """Log of the sum over y and the hidden units, (n_rows,)."""
        return logsumexp(self.log_weights(self.states(), z), axis=1)

    def log_evidence(self, y, z, clamp):
        """Log of the sum over the hidden units and the missing entries of y, (n_rows,):
        ``y`` and ``clamp`` are those of the visible blocks."""
        y = [np.asarray(own, np.float64) for own in y]
        known = [np.broadcast_to(part, own.shape) for part, own in zip(clamp, y)]
        of_row = self._by_completions if self.of_y else self._by_hidden
        states = self.states()
        rows = range(len(z))
        given = ([[v[[i]] for v in part] for part in (y, known)] for i in rows)
        return np.array([of_row(states, *own, z[[i]]) for i, own in zip(rows, given)])

    def _by_completions(self, states, y, known, z):
        """Log evidence of a row, by the states of its missing entries."""
        alike = np.ones(len(states[0]), bool)
        for block, (mask,) in enumerate(known):
            alike &= (states[block] == states[block][0])[:, mask].all(axis=1)
        x = [None if part is None else part[alike] for part in states]
        for block, (own, mask) in enumerate(zip(y, known)):
            x[block] = np.where(mask, own, x[block])
        return logsumexp(self.log_weights(x, z))

    def _by_hidden(self, states, y, known, z):
        """Log evidence of a row, by the states of the hidden units."""
        total = self._of_few(states, z)
        for block, own, mask in zip(self.many, y, known):
            eta = self.fields(states, z, block)
            total = total + self.energy.units[block].log_evidence(eta, own, mask)
        return logsumexp(total)

    def means(self, z):
        """Means of the blocks of y and of the hidden units, a list by block."""
        states = self.states()
        log_w = self.log_weights(states, z)
        p = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        found = [None] * len(states)
        for block in self.few:
            found[block] = p @ states[block]
        for block in self.many:
            means = self.energy.units[block].mean(self.fields(states, z, block))
            means = means.reshape(*p.shape, -1)
            found[block] = np.einsum("rs,rsu->ru", p, means)
        return found

    def draw(self, z, rng):
        """Draw y and the hidden units exactly, by block, with a stream for each row."""
        states = self.states()
        noisy = self.log_weights(states, z) + rng.fold(0).gumbel(
            len(states[self.few[0]])
        )
        chosen = noisy.argmax(axis=1)
        x = [None if part is None else part[chosen] for part in states]
        x[self.given] = z
        for block in self.many:
            received = self.energy.received(self.params, x, block)
            eta = self.energy.field(self.params, block, received)
            x[block] = self.energy.units[block].sample(eta, rng.fold(1 + block))[0]
        return x
