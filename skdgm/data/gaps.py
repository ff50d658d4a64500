r"""Imputation of gaps in series given earlier and later rows, by particle filters [1]_.

.. math:: p(x^{miss} \mid x^{seen}) \approx \sum_k W^k \delta(x^{miss}, x^{miss, k}),
   \qquad W^k \propto \prod_t p(x^{seen}_t \mid x^k_{<t})

Each particle draws the missing entries of a row given its known entries. Its weight is
the likelihood of these and later known entries. Particles are resampled with their past
when the effective sample size is small. Rows after the last known entry are forecasts,
drawn from particles that are chosen by weight. If no later weight depends on a row, its
mean is the average of the conditional means given each particle's past, which vary less
than draws.

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
_FEW, _AFTER, _ROOM = 0.5, 50, 2**13
_AGAIN, _STEP, _CHOICE, _ON = addresses.GAPS


class Particles(ABC):
    """Series that are continued row by row: the model that a particle filter needs."""

    # Whether the state is a function of the rows so far; whether log-likelihoods, the
    # weights of particles, are known; and number of particles that a forecast averages,
    # smaller if each row requires a Markov chain.
    alike = weighs = True
    n_forecasts = 300

    @abstractmethod
    def begin(self, n):
        """States of n series before their first row, an array with a row for each."""

    @abstractmethod
    def advance(self, state, v, weighed, rng, means):
        """Extend each of n series by a row, and draw its missing entries.

        Returns log-likelihoods of the known entries, of shape (n,), where ``weighed``;
        complete rows; their encoded means given the known entries if ``means``,
        otherwise None; and the states after the rows.
        """

    @abstractmethod
    def encoded(self, v):
        """Complete rows as an array of numbers that can be averaged."""

    @abstractmethod
    def decoded(self, mean):
        """Rows for the means of encoded rows."""


def need_particles(v, starts, lengths, method):
    """Mask of series with a known entry after an incomplete row; for means, with any
    row after one, because its mean is averaged over the imputations."""
    incomplete, counts = np.isnan(v).any(axis=1), ~np.isnan(v).all(axis=1)
    counts |= method == "mean"
    mask = np.zeros(len(starts), bool)
    for s, part in enumerate(_parts(starts, lengths)):
        first = np.flatnonzero(incomplete[part])[:1]
        mask[s] = first.size > 0 and counts[part][first[0] + 1 :].any()
    return mask


def fill_gaps(particles, v, starts, lengths, rng, method, n_each, kept=None):
    """Impute gaps of series, rows of v that begin at ``starts``, by ``n_each``
    particles for each series.

    ``rng`` has a stream for each row. Columns in the mask ``kept`` are constant in each
    series, and are drawn once if a series has no known value.
    """
    v, order = v.copy(), np.argsort(-lengths, kind="stable")
    once = lost_columns(v, starts, lengths, kept)
    size = max(1, _ROOM // n_each)
    for first in range(0, len(order), size):
        which = order[first : first + size]
        series = _Gaps(v, starts[which], lengths[which], once[which])
        _Cloud(particles, series, rng, method, n_each).run()
    for part, columns in zip(_parts(starts, lengths), once):
        # The last row is imputed given the most rows.
        v[part, columns] = v[part, columns][-1]
    return v


def lost_columns(v, starts, lengths, kept=None):
    """Mask, of shape (n_series, n_columns), of the columns ``kept`` without a known
    value in a series."""
    if kept is None or not kept.any():
        return np.zeros((len(starts), v.shape[1]), bool)
    unknown = [np.isnan(v[part]).all(axis=0) for part in _parts(starts, lengths)]
    return np.array(unknown).reshape(-1, v.shape[1]) & kept


class _Gaps(NamedTuple):
    """Series with gaps, the longest first: rows v, in which they begin at ``starts``;
    ``once`` is the mask, of shape (n_series, n_columns), of :func:`lost_columns`."""

    v: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    once: np.ndarray


class _Cloud:
    """Particles of several series, which impute the gaps in place."""

    def __init__(self, particles, series, rng, method, n_each):
        v, starts, lengths, once = series
        self.particles, self.v, self.rng = particles, v, rng
        self.starts, self.lengths, self.k = starts, lengths, n_each
        self.drawn = method == "sample"
        n, known = len(starts), ~np.isnan(v).all(axis=1)
        slices = _parts(starts, lengths)
        # Last row of each series with a known entry.
        last = [np.flatnonzero(known[part]).max(initial=-1) for part in slices]
        self.last = np.array(last)
        self.state = particles.begin(n * n_each)
        self.log_w = np.zeros((n, n_each))
        # Whether the particles of each series differ; number of complete rows since the
        # last gap; rows whose imputation is not yet final, in order; and their values.
        self.differ, self.quiet = np.zeros(n, bool), np.zeros(n, int)
        self.open, self.paths = [[] for _ in range(n)], {}
        # Columns that each particle draws once, and their values, NaN at first.
        self.once = np.repeat(once, n_each, axis=0) if once.any() else None
        self.fixed = np.full((n * n_each, v.shape[1]), np.nan, v.dtype)

    def run(self):
        """Impute all rows."""
        for t in range(self.last.max() + 1):
            which = np.flatnonzero(self.last >= t)
            self._renew(which, t)
            final = (self.last[which] == t) | (not self.particles.weighs)
            for part, means in (which[final], not self.drawn), (which[~final], False):
                self._advance(part, t, means)
            for s in which.tolist():
                is_old, last = self.quiet[s] >= _AFTER, t == self.last[s]
                if self.open[s] and (
                    last or self.open[s][0] <= self.starts[s] + t - _AFTER
                ):
                    self._impute_open_rows(s, t, last, is_old or (last and self.drawn))
        n_each = 1 if self.drawn else self.particles.n_forecasts
        ended, size = np.flatnonzero(self.lengths > self.last + 1), _ROOM // n_each
        for first in range(0, len(ended), size):
            self._forecast(ended[first : first + size], n_each)

    def _forecast(self, which, k):
        """Impute the rows of some series after the last known entry, by k particles of
        each, which are chosen by weight."""
        n_rows = (self.lengths - self.last)[which] - 1
        which = which[np.argsort(-n_rows, kind="stable")]
        first = self.starts[which] + self.last[which] + 1
        n_rows = (self.lengths - self.last)[which] - 1
        u = self.rng.take(first).fold(_ON).uniform(1)
        chosen = [
            s * self.k + self._chosen(s, uniform, k) for s, uniform in zip(which, u)
        ]
        chosen = np.concatenate(chosen)
        state = self.state[chosen]
        for t in range(n_rows[0]):
            rows = first[n_rows > t] + t
            n = len(rows) * k
            v, rng = self.v[np.repeat(rows, k)], self.rng.take(rows).each(k).fold(_STEP)
            unweighed, averaged = np.zeros(n, bool), not self.drawn
            _, filled, means, state = self._given_fixed(
                chosen[:n], state[:n], v, unweighed, rng, averaged
            )
            if not self.drawn:
                means = means.reshape(len(rows), k, -1).mean(axis=1)
                filled = self.particles.decoded(means.astype(v.dtype))
            self.v[rows] = filled

    def _chosen(self, s, u, k):
        """Indices of k particles of a series, by systematic resampling with a uniform
        number u."""
        return systematic(np.exp(self.log_w[s] - logsumexp(self.log_w[s])), k, u)

    def _advance(self, which, t, means):
        """Extend some series by row t; a single particle stands for identical ones."""
        incomplete = np.isnan(self.v[self.starts[which] + t]).any(axis=1)
        identical = ~(incomplete | self.differ[which]) & self.particles.alike
        for series, k in (which[~identical], self.k), (which[identical], 1):
            if series.size:
                self._advance_by(k, series, t, means)

    def _advance_by(self, k, which, t, means):
        """Extend some series by row t, with k particles of each."""
        rows, many = self.starts[which] + t, self.k
        indices = (which[:, None] * many + np.arange(many)).ravel()
        v, rng = np.repeat(self.v[rows], k, axis=0), self.rng.take(rows).each(k)
        weighed = np.repeat(self.differ[which], k)
        some = indices[:: many // k]
        log_p, filled, expected, state = self._given_fixed(
            some, self.state[some], v, weighed, rng.fold(_STEP), means
        )
        self.state[indices] = np.repeat(state, many // k, axis=0)
        self.log_w[which] += log_p.reshape(-1, k)
        if not self.drawn:
            filled = expected if means else self.particles.encoded(filled)
        filled = filled.reshape(len(which), k, -1)
        for s, row, values in zip(which.tolist(), rows.tolist(), filled):
            if np.isnan(self.v[row]).any():
                self.paths[row], self.differ[s], self.quiet[s] = values, True, 0
                self.open[s].append(row)
            else:
                self.quiet[s] += 1

    def _given_fixed(self, which, state, v, weighed, rng, means):
        """Advance some particles given the values that they draw once; weights are
        conditional on these values."""
        if self.once is None or not self.once[which].any():
            return self.particles.advance(state, v, weighed, rng, means)
        fixed = self.fixed[which]
        completed = np.where(np.isnan(v), fixed, v)
        log_p, *rest = self.particles.advance(state, completed, weighed, rng, means)
        some = np.flatnonzero(weighed & ~np.isnan(fixed).all(axis=1))
        if some.size:
            log_p[some] -= self.particles.advance(
                state[some], fixed[some], weighed[some], rng.take(some), False
            )[0]
        self.fixed[which] = np.where(self.once[which], rest[0], fixed)
        return log_p, *rest

    def _renew(self, which, t):
        """Resample the particles of series whose effective sample size is small."""
        log_w = self.log_w[which]
        w = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        for s in which[1 / (w**2).sum(axis=1) < _FEW * self.k].tolist():
            u = self.rng.take([self.starts[s] + t]).fold(_AGAIN).uniform(1)[0]
            self._keep(s, self._chosen(s, u, self.k))

    def _keep(self, s, which):
        """Replace the particles of a series by the particles ``which``, with their
        past."""
        part = slice(s * self.k, (s + 1) * self.k)
        self.state[part], self.log_w[s] = self.state[part][which], 0
        self.fixed[part] = self.fixed[part][which]
        for row in self.open[s]:
            self.paths[row] = self.paths[row][which]

    def _impute_open_rows(self, s, t, last, alone):
        """Impute the open rows of a series by its particles: all rows if ``last``,
        otherwise only old rows. Continue with a single particle if ``alone``."""
        until = np.inf if last or alone else self.starts[s] + t - _AFTER
        rows = [row for row in self.open[s] if row <= until]
        noise = self.rng.take([self.starts[s] + t]).fold(_CHOICE).gumbel(self.k)[0]
        best, model = (self.log_w[s] + noise).argmax(), self.particles
        w = np.exp(self.log_w[s] - logsumexp(self.log_w[s]))
        for row in rows:
            values = self.paths.pop(row)
            filled = values[best]
            if not self.drawn:
                filled = model.decoded((w @ values)[None].astype(self.v.dtype))[0]
            self.v[row] = np.where(np.isnan(self.v[row]), filled, self.v[row])
        self.open[s] = self.open[s][len(rows) :]
        if alone:
            self._keep(s, np.full(self.k, best))
            self.differ[s] = False


def _parts(starts, lengths):
    """Slices of the rows of each series."""
    return [slice(a, a + n) for a, n in zip(starts.tolist(), lengths.tolist())]
