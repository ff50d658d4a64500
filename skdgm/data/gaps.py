r"""Imputation of gaps in series given earlier and later rows, by particle filters [1]_.

.. math:: p(x^{miss} \mid x^{seen}) \approx \sum_k W^k \delta(x^{miss}, x^{miss, k}),
   \qquad W^k \propto \prod_t p(x^{seen}_t \mid x^k_{<t})

Each particle draws the missing entries of a row given its known entries. Its weight is
the likelihood of these and later known entries. Particles are resampled with their past
when the effective sample size is small. Rows after the last known entry are forecasts,
drawn from particles that are chosen by weight. The mean of a row that influences no
later weight is an average of the conditional means of the particles, which has a lower
variance than an average of draws.

References
----------
.. [1] Doucet and Johansen (2009). A tutorial on particle filtering and smoothing.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.utils import addresses
from skdgm.utils.weighted import systematic

# Relative effective sample size below which particles are resampled; number of later
# rows that weight the imputations of a row; and number of particles at a time.
_MIN_RELATIVE_ESS, _LAG, _BATCH = 0.5, 50, 2**13
# Random streams of resampling, steps, choices of a particle, and forecasts.
_RESAMPLE, _STEP, _CHOICE, _FORECAST = addresses.GAPS


class SeriesModel(ABC):
    """Role of models that continue series row by row, as a particle filter needs."""

    # Whether the state is a function of the rows so far; whether log-likelihoods, the
    # weights of particles, are known; and number of particles that a forecast averages,
    # smaller if each row requires a Markov chain.
    deterministic_state = has_likelihood = True
    n_forecasts = 300

    @abstractmethod
    def begin(self, n):
        """States of n series before their first row, an array with a row for each."""

    @abstractmethod
    def advance(self, state, v, needs_log_p, rng, means):
        """Extend each of n series by a row, and draw its missing entries.

        Returns log-likelihoods of the known entries, (n,), which are needed in the mask
        ``needs_log_p``, (n,); complete rows; their encoded means given the known
        entries if ``means``, otherwise None; and the states after the rows.
        """

    @abstractmethod
    def encoded(self, v):
        """Complete rows as an array of numbers that can be averaged."""

    @abstractmethod
    def decoded(self, mean):
        """Rows for the means of encoded rows."""


def needs_particles(v, starts, lengths, method):
    """Mask of the series, rows of v that begin at ``starts``, that need particles: a
    known entry follows an incomplete row. With method="mean", any row that follows it
    suffices, because its mean is averaged over imputations."""
    incomplete, needs_weight = np.isnan(v).any(axis=1), ~np.isnan(v).all(axis=1)
    needs_weight |= method == "mean"
    mask = np.zeros(len(starts), bool)
    for s, part in enumerate(_parts(starts, lengths)):
        first = np.flatnonzero(incomplete[part])[:1]
        mask[s] = first.size > 0 and needs_weight[part][first[0] + 1 :].any()
    return mask


class IncompleteSeries(NamedTuple):
    """Rows v of series, (n_rows, n_columns); the first row and the length of each
    series, (n_series,); and the mask of columns that are ``constant`` in a series, or
    None."""

    v: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    constant: np.ndarray | None = None


def fill_gaps(particles, series, rng, method, n_each):
    """Impute the gaps of :class:`IncompleteSeries` by ``n_each`` particles for each.

    ``rng`` has a stream for each row. Constant columns are drawn once for a series
    without a known value.
    """
    v, starts, lengths, constant = series
    v, order = v.copy(), np.argsort(-lengths, kind="stable")
    once = unobserved_columns(v, starts, lengths, constant)
    size = max(1, _BATCH // n_each)
    for first in range(0, len(order), size):
        numbers = order[first : first + size]
        gaps = _Gaps(v, starts[numbers], lengths[numbers], once[numbers])
        _ParticleFilter(particles, gaps, rng, method, n_each).run()
    for part, columns in zip(_parts(starts, lengths), once):
        # The last row is imputed given the most rows.
        v[part, columns] = v[part, columns][-1]
    return v


def unobserved_columns(v, starts, lengths, constant=None):
    """Mask, (n_series, n_columns), of ``constant`` columns without a known value in a
    series."""
    if constant is None or not constant.any():
        return np.zeros((len(starts), v.shape[1]), bool)
    unknown = [np.isnan(v[part]).all(axis=0) for part in _parts(starts, lengths)]
    return np.array(unknown).reshape(-1, v.shape[1]) & constant


class _Gaps(NamedTuple):
    """Series with gaps, the longest first: rows v, in which they begin at ``starts``;
    ``once`` is the mask of :func:`unobserved_columns`."""

    v: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    once: np.ndarray


class _ParticleFilter:
    """Particles of several series, which impute the gaps in place."""

    def __init__(self, particles, series, rng, method, n_each):
        v, starts, lengths, once = series
        self.particles, self.v, self.rng = particles, v, rng
        self.starts, self.lengths, self.k = starts, lengths, n_each
        self.is_sample = method == "sample"
        n, known = len(starts), ~np.isnan(v).all(axis=1)
        slices = _parts(starts, lengths)
        # Last row of each series with a known entry.
        last = [np.flatnonzero(known[part]).max(initial=-1) for part in slices]
        self.last = np.array(last)
        self.state = particles.begin(n * n_each)
        self.log_w = np.zeros((n, n_each))
        # Whether the particles of each series differ, and number of complete rows since
        # the last gap.
        self.is_split, self.n_since_gap = np.zeros(n, bool), np.zeros(n, int)
        # Rows of each series whose imputation is not final, in order, and their values.
        self.pending_rows, self.pending_values = [[] for _ in range(n)], {}
        # Columns that each particle draws once, and their values, NaN at first.
        self.once = np.repeat(once, n_each, axis=0) if once.any() else None
        self.fixed = np.full((n * n_each, v.shape[1]), np.nan, v.dtype)

    def run(self):
        """Impute all rows."""
        for t in range(self.last.max() + 1):
            series = np.flatnonzero(self.last >= t)
            self._resample(series, t)
            final = (self.last[series] == t) | (not self.particles.has_likelihood)
            for part, means in (
                (series[final], not self.is_sample),
                (series[~final], False),
            ):
                self._advance(part, t, means)
            for s in series.tolist():
                is_old, last = self.n_since_gap[s] >= _LAG, t == self.last[s]
                if self.pending_rows[s] and (
                    last or self.pending_rows[s][0] <= self.starts[s] + t - _LAG
                ):
                    self._impute_pending(
                        s, t, last, is_old or (last and self.is_sample)
                    )
        n_each = 1 if self.is_sample else self.particles.n_forecasts
        ended, size = np.flatnonzero(self.lengths > self.last + 1), _BATCH // n_each
        for first in range(0, len(ended), size):
            self._forecast(ended[first : first + size], n_each)

    def _forecast(self, series, k):
        """Impute the rows of some series after the last known entry, by k particles of
        each, which are chosen by weight."""
        n_rows = (self.lengths - self.last)[series] - 1
        series = series[np.argsort(-n_rows, kind="stable")]
        first = self.starts[series] + self.last[series] + 1
        n_rows = (self.lengths - self.last)[series] - 1
        u = self.rng.take(first).fold(_FORECAST).uniform(1)
        chosen = [
            s * self.k + self._chosen(s, uniform, k) for s, uniform in zip(series, u)
        ]
        chosen = np.concatenate(chosen)
        state = self.state[chosen]
        for t in range(n_rows[0]):
            rows = first[n_rows > t] + t
            n = len(rows) * k
            v, rng = self.v[np.repeat(rows, k)], self.rng.take(rows).each(k).fold(_STEP)
            unweighed, averaged = np.zeros(n, bool), not self.is_sample
            _, filled, means, state = self._given_fixed(
                chosen[:n], state[:n], v, unweighed, rng, averaged
            )
            if not self.is_sample:
                means = means.reshape(len(rows), k, -1).mean(axis=1)
                filled = self.particles.decoded(means.astype(v.dtype))
            self.v[rows] = filled

    def _chosen(self, s, u, k):
        """Indices of k particles of a series, by systematic resampling with a uniform
        number u."""
        return systematic(np.exp(self.log_w[s] - logsumexp(self.log_w[s])), k, u)

    def _advance(self, series, t, means):
        """Extend some series by row t; a single particle stands for identical ones."""
        incomplete = np.isnan(self.v[self.starts[series] + t]).any(axis=1)
        identical = (
            ~(incomplete | self.is_split[series]) & self.particles.deterministic_state
        )
        for group, k in (series[~identical], self.k), (series[identical], 1):
            if group.size:
                self._advance_by(k, group, t, means)

    def _advance_by(self, k, series, t, means):
        """Extend some series by row t, with k particles of each."""
        rows, n_particles = self.starts[series] + t, self.k
        indices = (series[:, None] * n_particles + np.arange(n_particles)).ravel()
        v, rng = np.repeat(self.v[rows], k, axis=0), self.rng.take(rows).each(k)
        needs_log_p = np.repeat(self.is_split[series], k)
        representatives = indices[:: n_particles // k]
        log_p, filled, expected, state = self._given_fixed(
            representatives,
            self.state[representatives],
            v,
            needs_log_p,
            rng.fold(_STEP),
            means,
        )
        self.state[indices] = np.repeat(state, n_particles // k, axis=0)
        self.log_w[series] += log_p.reshape(-1, k)
        if not self.is_sample:
            filled = expected if means else self.particles.encoded(filled)
        filled = filled.reshape(len(series), k, -1)
        for s, row, values in zip(series.tolist(), rows.tolist(), filled):
            if np.isnan(self.v[row]).any():
                self.pending_values[row], self.is_split[s], self.n_since_gap[s] = (
                    values,
                    True,
                    0,
                )
                self.pending_rows[s].append(row)
            else:
                self.n_since_gap[s] += 1

    def _given_fixed(self, particles, state, v, needs_log_p, rng, means):
        """Advance some particles given the values that they draw once; weights are
        conditional on these values."""
        if self.once is None or not self.once[particles].any():
            return self.particles.advance(state, v, needs_log_p, rng, means)
        fixed = self.fixed[particles]
        completed = np.where(np.isnan(v), fixed, v)
        log_p, *rest = self.particles.advance(state, completed, needs_log_p, rng, means)
        rows = np.flatnonzero(needs_log_p & ~np.isnan(fixed).all(axis=1))
        if rows.size:
            log_p[rows] -= self.particles.advance(
                state[rows], fixed[rows], needs_log_p[rows], rng.take(rows), False
            )[0]
        self.fixed[particles] = np.where(self.once[particles], rest[0], fixed)
        return log_p, *rest

    def _resample(self, series, t):
        """Resample the particles of series whose effective sample size is small."""
        log_w = self.log_w[series]
        w = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        for s in series[1 / (w**2).sum(axis=1) < _MIN_RELATIVE_ESS * self.k].tolist():
            u = self.rng.take([self.starts[s] + t]).fold(_RESAMPLE).uniform(1)[0]
            self._keep_particles(s, self._chosen(s, u, self.k))

    def _keep_particles(self, s, particles):
        """Replace the particles of a series by those at the indices ``particles``, with
        their past."""
        part = slice(s * self.k, (s + 1) * self.k)
        self.state[part], self.log_w[s] = self.state[part][particles], 0
        self.fixed[part] = self.fixed[part][particles]
        for row in self.pending_rows[s]:
            self.pending_values[row] = self.pending_values[row][particles]

    def _impute_pending(self, s, t, last, single):
        """Impute pending rows of a series by its particles: all rows if ``last`` or
        ``single``, otherwise only old rows. Keep one particle if ``single``."""
        until = np.inf if last or single else self.starts[s] + t - _LAG
        rows = [row for row in self.pending_rows[s] if row <= until]
        noise = self.rng.take([self.starts[s] + t]).fold(_CHOICE).gumbel(self.k)[0]
        best, model = (self.log_w[s] + noise).argmax(), self.particles
        w = np.exp(self.log_w[s] - logsumexp(self.log_w[s]))
        for row in rows:
            values = self.pending_values.pop(row)
            filled = values[best]
            if not self.is_sample:
                filled = model.decoded((w @ values)[None].astype(self.v.dtype))[0]
            self.v[row] = np.where(np.isnan(self.v[row]), filled, self.v[row])
        self.pending_rows[s] = self.pending_rows[s][len(rows) :]
        if single:
            self._keep_particles(s, np.full(self.k, best))
            self.is_split[s] = False


def _parts(starts, lengths):
    """Slices of the rows of each series."""
    return [slice(a, a + n) for a, n in zip(starts.tolist(), lengths.tolist())]
