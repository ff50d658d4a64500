r"""Gaps in series, filled given what comes before and after them, by particles [1]_.

.. math:: p(x^{miss} \mid x^{seen}) \approx \sum_k W^k \delta(x^{miss}, x^{miss, k}),
   \qquad W^k \propto \prod_t p(x^{seen}_t \mid x^k_{<t})

Each particle draws what is missing of a row given what is known of it, and is weighted
by how probable it makes this, and what follows. Where few have most of the weight, they
are drawn again by it, with all that they have filled in. Rows after the last one with a
known entry are forecasts, drawn from particles chosen by weight. Where no later weight
depends on a row, its mean is averaged over its means given the past of each particle,
which vary less than draws.

References
----------
.. [1] Doucet and Johansen (2009). A tutorial on particle filtering and smoothing.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import logsumexp

from skdgm.utils import addresses

# Share of the particles that count, below which they are drawn again; rows after one
# that is filled in by which its particles are weighted; and particles at a time.
_FEW, _AFTER, _ROOM = 0.5, 50, 2**13
_AGAIN, _STEP, _CHOICE, _ON = addresses.GAPS


class Particles(ABC):
    """Series of which each is continued row by row, and what fills gaps of theirs."""

    # Whether the state is a function of the rows so far; whether log-likelihoods are
    # known, by which particles are weighted; and particles of each series that a
    # forecast averages over: fewer where each row of each takes a chain.
    alike = weighs = True
    n_forecasts = 300

    @abstractmethod
    def begin(self, n):
        """States of n series before their first row, an array with a row for each."""

    @abstractmethod
    def advance(self, state, v, weighed, rng, means):
        """Log-likelihoods of the known entries of the next row of each series, where
        ``weighed``, (n,); the rows, with draws for missing entries; if ``means``, their
        encoded means given the known entries, else None; and the states after the
        rows."""

    @abstractmethod
    def encoded(self, v):
        """Complete rows as an array of numbers whose means have a meaning."""

    @abstractmethod
    def decoded(self, mean):
        """Rows of means of such numbers."""


def need_particles(v, starts, lengths, method):
    """Mask of the series in which a row after an incomplete one counts: one of which
    anything is known; for means any, as it is to be averaged over the former ones."""
    holed, counts = np.isnan(v).any(axis=1), ~np.isnan(v).all(axis=1)
    counts |= method == "mean"
    found = np.zeros(len(starts), bool)
    for s, part in enumerate(_parts(starts, lengths)):
        first = np.flatnonzero(holed[part])[:1]
        found[s] = first.size > 0 and counts[part][first[0] + 1 :].any()
    return found


def fill_gaps(particles, v, starts, lengths, rng, method, n_each, kept=None):
    """Fill gaps of series by ``n_each`` particles for each: rows of a table, of which
    the series begin at ``starts``; others stay. ``rng`` has a stream for each row.
    Columns ``kept``, a mask, that are missing in a whole series are drawn once."""
    v, order = v.copy(), np.argsort(-lengths, kind="stable")
    once = lost_columns(v, starts, lengths, kept)
    size = max(1, _ROOM // n_each)
    for first in range(0, len(order), size):
        which = order[first : first + size]
        given = particles, v, starts[which], lengths[which], rng, method, n_each
        _Cloud(*given, once[which]).run()
    for part, own in zip(_parts(starts, lengths), once):
        # The last row has been filled given most.
        v[part, own] = v[part, own][-1]
    return v


def lost_columns(v, starts, lengths, kept=None):
    """Mask of the columns ``kept`` of which no value of a series is known, (n_series,
    n_columns)."""
    if kept is None or not kept.any():
        return np.zeros((len(starts), v.shape[1]), bool)
    lost = [np.isnan(v[part]).all(axis=0) for part in _parts(starts, lengths)]
    return np.array(lost).reshape(-1, v.shape[1]) & kept


class _Cloud:
    """Particles of some series, the longest first, which fill gaps of v in place."""

    def __init__(self, particles, v, starts, lengths, rng, method, n_each, once):
        self.particles, self.v, self.rng = particles, v, rng
        self.starts, self.lengths, self.k = starts, lengths, n_each
        self.drawn = method == "sample"
        n, known = len(starts), ~np.isnan(v).all(axis=1)
        parts = _parts(starts, lengths)
        # Last row of each series of which something is known.
        last = [np.flatnonzero(known[part]).max(initial=-1) for part in parts]
        self.last = np.array(last)
        self.state = particles.begin(n * n_each)
        self.log_w = np.zeros((n, n_each))
        # Whether particles differ; rows that they have filled in and nobody has
        # settled, in order; and complete rows since.
        self.differ, self.quiet = np.zeros(n, bool), np.zeros(n, int)
        self.open, self.paths = [[] for _ in range(n)], {}
        # Columns that each particle draws once, and their values, NaN before.
        self.once = np.repeat(once, n_each, axis=0) if once.any() else None
        self.fixed = np.full((n * n_each, v.shape[1]), np.nan, v.dtype)

    def run(self):
        """Fill all rows."""
        for t in range(self.last.max() + 1):
            which = np.flatnonzero(self.last >= t)
            self._renew(which, t)
            final = (self.last[which] == t) | (not self.particles.weighs)
            for part, means in (which[final], not self.drawn), (which[~final], False):
                self._advance(part, t, means)
            for s in which.tolist():
                far, last = self.quiet[s] >= _AFTER, t == self.last[s]
                if self.open[s] and (
                    last or self.open[s][0] <= self.starts[s] + t - _AFTER
                ):
                    self._settle(s, t, last, far or (last and self.drawn))
        n_each = 1 if self.drawn else self.particles.n_forecasts
        some, size = np.flatnonzero(self.lengths > self.last + 1), _ROOM // n_each
        for first in range(0, len(some), size):
            self._forecast(some[first : first + size], n_each)

    def _forecast(self, which, k):
        """Fill the rows of some series after the last one of which anything is known,
        by so many particles of each, chosen by weight."""
        n_rows = (self.lengths - self.last)[which] - 1
        which = which[np.argsort(-n_rows, kind="stable")]
        first = self.starts[which] + self.last[which] + 1
        n_rows = (self.lengths - self.last)[which] - 1
        u = self.rng.take(first).fold(_ON).uniform(1)
        chosen = [s * self.k + self._chosen(s, own, k) for s, own in zip(which, u)]
        chosen = np.concatenate(chosen)
        state = self.state[chosen]
        for t in range(n_rows[0]):
            rows = first[n_rows > t] + t
            n = len(rows) * k
            v, rng = self.v[np.repeat(rows, k)], self.rng.take(rows).each(k).fold(_STEP)
            given = state[:n], v, np.zeros(n, bool), rng, not self.drawn
            _, filled, means, state = self._given_fixed(chosen[:n], *given)
            if not self.drawn:
                means = means.reshape(len(rows), k, -1).mean(axis=1)
                filled = self.particles.decoded(means.astype(v.dtype))
            self.v[rows] = filled

    def _chosen(self, s, u, k):
        """Numbers of k particles of a series, by weight, given a uniform number."""
        w = np.exp(self.log_w[s] - logsumexp(self.log_w[s]))
        places = (np.arange(k) + u) / k
        return np.searchsorted(w.cumsum()[:-1], places, side="right")

    def _advance(self, which, t, means):
        """Give some series their row t; particles that are alike are one."""
        holed = np.isnan(self.v[self.starts[which] + t]).any(axis=1)
        one = ~(holed | self.differ[which]) & self.particles.alike
        for own, k in (which[~one], self.k), (which[one], 1):
            if own.size:
                self._advance_by(k, own, t, means)

    def _advance_by(self, k, which, t, means):
        """The same, by k particles of each."""
        rows, many = self.starts[which] + t, self.k
        own = (which[:, None] * many + np.arange(many)).ravel()
        v, rng = np.repeat(self.v[rows], k, axis=0), self.rng.take(rows).each(k)
        weighed = np.repeat(self.differ[which], k)
        some = own[:: many // k]
        given = self.state[some], v, weighed, rng.fold(_STEP), means
        log_p, filled, expected, state = self._given_fixed(some, *given)
        self.state[own] = np.repeat(state, many // k, axis=0)
        self.log_w[which] += log_p.reshape(-1, k)
        if not self.drawn:
            filled = expected if means else self.particles.encoded(filled)
        filled = filled.reshape(len(which), k, -1)
        for s, row, own in zip(which.tolist(), rows.tolist(), filled):
            if np.isnan(self.v[row]).any():
                self.paths[row], self.differ[s], self.quiet[s] = own, True, 0
                self.open[s].append(row)
            else:
                self.quiet[s] += 1

    def _given_fixed(self, which, state, v, weighed, rng, means):
        """Advance some particles, given what they have drawn once; they are weighted by
        the others of the known entries given it."""
        if self.once is None or not self.once[which].any():
            return self.particles.advance(state, v, weighed, rng, means)
        fixed = self.fixed[which]
        whole = np.where(np.isnan(v), fixed, v)
        log_p, *rest = self.particles.advance(state, whole, weighed, rng, means)
        some = np.flatnonzero(weighed & ~np.isnan(fixed).all(axis=1))
        if some.size:
            given = state[some], fixed[some], weighed[some], rng.take(some), False
            log_p[some] -= self.particles.advance(*given)[0]
        self.fixed[which] = np.where(self.once[which], rest[0], fixed)
        return log_p, *rest

    def _renew(self, which, t):
        """Draw particles of some series again by their weights where few count."""
        log_w = self.log_w[which]
        w = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        for s in which[1 / (w**2).sum(axis=1) < _FEW * self.k].tolist():
            u = self.rng.take([self.starts[s] + t]).fold(_AGAIN).uniform(1)[0]
            self._keep(s, self._chosen(s, u, self.k))

    def _keep(self, s, which):
        """Keep some particles of a series, with what they have filled in."""
        part = slice(s * self.k, (s + 1) * self.k)
        self.state[part], self.log_w[s] = self.state[part][which], 0
        self.fixed[part] = self.fixed[part][which]
        for row in self.open[s]:
            self.paths[row] = self.paths[row][which]

    def _settle(self, s, t, last, alone):
        """Fill the open rows of a series by its particles: the ``last`` ones, or those
        long ago; go on with one of these particles if ``alone``."""
        until = np.inf if last or alone else self.starts[s] + t - _AFTER
        settled = [row for row in self.open[s] if row <= until]
        noise = self.rng.take([self.starts[s] + t]).fold(_CHOICE).gumbel(self.k)[0]
        best, model = (self.log_w[s] + noise).argmax(), self.particles
        w = np.exp(self.log_w[s] - logsumexp(self.log_w[s]))
        for row in settled:
            own = self.paths.pop(row)
            filled = own[best]
            if not self.drawn:
                filled = model.decoded((w @ own)[None].astype(self.v.dtype))[0]
            self.v[row] = np.where(np.isnan(self.v[row]), filled, self.v[row])
        self.open[s] = self.open[s][len(settled) :]
        if alone:
            self._keep(s, np.full(self.k, best))
            self.differ[s] = False


def _parts(starts, lengths):
    """Slices of the rows of each series."""
    return [slice(a, a + n) for a, n in zip(starts.tolist(), lengths.tolist())]
