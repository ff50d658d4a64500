"""Imputation, and sampling under conditions, by particles of an ensemble of chains.

The number of particles of a row increases until enough of them are effective.
"""

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.autoregressive.particles import chosen_by, complete
from skdgm.utils import addresses
from skdgm.utils.weighted import (
    Weighted,
    concatenated,
    effective_sample_size,
    ess_of_union,
    pooled,
)

# Sufficient effective share of the particles of a row; factor by which their number
# increases, and its maximum, in units of the initial number; number of equal rows from
# which they share particles.
_SUFFICIENT_SHARE, _FACTOR, _MAX_FACTOR, _N_EQUAL_ROWS = 0.05, 4, 256, 8
# Number of particles, in units of the initial number, after which a row with a smaller
# effective number gets no more: no particle is near its known entries. A row in a tail,
# which more particles help, has an effective number that is orders of magnitude larger.
_GIVE_UP_AFTER, _MIN_COUNT = 16, 1e-30
# Random streams of members, of the choice of a particle, and of later rounds.
_MEMBER, _CHOICE, _MORE = addresses.ENSEMBLE
# Maximum sizes of a layer's activations for the particles of a batch, and of a row;
# maximum number of entries of the particles of a row.
_MAX_ACTIVATIONS, _MAX_ROW_ACTIVATIONS, _MAX_ENTRIES = 2**22, 2**24, 2**19


def fill(chains, params, v, rng, method, name="", report=None):
    """Impute missing entries conditional on the known entries, by weighted particles.

    "mean" is the weighted mean, "mode" the particle of highest joint probability (for a
    normal distribution, the mean), and "sample" a particle drawn by weight. Rows with
    few effective particles get more, and many equal rows share theirs. ``report`` is
    called with the effective numbers of particles by weight, (n_rows,); ``name`` is the
    model's name in warnings.
    """
    v, incomplete, effective_ = v.copy(), v, np.full(len(v), np.inf)
    remaining = np.flatnonzero(np.isnan(v).any(axis=1))
    if method == "sample":
        remaining = _together(chains, params, v, remaining, rng, name)

    def attempt(rows, rng, n):
        filled, number, n_near = _filled(
            chains, params, incomplete[rows], rng, method, n
        )
        v[rows], effective_[rows] = filled, number
        return np.minimum(number, n_near)

    rounds(chains, attempt, remaining, rng)
    if report is not None:
        report(effective_)
    return v


def rounds(chains, attempt, rows, rng, n_draws=None):
    """Call ``attempt(rows, rng, n)``, which returns effective numbers of n particles,
    and repeat it with more, new particles for rows with few effective ones, unless no
    particle comes near. With ``n_draws``, call it once with this number."""
    n, max_draws = n_draws or chains.n_draws, n_draws or _most(chains)
    need, streams = _SUFFICIENT_SHARE * n, rng
    while rows.size:
        min_count = _MIN_COUNT if n >= _GIVE_UP_AFTER * chains.n_draws else 0
        insufficient, size = [], max(1, _MAX_ACTIVATIONS // (chains.width * n))
        for part in (rows[i : i + size] for i in range(0, len(rows), size)):
            count = attempt(part, streams.take(part), n)
            insufficient.append(part[(count < need) & (count >= min_count)])
        rows = np.concatenate(insufficient) if n < max_draws else rows[:0]
        n = min(n * _FACTOR, max_draws)
        streams = rng.fold(_MORE, n)


def _most(chains):
    """Maximum number of particles of a row."""
    room = min(
        _MAX_ENTRIES // len(chains.conditionals.kinds),
        _MAX_ROW_ACTIVATIONS // chains.width,
    )
    return max(chains.n_draws, min(_MAX_FACTOR * chains.n_draws, room))


def _together(chains, params, v, rows, rng, name):
    """Impute groups of many equal rows, in place; return the numbers of the other
    rows."""
    keys = np.ascontiguousarray(v[rows]).view(f"V{v[:1].nbytes}").ravel()
    _, place, size = np.unique(keys, return_inverse=True, return_counts=True)
    for number in np.flatnonzero(size >= _N_EQUAL_ROWS):
        equal = rows[place == number]
        streams = rng.take(equal[:1])
        v[equal] = conditioned(chains, params, v[equal[0]], len(equal), streams, name)
    return rows[size[place] < _N_EQUAL_ROWS]


def conditioned(chains, params, v, n, rng, name, events=None):
    """Draw n rows conditional on known values v, (n_columns,), NaN elsewhere, and on
    ``events`` for other columns, or None, from one random stream. ``name`` is the
    model's name in warnings."""
    if not np.isnan(v).any():
        return np.tile(v, (n, 1))
    members = [chains.member(params, k) for k in range(chains.n_orders)]
    prepared = [member.prepared(member_params) for member, member_params in members]

    def draw(size, rng):
        parts = []
        for k, (member, member_params) in enumerate(members):
            ordered, streams = member.ordered(v[None]), rng.fold(_MEMBER, k)
            if events is None or not any(events):
                completed = member.filled(member_params, ordered, streams, size)
            else:
                completed = complete(
                    member, prepared[k], ordered, streams, size, events
                )
            rows, log_w = completed.v[0][:, member.place], completed.log_w[0]
            number = min(completed.effective[0], effective_sample_size(log_w))
            parts.append(Weighted(rows, log_w, number, completed.near_share[0]))
        return concatenated(parts)

    return pooled(draw, n, rng, max(1, _MAX_ACTIVATIONS // chains.width), name)


def _filled(chains, params, v, rng, method, n):
    """Imputed rows, effective numbers of their n particles, and numbers of particles
    near the known entries."""
    rows, inputs, log_w, log_joint = [], [], [], []
    n_near, totals, numbers = np.inf, [], []
    for k in range(chains.n_orders):
        member, member_params = chains.member(params, k)
        ordered, streams = member.ordered(v), rng.fold(_MEMBER, k)
        completed = member.filled(member_params, ordered, streams, n, listed=True)
        rows.append(completed.v[..., member.place])
        inputs.append(completed.inputs[..., member.inputs_back])
        log_w.append(completed.log_w)
        log_joint.append(completed.log_joint)
        n_near = np.minimum(n_near, n * completed.near_share)
        totals.append(logsumexp(completed.log_w, axis=1))
        numbers.append(completed.effective)
    n_effective, log_w = ess_of_union(totals, numbers), np.concatenate(log_w, axis=1)
    # The mode of a normal distribution is its mean.
    if method == "mean" or (method == "mode" and chains.normal):
        inputs = np.concatenate(inputs, axis=1)
        mean = np.einsum("re,rei->ri", softmax(log_w, axis=1), inputs)
        return chains.conditionals.value(mean.astype(v.dtype)), n_effective, n_near
    if method == "sample":
        chosen = chosen_by(log_w, rng.fold(_CHOICE))
    else:
        chosen = np.concatenate(log_joint, axis=1).argmax(axis=1)
    return np.concatenate(rows, axis=1)[np.arange(len(v)), chosen], n_effective, n_near
