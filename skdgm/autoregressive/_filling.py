"""Missing entries of rows, and rows under conditions, drawn by an ensemble of chains.

Particles are drawn until enough of them count: a row of which few do has more.
"""

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.autoregressive._particles import chosen_by, filled
from skdgm.utils.weighted import Weighted, effective, effective_of, merged, pooled

# Share of the particles of a row that should count, at least; where fewer do, there are
# more by a factor, up to the most. Rows that are the same and have particles together.
_ENOUGH, _FACTOR, _MOST, _TOGETHER = 0.05, 4, 256, 8
# Particles, times those at first, after which a row has no more if less than this of
# them counts: none comes near the known entries. A row in a tail, which the most
# particles serve, has many orders of magnitude more, even if none hit it so far.
_TRIED, _HOPE = 16, 1e-30
# Random streams: of each member, for the choice of a particle, and of more particles.
_MEMBER, _CHOICE, _MORE = range(200, 203)
# Limits on the numbers of one layer for all particles of a part of the rows, and of a
# row; and on the entries of all particles of a row.
_ROOM, _LARGE, _WORK = 2**22, 2**24, 2**19


def fill(chains, params, v, rng, method, who="", tell=None):
    """Fill missing entries given the others, by weighted particles of all members.

    By "mean" it is their weighted mean, by "mode" the particle of highest joint
    probability (of a normal distribution the mean), by "sample" one drawn by weight.
    Rows of which few particles count have more of them; of many rows that are the same,
    draws are chosen from particles for all. ``tell`` is told the effective numbers of
    particles, (n_rows,): by weights alone, as an outlier is improbable whatever is
    drawn. ``who`` is the name of the model, for a warning.
    """
    v, holed, counted = v.copy(), v, np.full(len(v), np.inf)
    left = np.flatnonzero(np.isnan(v).any(axis=1))
    if method == "sample":
        left = _together(chains, params, v, left, rng, who)

    def attempt(rows, rng, n):
        given = params, holed[rows], rng, method, n
        v[rows], counted[rows], found = _fill(chains, *given)
        return np.minimum(counted[rows], found)

    rounds(chains, attempt, left, rng)
    if tell is not None:
        tell(counted)
    return v


def rounds(chains, attempt, rows, rng, n_draws=None):
    """Attempt something with particles of some rows, and again, with new and more
    ones, for those of which few count, unless none comes near; with ``n_draws``
    once, with as many."""
    n, most = n_draws or chains.n_draws, n_draws or _most(chains)
    need, own = _ENOUGH * n, rng
    while rows.size:
        least = _HOPE if n >= _TRIED * chains.n_draws else 0
        few = []
        for part in _parts(chains, rows, n):
            count = attempt(part, own.take(part), n)
            few.append(part[(count < need) & (count >= least)])
        rows = np.concatenate(few) if n < most else rows[:0]
        n = min(n * _FACTOR, most)
        own = rng.fold(_MORE, n)


def _most(chains):
    """Most particles of a row."""
    room = min(_WORK // len(chains.conditionals.kinds), _LARGE // chains.width)
    return max(chains.n_draws, min(_MOST * chains.n_draws, room))


def _together(chains, params, v, rows, rng, who):
    """Fill rows, of which many are the same, in place; numbers of the others."""
    keys = np.ascontiguousarray(v[rows]).view(f"V{v[:1].nbytes}").ravel()
    _, place, size = np.unique(keys, return_inverse=True, return_counts=True)
    for number in np.flatnonzero(size >= _TOGETHER):
        own = rows[place == number]
        given = params, v[own[0]], len(own), rng.take(own[:1]), who
        v[own] = conditioned(chains, *given)
    return rows[size[place] < _TOGETHER]


def conditioned(chains, params, v, n, rng, who, events=None):
    """Draw n rows given known values v, (n_columns,), NaN elsewhere, and ``events`` to
    which other columns belong, or None, by one stream; ``who`` is the name of the
    model, for a warning."""
    if not np.isnan(v).any():
        return np.tile(v, (n, 1))
    members = [chains.member(params, k) for k in range(chains.n_orders)]
    prepared = [member.prepared(own) for member, own in members]

    def draw(size, rng):
        parts = []
        for k, (member, own) in enumerate(members):
            given = member.ordered(v[None]), rng.fold(_MEMBER, k), size
            if events is None or not any(events):
                found = member.filled(own, *given)
            else:
                found = filled(member, prepared[k], *given, events)
            rows, log_w = found.v[0][:, member.place], found.log_w[0]
            number = min(found.effective[0], effective(log_w))
            facts = number, found.found[0]
            parts.append(Weighted(rows, log_w, *facts))
        return merged(parts)

    return pooled(draw, n, rng, max(1, _ROOM // chains.width), who)


def _fill(chains, params, v, rng, method, n):
    parts, found, totals, numbers = [], np.inf, [], []
    for k in range(chains.n_orders):
        member, own = chains.member(params, k)
        own = member.filled(
            own, member.ordered(v), rng.fold(_MEMBER, k), n, listed=True
        )
        inputs = own.inputs[..., member.back[0]]
        parts.append((own.v[..., member.place], inputs, own.log_w, own.log_joint))
        found = np.minimum(found, n * own.found)
        totals.append(logsumexp(own.log_w, axis=1))
        numbers.append(own.effective)
    x, inputs, log_w, log_joint = (np.concatenate(p, axis=1) for p in zip(*parts))
    number = effective_of(totals, numbers)
    # The mode of a normal distribution is its mean.
    if method == "mean" or (method == "mode" and chains.members[0].normal):
        mean = np.einsum("re,rei->ri", softmax(log_w, axis=1), inputs)
        return chains.conditionals.value(mean.astype(v.dtype)), number, found
    best = log_joint.argmax(axis=1)
    if method == "sample":
        best = chosen_by(log_w, rng.fold(_CHOICE))
    return x[np.arange(len(v)), best], number, found


def _parts(chains, rows, n_draws):
    """Split row numbers into parts whose particles fit in memory."""
    size = max(1, _ROOM // (chains.width * n_draws))
    return [rows[i : i + size] for i in range(0, len(rows), size)]
