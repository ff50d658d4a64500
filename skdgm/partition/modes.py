r"""Most probable states of one colour, and the bound on log Z that states give.

With the blocks of the other colour summed out in closed form, a machine of two colours
has the unnormalised probabilities

.. math:: p^*(h) = \sum_v e^{-E(v, h)}, \qquad \log Z \ge \log \sum_{h \in S} p^*(h)

for any set S of distinct states: what annealed chains give must not be less. The states
that matter most are found by climbing. As log weights are linear in natural parameters,
:math:`\log p^*(h) - \log w(h)` is convex in h, and so above its tangents: each step

.. math:: h \leftarrow \operatorname{arg\,max}_{h'} \log w(h') + h'^\top \left(c +
   W^\top \mathbb{E}[T(v) \mid h]\right),

the mode of h given the means of v, increases :math:`p^*(h)` until it ends.

Climbing begins at random, from few units that are on to all of them; at the states of
given chains; and at those that one unit of the other colour alone asks for, at the
least or at the greatest value of its statistic: a column with large weights may have
all of the probability on its side. Gibbs steps follow from where climbing ends, and
from noise.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.samplers import Gibbs, State
from skdgm.utils.tree import astype

_NOISE, _CLIMBED, _PLAIN, _DRAWN, _AFTER = range(5)
# Most climbing steps; Gibbs steps after climbing, and how often states are looked at.
_CLIMB, _RELAX, _LOOKS = 50, 10, 10
# Standard deviation of the natural parameters of noise, of units and of whole rows, and
# their upper limit.
_SPREAD, _MOST = 3.0, 4.0
# End of a statistic without one; most units of a block from whose ends climbs start.
_FAR, _MANY = 20.0, 200
# Chains differ from others above this mean squared z-score of their means.
_APART = 9.0


class Found(NamedTuple):
    """Chains that begin where probabilities are highest, as many as were given; and a
    lower bound on log Z, -inf if neither colour has states to be listed."""

    start: State
    floor: float


def serves(energy, params):
    """Return whether there are two colours of units whose modes are known."""
    two = len(energy.colours) == 2 and energy.has_matrices and not energy.is_sitewise
    return two and not params.n_conditions


def search(rng, energy, params, given):
    """Look for the most probable states, from given chains on; returns a
    :class:`Found`."""
    own, other = _colours(energy)
    dtype, n_chains = params.dtype, len(given.x[0])
    params = astype(params, np.float64)
    rows = rng.rows(n_chains)
    noise = _noise(rows.fold(_NOISE), energy, own)
    from_chains = tuple(np.asarray(x, np.float64) for x in given.x)
    starts = noise, from_chains, *_ends(energy, params, own, other)
    peaks = _stacked([_climbed(energy, params, x, own, other) for x in starts])
    seen = _Seen(energy, params, own, other)
    best = seen.look(peaks)
    chosen = _chosen(rng.fold(_DRAWN), best, n_chains)
    x = _stacked([tuple(part[chosen] for part in peaks), noise])
    rows = rng.rows(2 * n_chains)
    state = State(_packed(energy, x))
    state, _ = Gibbs(energy, colours=(other,)).step(rows, params, state, first=_PLAIN)
    sampler = Gibbs(energy, colours=energy.backwards)
    for number in range(_LOOKS):
        climbing = rows.fold(_CLIMBED, number)
        state, _ = sampler.step(climbing, params, state, _RELAX)
        log_w = seen.look(state.x)
    chosen = _chosen(rng.fold(_DRAWN, 1), log_w, n_chains)
    x = tuple(np.asarray(part)[chosen] for part in state.x)
    rows, state = rng.rows(n_chains).fold(_AFTER), State(_packed(energy, x))
    state, _ = sampler.step(rows, params, state, 100)
    seen.look(state.x)
    x = tuple(np.asarray(part).astype(dtype) for part in state.x)
    return Found(State(_packed(energy, x)), seen.floor)


def apart(one, other):
    """Return whether chains have not the same means as others, within their errors."""
    squares = []
    for a, b in zip(one.x, other.x):
        a, b = (np.asarray(x, np.float64) for x in (a, b))
        error = (a.var(axis=0) + b.var(axis=0)) / len(a) + 1e-3 / len(a)
        squares.append((a.mean(axis=0) - b.mean(axis=0)) ** 2 / error)
    return bool(np.concatenate(squares).mean() > _APART)


class _Seen:
    """Distinct states that were looked at, and their log weights."""

    def __init__(self, energy, params, own, other):
        self.energy, self.params, self.own, self.other = energy, params, own, other
        self.log_w = {}

    def look(self, x):
        """Log weight of each row."""
        log_w = self.energy.log_marginal(self.params, x, self.other)
        rows = np.hstack(
            [np.asarray(x[b], float) for b in self.energy.colours[self.own]]
        )
        for row, own in zip(np.ascontiguousarray(rows), log_w.tolist()):
            self.log_w[row.tobytes()] = own
        return log_w

    @property
    def floor(self):
        """Log of the sum of the weights."""
        if not _listable(self.energy, self.own):
            return -np.inf
        return float(logsumexp(list(self.log_w.values())))


def _colours(energy):
    """Numbers of the colour to climb, the last if it has states, and of the other."""
    return (1, 0) if _listable(energy, 1) or not _listable(energy, 0) else (0, 1)


def _listable(energy, colour):
    """Whether states of a colour have probabilities."""
    return all(energy.units[block].listable for block in energy.colours[colour])


def _noise(rng, energy, colour):
    """Random states of a colour, whole rows of them low or high; None for others."""
    x = [None] * len(energy.units)
    level = _SPREAD * rng.normal(1)
    for block in energy.colours[colour]:
        unit = energy.units[block]
        eta = level + _SPREAD * rng.fold(block).normal(unit.size)
        eta = unit.field(unit.init(), np.minimum(eta, _MOST))
        x[block] = np.asarray(unit.sample(eta, rng.fold(block, 1))[0], np.float64)
    return tuple(x)


def _ends(energy, params, own, other):
    """States of a colour that single units of the other ask for at either end: of those
    with the largest weights."""
    for block in energy.colours[other]:
        unit = energy.units[block]
        ends = [np.broadcast_to(end, unit.size) for end in unit.ends]
        low, high = (
            np.where(np.isfinite(end), end, sign * _FAR)
            for end, sign in zip(ends, (-1, 1))
        )
        fields, size = {}, np.zeros(unit.size)
        for link, neighbour, below in energy.neighbours(block):
            W = energy.couplings[link].matrix(params.couplings[link])
            fields[neighbour] = W.T if below else W
            size += np.abs(fields[neighbour]).sum(axis=1)
        chosen = np.argsort(-size * (high - low), kind="stable")[:_MANY]
        for end in (low, high):
            end = np.where(end == 0, -high if end is low else -low, end)
            x = [None] * len(energy.units)
            for neighbour in energy.colours[own]:
                above = energy.units[neighbour]
                W = fields.get(neighbour, np.zeros((unit.size, above.size)))
                eta = above.field(above.init(), end[chosen, None] * W[chosen])
                x[neighbour] = above.mode(eta)
            yield tuple(x)


def _climbed(energy, params, x, own, other):
    """States where climbing from others ends."""
    x, best = list(x), None
    for _ in range(_CLIMB):
        log_w = energy.log_marginal(params, tuple(x), other)
        if best is not None and not (log_w > best + 1e-9).any():
            break
        best = log_w
        for colour, value in ((other, "mean"), (own, "mode")):
            for block in energy.colours[colour]:
                eta = energy.field(params, block, energy.received(params, x, block))
                x[block] = getattr(energy.units[block], value)(eta)
    return tuple(x)


def _chosen(rng, log_w, n):
    """Numbers of n rows, drawn in proportion to their weights."""
    upto = np.cumsum(softmax(log_w))
    where = (np.arange(n) + rng.generator().random()) / n
    return np.searchsorted(upto, where * upto[-1]).clip(0, len(log_w) - 1)


def _stacked(parts):
    """Rows of several states under each other; None where one has no values."""
    return tuple(
        None
        if any(x is None for x in own)
        else np.concatenate(list(map(np.asarray, own)))
        for own in zip(*parts)
    )


def _packed(energy, x):
    return tuple(
        None if part is None else unit.pack(part) for unit, part in zip(energy.units, x)
    )
