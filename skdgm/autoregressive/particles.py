r"""Particle filter over the columns of a row: missing entries are drawn in order, and
weighted by observed entries.

.. math:: x_t \sim p(x_t \mid x_{<t}) \text{ where missing}, \qquad
   w \leftarrow w \, p(x_t \mid x_{<t}) \text{ where seen}, \qquad
   p(x_\text{seen}) = \mathbb{E}[w]

Particles of a row are resampled if their effective number is small [1]_. Complete rows
need only one particle, which is exact.

Particles with a common ancestor count as one in the effective number [2]_. Weights
alone do not show whether all particles have missed the values that make a rare entry
probable, because they may be equally low. ``near_share`` shows it: the mean probability
of a seen entry, relative to the most probable value, which approximates the acceptance
rate of rejection sampling.

References
----------
.. [1] Gordon, Salmond and Smith (1993). Novel approach to nonlinear/non-Gaussian
   Bayesian state estimation. IEE Proceedings F.
.. [2] Lee and Whiteley (2018). Variance estimation in the particle filter. Biometrika.
"""

from typing import Any, NamedTuple

import numpy as np

from skdgm.distributions import draw_within, relative_probability
from skdgm.utils import addresses
from skdgm.utils.weighted import systematic

_RESAMPLE = addresses.ROW_PARTICLES
# Resampling threshold of the effective share of particles.
_RESAMPLING_THRESHOLD = 0.5
# Types of columns whose values can be enumerated.
_CODED = "bernoulli", "categorical", "ordinal"


class CompletedRows(NamedTuple):
    """Rows with several completions (particles) each.

    ``v`` is (n_rows, n_each, n_columns); ``log_w`` and ``log_joint``, (n_rows, n_each),
    are log weights and log probabilities of particles as complete rows; ``log_p``,
    (n_rows, n_columns), is the contribution of each seen entry to the log-likelihood, 0
    if missing. ``inputs``, (n_rows, n_each, n_inputs), are inputs of a net; after the
    last seen entry of a row, expected inputs replace drawn inputs, which reduces the
    variance of means. ``effective``, (n_rows,), is the effective number of particles,
    and ``near_share``, (n_rows,), the minimum over columns of the share of particles
    for which a seen entry or an event is as probable as any value.
    """

    v: np.ndarray
    log_w: np.ndarray
    log_joint: np.ndarray
    log_p: np.ndarray
    inputs: np.ndarray
    effective: np.ndarray
    near_share: np.ndarray

    @property
    def log_likelihood(self):
        """Log-likelihood of the seen entries of each row, (n_rows,)."""
        return self.log_p.sum(axis=1)

    def drawn(self, rng):
        """Particle of each row, drawn by weight, (n_rows, n_columns)."""
        return self.v[np.arange(len(self.v)), chosen_by(self.log_w, rng)]


def complete(chain, params, v, rng, n_each, events=None, listed=False):
    """Complete each row v, in the chain's order of columns, NaN where missing, by
    ``n_each`` particles, or by 1 if all rows are complete.

    Parameters are those of ``chain.prepared``, and ``rng`` has a stream for each row.
    ``events`` are sets of permitted values for the missing entries of each data column,
    or None. With ``listed``, rows that lack only binary and categorical entries before
    the last seen entry get all combinations of values if particles suffice, so their
    likelihood is exact. Returns CompletedRows.
    """
    (n_rows, n_columns), state = v.shape, chain.begin(params, len(v))
    log_w, log_joint = np.zeros((n_rows, 1)), np.zeros((n_rows, 1))
    before, log_p = np.zeros(n_rows), np.zeros((n_rows, n_columns))
    so_far, n = np.zeros(n_rows), 1
    streams: Any = None
    near_share, origin = np.ones(n_rows), np.zeros((n_rows, 1), np.intp)
    inputs, last = np.empty((n_rows, chain.n_inputs), v.dtype), _last_seen(v)
    has_event: Any = [events and events[j] is not None for j in chain.order]
    final = np.maximum(last, max(np.flatnonzero(has_event), default=-1))
    enumerated = np.zeros(n_rows, bool)
    after_last = np.arange(n_columns) > last[:, None]
    has_several = (np.isnan(v) & after_last).sum(axis=1) > 1
    for t, single in enumerate(chain.conditionals.single):
        missing = np.flatnonzero(np.isnan(v[:, t]))
        if missing.size and streams is None:
            # All particles of a row are equal before the first missing entry.
            n, streams = n_each, rng.each(n_each)
            origin = np.tile(np.arange(n), (n_rows, 1))
            state = chain.chosen(state, np.repeat(np.arange(n_rows), n))
            log_w, log_joint = (np.repeat(a, n, axis=1) for a in (log_w, log_joint))
            if listed:
                enumerated, codes, sizes, log_first = _combinations(chain, v, last, n)
                log_w = log_w + np.where(enumerated[:, None], log_first, 0)
            v, inputs = (np.repeat(a, n, axis=0) for a in (v, inputs))
            missing = np.flatnonzero(np.isnan(v[:, t]))
        out, event = chain.output(params, state, t), events and events[chain.order[t]]
        if missing.size:
            noise = streams.take(missing).fold(t)
            if event is None:
                v[missing, t] = single.draw(out[missing], noise)[:, 0]
            else:
                v[missing, t], mass = draw_within(single, out[missing], event, noise)
        is_missing = np.zeros(n_rows, bool)
        is_missing[missing // n] = True
        summed = is_missing & enumerated & (t < last)
        if summed.any():
            rows = np.flatnonzero(summed)
            v.reshape(n_rows, n, -1)[rows, :, t] = codes[rows, :, t]
        gain = single.log_p(out, v[:, [t]]).reshape(n_rows, n)
        log_joint += gain
        if streams is not None and (event is not None or missing.size < len(v)):
            plausibility = relative_probability(
                single, out, v[:, [t]], gain.ravel()
            ).reshape(n_rows, n)
            share = (_shares(log_w) * plausibility).sum(axis=1)
            if event is None:
                share[is_missing] = 1
            near_share = np.minimum(near_share, share)
        gain[is_missing & ~summed] = 0
        if summed.any():
            gain[summed] += np.log(sizes[t])
        if missing.size and event is not None:
            gain[np.divmod(missing, n)] = mass
        log_w += gain
        log_mean = before + _log_mean(log_w)
        log_p[:, t], so_far = np.where(is_missing, 0, log_mean - so_far), log_mean
        x, late = single.inputs(v[:, [t]]), missing[last[missing // n] < t]
        chain.absorb(params, state, t, x)
        inputs[:, chain.inputs[t]] = x
        if late.size:
            inputs[late, chain.inputs[t]] = single.expected(out[late])
        # No resampling after the last change of weights, as it would only lose draws;
        # but few of the listed codes may be effective for draws of later columns.
        drop = np.where(enumerated, (t == last) & has_several, t < final)
        poor = np.flatnonzero((_effective(log_w) < _RESAMPLING_THRESHOLD * n) & drop)
        if poor.size:
            before[poor] = log_mean[poor]
            uniform = rng.take(poor).fold(_RESAMPLE, t).uniform(1)
            chosen = systematic(_shares(log_w[poor]), n, uniform)
            log_joint[poor] = np.take_along_axis(log_joint[poor], chosen, axis=1)
            origin[poor] = np.take_along_axis(origin[poor], chosen, axis=1)
            places = np.arange(n_rows * n).reshape(n_rows, n)
            places[poor] = np.take_along_axis(places[poor], chosen, axis=1)
            log_w[poor] = 0
            v, inputs = v[places.ravel()], inputs[places.ravel()]
            state = chain.chosen(state, places.ravel())
    v, inputs = (a.reshape(n_rows, n, a.shape[1]) for a in (v, inputs))
    effective = np.full(n_rows, np.inf)
    if streams is not None:
        effective = _effective(log_w, origin)
    effective[enumerated], near_share[enumerated] = np.inf, 1
    log_w = before[:, None] + log_w
    return CompletedRows(v, log_w, log_joint, log_p, inputs, effective, near_share)


def _combinations(chain, v, last, n):
    """All combinations of values of missing entries before the last seen entry.

    Returns a mask of the rows with at most n combinations; the values in each particle,
    (n_rows, n, n_columns); the numbers of values of each column; and log weights that
    give all combinations equal weight, (n_rows, n).
    """
    kinds, gapped = chain.conditionals.kinds, chain.conditionals.gapped
    coded = np.isin(kinds, _CODED) & ~gapped
    sizes = np.where(kinds == "bernoulli", 2, chain.conditionals.sizes)
    early = np.isnan(v) & (np.arange(v.shape[1]) < last[:, None])
    n_values = np.where(early & coded, sizes, 1).astype(float)
    count = n_values.prod(axis=1)
    enumerable = early.any(axis=1) & ~(early & ~coded).any(axis=1) & (count <= n)
    n_values, count = (
        np.where(enumerable[:, None], a, 1) for a in (n_values, count[:, None])
    )
    # Particles of a combination are consecutive, as systematic resampling requires.
    place, stride = np.arange(n) * count // n, n_values.cumprod(axis=1) / n_values
    codes = place[..., None] // stride[:, None] % n_values[:, None]
    copies = np.ceil((place + 1) * n / count) - np.ceil(place * n / count)
    return enumerable, codes.astype(v.dtype), sizes, np.log(n / (copies * count))


def chosen_by(log_w, rng):
    """Column numbers drawn by weight, one for each row."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    cumulative = np.cumsum(w, axis=1) / w.sum(axis=1, keepdims=True)
    return (cumulative[:, :-1] <= rng.uniform(1)).sum(axis=1)


def _last_seen(v):
    """Last column of each row that is not missing, or -1."""
    return np.where(np.isnan(v), -1, np.arange(v.shape[1])).max(axis=1)


def _log_mean(log_w):
    high = log_w.max(axis=1)
    return high + np.log(np.exp(log_w - high[:, None]).mean(axis=1))


def _shares(log_w):
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w / w.sum(axis=1, keepdims=True)


def _effective(log_w, origin=None):
    """Effective number of particles; particles of one origin count as one."""
    w = _shares(log_w)
    if origin is not None:
        n_rows, n = w.shape
        places = (origin + n * np.arange(n_rows)[:, None]).ravel()
        w = np.bincount(places, w.ravel(), w.size).reshape(w.shape)
    return 1 / (w**2).sum(axis=1)
