r"""Multinomial distribution of the words of a document.

.. math:: p(x \mid \eta) = \frac{n!}{\prod_k x_k!} \exp\Big(\sum_k \eta_k x_k -
   A(\eta)\Big), \quad \sum_k x_k = n, \quad A(\eta) = n \log \sum_k e^{\eta_k}, \quad
   \mathbb{E}[x_k] = \frac{\partial A}{\partial\eta_k} = n \frac{e^{\eta_k}}{\sum_l
   e^{\eta_l}}

A block of units is a document: the counts of all words, which sum to n. The factor with
factorials, which counts the orders of the words, is part of the base measure. Gamma
functions in place of factorials allow fractional n.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, softmax

from skdgm.distributions.counts import log_factorials
from skdgm.distributions.roles import Canonical, Unit

# Maximum length of documents that are drawn word by word, not column by column; and
# maximum length that NumPy can draw.
_MAX_BY_WORD, _MAX_LENGTH = 1024, 2.0**62


def draw_words(p, n, rng):
    """Draw documents of lengths n, (n_rows,), from unnormalized probabilities of words
    p, (n_rows, size), with a stream for each row. The fractional part of a length is
    the weight of one more word."""
    x, whole = np.zeros(p.shape), np.floor(n)
    long = whole > _MAX_BY_WORD
    short_rows = np.flatnonzero(~long)
    x[short_rows] = _word_by_word(p[short_rows], n[short_rows], rng.take(short_rows))
    for row, generator in zip(np.flatnonzero(long), rng.take(long).generators()):
        share = p[row].astype(np.float64)
        # NaN if training diverges.
        share = np.nan_to_num(share / share.sum())
        x[row] = generator.multinomial(int(min(whole[row], _MAX_LENGTH)), share)
        x[row] += (n[row] - whole[row]) * generator.multinomial(1, share)
    return x.astype(p.dtype)


def _word_by_word(p, n, rng):
    cumulative = np.cumsum(p, axis=1, dtype=np.float64)
    cumulative /= cumulative[:, -1:]
    rows, size = cumulative.shape
    # Row r has the interval from r to r + 1, so that one search covers all rows.
    cumulative += np.arange(rows)[:, None]
    n_places = np.ceil(n).astype(int)
    row = np.repeat(np.arange(rows), n_places)
    place = np.arange(len(row)) - np.repeat(np.cumsum(n_places) - n_places, n_places)
    u, weight = rng.fold(0).uniform_at(row, place) + row, None
    if (np.floor(n) == n).all():
        # Words of weight 1 can be in any order, and sorted numbers are found faster.
        u.sort()
    else:
        weight = np.minimum(n[row] - place, 1.0)
    drawn = np.searchsorted(cumulative.ravel(), u, side="right")
    drawn = np.minimum(drawn, size * (row + 1) - 1)
    x = np.bincount(drawn, weight, minlength=cumulative.size)
    return x.reshape(rows, size)


class _MultinomialFields(NamedTuple):
    size: int
    n: object = 1


class Multinomial(_MultinomialFields, Unit):
    """A document as a block of counts, whose parameters are one bias for each word of
    the vocabulary. ``n`` is the length of all documents, or of each, (n_rows,)."""

    __slots__ = ()

    field, statistic = Canonical.field, Canonical.statistic
    param_grad = Canonical.param_grad

    def init(self, moments=None, dtype=np.float64):
        """Biases for given mean counts of a block without neighbors: log shares of the
        words. Zeros if ``moments`` is None."""
        if moments is None:
            return np.zeros(self.size, dtype)
        share = np.asarray(moments, np.float64)
        return np.log(share / share.sum()).astype(dtype)

    def log_weight(self, eta, x):
        x = np.asarray(x)
        total = (x * eta).sum(axis=-1, dtype=np.float64)
        return total + self._log_orders(x)

    def _log_orders(self, x):
        """Log of the number of orders of the words, (n_rows,)."""
        log_factorials_of_counts = log_factorials(x).sum(axis=-1)
        return gammaln(np.asarray(self.n, np.float64) + 1) - log_factorials_of_counts

    def log_partition(self, eta):
        return self.n * logsumexp(np.asarray(eta, np.float64), axis=-1)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x given each row of eta, (n_rows, n_fields).

        The remaining words are summed out over the counts that are not clamped. Minus
        infinity if words remain but all counts are clamped, or if clamped counts exceed
        the length.
        """
        eta, x = np.atleast_2d(np.asarray(eta, np.float64)), np.where(clamped, x, 0.0)
        n_left = np.broadcast_to(self.n - x.sum(axis=1), len(x))
        known = x @ eta.T - log_factorials(x).sum(axis=1, keepdims=True)
        known += (gammaln(np.asarray(self.n) + 1.0) - gammaln(n_left + 1))[:, None]
        with np.errstate(divide="ignore"):
            free_eta = np.where(clamped[:, None], -np.inf, eta)
            log_total = logsumexp(free_eta, axis=2)
        with np.errstate(invalid="ignore"):
            log_rest = np.where(n_left[:, None] == 0, 0.0, n_left[:, None] * log_total)
        return np.where(n_left[:, None] < 0, -np.inf, known + log_rest)

    def mean(self, eta):
        return self._counts(softmax(eta, axis=-1))

    def _counts(self, p):
        """Expected counts of words with probabilities p."""
        n = np.asarray(self.n, p.dtype)
        return p * (n[:, None] if n.ndim else n)

    def sample(self, eta, rng):
        shape, p = (len(rng.ids), self.size), softmax(eta, axis=-1)
        mean, p = (np.broadcast_to(part, shape) for part in (self._counts(p), p))
        return draw_words(p, np.broadcast_to(self.n, shape[:1]), rng), mean

    def draw(self, mean, rng):
        """Draw documents whose lengths are the sums of the rows of means."""
        return draw_words(mean, mean.sum(axis=1, dtype=np.float64).round(6), rng)

    def log_prob(self, mean, x):
        """Log probability of each row of x given its row of means, float64."""
        mean, x = np.asarray(mean, np.float64), np.asarray(x, np.float64)
        with np.errstate(divide="ignore"):
            log_p = np.log(mean) - np.log(mean.sum(axis=1, keepdims=True))
        return np.where(x > 0, x * log_p, 0).sum(axis=1) + self._log_orders(x)

    def entropy(self, params, mean):
        """Contribution of each word to the entropy, corrected for the log number of
        orders at the mean, which ``log_weight`` uses in place of its expectation."""
        n = np.asarray(self.n, np.float64)
        n = n[:, None] if n.ndim else n
        mean = np.asarray(mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = np.where(mean > 0, mean * np.log(n / mean), 0.0)
        return entropy + gammaln(mean + 1.0) - gammaln(n + 1) / self.size

    @property
    def n_states(self):
        """Number of documents of length n, which must be an integer."""
        return len(self._documents)

    def states(self, codes):
        """Documents by number, of shape (n_codes, size)."""
        return self._documents[codes]

    @property
    def _documents(self):
        counts = [()]
        for _ in range(self.size - 1):
            counts = [x + (k,) for x in counts for k in range(self.n + 1 - sum(x))]
        return np.array([(*x, self.n - sum(x)) for x in counts], float)
