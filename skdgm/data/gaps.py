r"""Gaps in series, filled given what comes before and after them, by particles [1]_.

.. math:: p(x^{miss} \mid x^{seen}) \approx \sum_k W^k \delta(x^{miss}, x^{miss, k}),
   \qquad W^k \propto \prod_t p(x^{seen}_t \mid x^k_{<t})

Each particle draws what is missing of a row given what is known of it, and is weighted
by how probable it makes this, and what follows. Where few have most of the weight, they
are drawn anew by it, with all that they have filled in.

References
----------
.. [1] Doucet and Johansen (2009). A tutorial on particle filtering and smoothing.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import logsumexp

# Share of the particles that count, below which they are drawn anew; rows after one
# that is filled in by which its particles are weighted; and particles at a time.
_FEW, _AFTER, _ROOM = 0.5, 50, 2**13
_AGAIN, _STEP, _CHOICE = range(600, 603)


class Particles(ABC):
    """Series of which each is continued row by row, and what fills gaps of theirs."""

    @abstractmethod
    def begin(self, n):
        """States of n series before their first row, an array with a row for each."""

    @abstractmethod
    def advance(self, state, v, weighed, rng, method):
        """Log-likelihoods of what is known of the next row of each series, where
        ``weighed``, (n,); the rows, with means or draws for what is missing; and the
        states after these."""

    @abstractmethod
    def encoded(self, v):
        """Complete rows as an array of numbers whose means have a meaning."""

    @abstractmethod
    def decoded(self, mean):
        """Rows of means of such numbers."""


def has_later(v, starts, lengths):
    """Mask of the series of which a row is known, in parts, after an incomplete one."""
    holed, known = np.isnan(v).any(axis=1), ~np.isnan(v).all(axis=1)
    found = np.zeros(len(starts), bool)
    for s, part in enumerate(_parts(starts, lengths)):
        first = np.flatnonzero(holed[part])[:1]
        found[s] = first.size > 0 and known[part][first[0] + 1 :].any()
    return found


def fill_gaps(particles, v, starts, lengths, rng, method, n_each):
    """Fill gaps of series by ``n_each`` particles for each: rows of a table, of which
    the series begin at ``starts``; others stay. ``rng`` has a stream for each row."""
    v, order = v.copy(), np.argsort(-lengths, kind="stable")
    size = max(1, _ROOM // n_each)
    for first in range(0, len(order), size):
        which = order[first : first + size]
        _Cloud(particles, v, starts[which], lengths[which], rng, method, n_each).run()
    return v


class _Cloud:
    """Particles of some series, the longest first, which fill gaps of v in place."""

    def __init__(self, particles, v, starts, lengths, rng, method, n_each):
        self.particles, self.v, self.rng = particles, v, rng
        self.starts, self.lengths, self.k = starts, lengths, n_each
        self.drawn = method == "sample"
        n, known = len(starts), ~np.isnan(v).all(axis=1)
        parts = _parts(starts, lengths)
        # Last row of each series of which something is known.
        self.last = [np.flatnonzero(known[part]).max(initial=-1) for part in parts]
        self.state = particles.begin(n * n_each)
        self.log_w = np.zeros((n, n_each))
        # Whether particles differ; rows that they have filled in and nobody has
        # settled, in order; and complete rows since.
        self.differ, self.quiet = np.zeros(n, bool), np.zeros(n, int)
        self.open, self.paths = [[] for _ in range(n)], {}

    def run(self):
        """Fill all rows."""
        for t in range(self.lengths[0]):
            n = np.count_nonzero(self.lengths > t)
            self.state, self.log_w = self.state[: n * self.k], self.log_w[:n]
            later = np.array([t <= last for last in self.last[:n]])
            self._renew(t)
            for seen, method in ((later, "sample"), (~later, "mean")):
                if seen.any():
                    how = "sample" if self.drawn else method
                    self._advance(np.flatnonzero(seen), t, how)
            for s in range(n):
                far, last = self.quiet[s] >= _AFTER, t >= self.last[s]
                if self.open[s] and (
                    last or self.open[s][0] <= self.starts[s] + t - _AFTER
                ):
                    self._settle(s, t, last, far or (last and self.drawn))

    def _advance(self, which, t, method):
        """Give some series their row t."""
        k, rows = self.k, self.starts[which] + t
        own = (which[:, None] * k + np.arange(k)).ravel()
        v, rng = np.repeat(self.v[rows], k, axis=0), self.rng.take(rows).each(k)
        weighed = np.repeat(self.differ[which], k)
        given = self.state[own], v, weighed, rng.fold(_STEP), method
        log_p, filled, state = self.particles.advance(*given)
        self.state[own] = state
        self.log_w[which] += log_p.reshape(-1, k)
        filled = filled.reshape(len(which), k, -1)
        for s, row, own in zip(which.tolist(), rows.tolist(), filled):
            if np.isnan(self.v[row]).any():
                self.paths[row], self.differ[s], self.quiet[s] = own, True, 0
                self.open[s].append(row)
            else:
                self.quiet[s] += 1

    def _renew(self, t):
        """Draw particles anew by their weights where few count."""
        w = np.exp(self.log_w - logsumexp(self.log_w, axis=1, keepdims=True))
        for s in np.flatnonzero(1 / (w**2).sum(axis=1) < _FEW * self.k).tolist():
            row = [self.starts[s] + t]
            u = self.rng.take(row).fold(_AGAIN).uniform(1)[0, 0]
            places = (np.arange(self.k) + u) / self.k
            self._keep(s, np.searchsorted(w[s].cumsum()[:-1], places, side="right"))

    def _keep(self, s, which):
        """Keep some particles of a series, with what they have filled in."""
        part = slice(s * self.k, (s + 1) * self.k)
        self.state[part] = self.state[part][which]
        self.log_w[s] = 0
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
                mean = w @ model.encoded(own)
                filled = model.decoded(mean[None].astype(own.dtype))[0]
            self.v[row] = np.where(np.isnan(self.v[row]), filled, self.v[row])
        self.open[s] = self.open[s][len(settled) :]
        if alone:
            self._keep(s, np.full(self.k, best))
            self.differ[s] = False


def _parts(starts, lengths):
    """Slices of the rows of each series."""
    return [slice(a, a + n) for a, n in zip(starts.tolist(), lengths.tolist())]
