r"""Search for the most probable states of a color, which bound log Z from below.

With the blocks of the other color summed out in closed form, a machine of two colors
has the unnormalized probabilities

.. math:: p^*(h) = \sum_v e^{-E(v, h)}, \qquad \log Z \ge \log \sum_{h \in S} p^*(h)

for any set S of distinct states. An estimate by annealing must not be below this bound.
The most probable states are found by hill climbing. Log weights are linear in natural
parameters, so that :math:`\log p^*(h) - \log w(h)` is convex in h and above its
tangents. Each step

.. math:: h \leftarrow \operatorname{arg\,max}_{h'} \log w(h') + h'^\top \left(c +
   W^\top \mathbb{E}[T(v) \mid h]\right),

which takes the mode of h given the means of v, increases :math:`p^*(h)` until
convergence.

Climbs start from random states with any share of units on, and from the states of given
chains. Further starts are the modes given a single unit of the other color at the
minimum or maximum of its statistic, as a unit with large weights may dominate the
distribution. Gibbs steps follow, from the end points of climbs and from random states.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.samplers import Gibbs, State
from skdgm.utils.tree import astype
from skdgm.utils.weighted import systematic

_NOISE, _CLIMBED, _PLAIN, _DRAWN, _AFTER = range(5)
# Maximum number of climbing steps; number of Gibbs steps between evaluations of states
# after climbing, and number of evaluations.
_CLIMB, _RELAX, _LOOKS = 50, 10, 10
# Standard deviation of the natural parameters of random states, for units and for whole
# rows, and upper limit of these parameters.
_PARAMETER_SD, _MAX_PARAMETER = 3.0, 4.0
# Substitute for an infinite end of a statistic; maximum number of units of a block
# whose ends are starts of climbs.
_INFINITE_END, _MAX_END_UNITS = 20.0, 200
# Mean squared z-score of means above which two sets of chains differ.
_MAX_SCORE = 9.0


class Found(NamedTuple):
    """Chains at the most probable states, as many as were given, and a lower bound on
    log Z; -inf if the states of neither color have probabilities."""

    start: State
    floor: float


def can_search(energy, params):
    """Return whether the search is possible: two colors of units with known modes."""
    two = len(energy.colors) == 2 and energy.has_matrices and not energy.is_sitewise
    return two and not params.n_conditions


def search(rng, energy, params, given):
    """Search for the most probable states from given chains: a :class:`Found`."""
    searched, other = _colors(energy)
    dtype, n_chains = params.dtype, len(given.x[0])
    params = astype(params, np.float64)
    rows = rng.rows(n_chains)
    random_states = _noise(rows.fold(_NOISE), energy, searched)
    from_chains = tuple(np.asarray(x, np.float64) for x in given.x)
    starts = random_states, from_chains, *_ends(energy, params, searched, other)
    peaks = _stacked([_climbed(energy, params, x, searched, other) for x in starts])
    visited = _Seen(energy, params, searched, other)
    log_w_ends = visited.look(peaks)
    selected = _chosen(rng.fold(_DRAWN), log_w_ends, n_chains)
    x = _stacked([tuple(part[selected] for part in peaks), random_states])
    rows = rng.rows(2 * n_chains)
    state = State(_packed(energy, x))
    state, _ = Gibbs(energy, colors=(other,)).step(rows, params, state, first=_PLAIN)
    sampler = Gibbs(energy, colors=energy.backwards)
    for number in range(_LOOKS):
        climbing = rows.fold(_CLIMBED, number)
        state, _ = sampler.step(climbing, params, state, _RELAX)
        log_w = visited.look(state.x)
    selected = _chosen(rng.fold(_DRAWN, 1), log_w, n_chains)
    x = tuple(np.asarray(part)[selected] for part in state.x)
    rows, state = rng.rows(n_chains).fold(_AFTER), State(_packed(energy, x))
    state, _ = sampler.step(rows, params, state, 100)
    visited.look(state.x)
    x = tuple(np.asarray(part).astype(dtype) for part in state.x)
    return Found(State(_packed(energy, x)), visited.floor)


def are_separate(one, other):
    """Return whether the means of two sets of chains differ significantly."""
    squares = []
    for a, b in zip(one.x, other.x):
        a, b = (np.asarray(x, np.float64) for x in (a, b))
        error = (a.var(axis=0) + b.var(axis=0)) / len(a) + 1e-3 / len(a)
        squares.append((a.mean(axis=0) - b.mean(axis=0)) ** 2 / error)
    return bool(np.concatenate(squares).mean() > _MAX_SCORE)


class _Seen:
    """Log weights of the distinct states that were evaluated."""

    def __init__(self, energy, params, searched, other):
        self.energy, self.params, self.searched, self.other = (
            energy,
            params,
            searched,
            other,
        )
        self.log_w = {}

    def look(self, x):
        """Evaluate and record the log weight of each row."""
        log_w = self.energy.log_marginal(self.params, x, self.other)
        rows = np.hstack(
            [np.asarray(x[b], float) for b in self.energy.colors[self.searched]]
        )
        for row, value in zip(np.ascontiguousarray(rows), log_w.tolist()):
            self.log_w[row.tobytes()] = value
        return log_w

    @property
    def floor(self):
        """Log of the sum of the weights of recorded states."""
        if not _listable(self.energy, self.searched):
            return -np.inf
        return float(logsumexp(list(self.log_w.values())))


def _colors(energy):
    """Number of the color to climb, the last if its states have probabilities, and of
    the other color."""
    return (1, 0) if _listable(energy, 1) or not _listable(energy, 0) else (0, 1)


def _listable(energy, color):
    """Return whether states of a color have probabilities."""
    return all(energy.units[block].listable for block in energy.colors[color])


def _noise(rng, energy, color):
    """Random states of a color, with a random level by row; None for other blocks."""
    x = [None] * len(energy.units)
    level = _PARAMETER_SD * rng.normal(1)
    for block in energy.colors[color]:
        unit = energy.units[block]
        eta = level + _PARAMETER_SD * rng.fold(block).normal(unit.size)
        eta = unit.field(unit.init(), np.minimum(eta, _MAX_PARAMETER))
        x[block] = np.asarray(unit.sample(eta, rng.fold(block, 1))[0], np.float64)
    return tuple(x)


def _ends(energy, params, searched, other):
    """Iterate over the modes of a color given single units of the other color at an
    end of their statistic, for the units with the largest weights."""
    for block in energy.colors[other]:
        unit = energy.units[block]
        ends = [np.broadcast_to(end, unit.size) for end in unit.ends]
        low, high = (
            np.where(np.isfinite(end), end, sign * _INFINITE_END)
            for end, sign in zip(ends, (-1, 1))
        )
        fields, total_weight = {}, np.zeros(unit.size)
        for link, neighbor, is_below in energy.neighbors(block):
            W = energy.couplings[link].matrix(params.couplings[link])
            fields[neighbor] = W.T if is_below else W
            total_weight += np.abs(fields[neighbor]).sum(axis=1)
        selected = np.argsort(-total_weight * (high - low), kind="stable")[
            :_MAX_END_UNITS
        ]
        for end in (low, high):
            end = np.where(end == 0, -high if end is low else -low, end)
            x = [None] * len(energy.units)
            for neighbor in energy.colors[searched]:
                above = energy.units[neighbor]
                W = fields.get(neighbor, np.zeros((unit.size, above.size)))
                eta = above.field(above.init(), end[selected, None] * W[selected])
                x[neighbor] = above.mode(eta)
            yield tuple(x)


def _climbed(energy, params, x, searched, other):
    """End points of hill climbing."""
    x, best_log_w = list(x), None
    for _ in range(_CLIMB):
        log_w = energy.log_marginal(params, tuple(x), other)
        if best_log_w is not None and not (log_w > best_log_w + 1e-9).any():
            break
        best_log_w = log_w
        for color, value in ((other, "mean"), (searched, "mode")):
            for block in energy.colors[color]:
                eta = energy.field(params, block, energy.received(params, x, block))
                x[block] = getattr(energy.units[block], value)(eta)
    return tuple(x)


def _chosen(rng, log_w, n):
    """Draw n row numbers in proportion to weights, by systematic sampling."""
    return systematic(softmax(log_w), n, rng.generator().random())


def _stacked(parts):
    """Concatenate the rows of several states; None for blocks without values."""
    return tuple(
        None
        if any(x is None for x in values)
        else np.concatenate(list(map(np.asarray, values)))
        for values in zip(*parts)
    )


def _packed(energy, x):
    return tuple(
        None if part is None else unit.pack(part) for unit, part in zip(energy.units, x)
    )
