r"""Multinomial distribution, of the words of a document.

.. math:: p(x \mid \eta) = \frac{n!}{\prod_k x_k!} \exp\Big(\sum_k \eta_k x_k -
   A(\eta)\Big), \quad \sum_k x_k = n, \quad A(\eta) = n \log \sum_k e^{\eta_k}, \quad
   \mathbb{E}[x_k] = \frac{\partial A}{\partial\eta_k} = n \frac{e^{\eta_k}}{\sum_l
   e^{\eta_l}}

A block of units is a whole document: counts of all words, which sum to n. The factor
with factorials, the number of orders of the words, belongs to the base measure; with
Gamma functions in the place of factorials n may be a fraction.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp, softmax

from skdgm.distributions.counts import log_factorials
from skdgm.distributions.roles import Canonical, Unit

# Documents of more words are drawn column by column, not word by word; and length of
# the longest that NumPy draws.
_MOST, _LONGEST = 1024, 2.0**62


def draw_words(p, n, rng):
    """Draw documents of given lengths, (n_rows,), as of p, by a stream for each row,
    whose probabilities of words, (n_rows, size), are right up to a factor for each row.
    What exceeds a whole length is the weight of one more word."""
    x, whole = np.zeros(p.shape), np.floor(n)
    many = whole > _MOST
    few = np.flatnonzero(~many)
    x[few] = _word_by_word(p[few], n[few], rng.take(few))
    for row, own in zip(np.flatnonzero(many), rng.take(many).generators()):
        share = p[row].astype(np.float64)
        # Not numbers where training diverges.
        share = np.nan_to_num(share / share.sum())
        x[row] = own.multinomial(int(min(whole[row], _LONGEST)), share)
        x[row] += (n[row] - whole[row]) * own.multinomial(1, share)
    return x.astype(p.dtype)


def _word_by_word(p, n, rng):
    upto = np.cumsum(p, axis=1, dtype=np.float64)
    upto /= upto[:, -1:]
    rows, size = upto.shape
    # Row r has the interval from r to r + 1, so that all are searched at once.
    upto += np.arange(rows)[:, None]
    place = np.arange(int(np.ceil(n).max(initial=0)))
    u, whole = rng.fold(0).uniform(len(place)), np.floor(n)
    weight = np.where(place < whole[:, None], 1.0, (n - whole)[:, None])
    row, column = np.nonzero((place < n[:, None]) & (weight > 0))
    found = np.searchsorted(upto.ravel(), u[row, column] + row, side="right")
    found = np.minimum(found, size * (row + 1) - 1)
    x = np.bincount(found, weight[row, column], minlength=upto.size)
    return x.reshape(rows, size)


class _MultinomialFields(NamedTuple):
    size: int
    n: object = 1


class Multinomial(_MultinomialFields, Unit):
    """A document as a block of counts, whose parameters are one bias for each word of
    the vocabulary; n is the length of all documents, or of each, (n_rows,)."""

    __slots__ = ()

    field, statistic = Canonical.field, Canonical.statistic
    param_grad = Canonical.param_grad

    def init(self, moments=None, dtype=np.float64):
        """Biases with which the words of a block without neighbours have the given
        means: logs of their shares; zeros without means."""
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
        own = log_factorials(x).sum(axis=-1)
        return gammaln(np.asarray(self.n, np.float64) + 1) - own

    def log_partition(self, eta):
        return self.n * logsumexp(np.asarray(eta, np.float64), axis=-1)

    def log_evidence(self, eta, x, clamped):
        """Log weight of each row of x under each row of eta, (n_rows, n_fields), with
        the words that are left among those that are not clamped; minus infinity if
        there are none, or clamped counts exceed the length."""
        eta, x = np.atleast_2d(np.asarray(eta, np.float64)), np.where(clamped, x, 0.0)
        left = np.broadcast_to(self.n - x.sum(axis=1), len(x))
        known = x @ eta.T - log_factorials(x).sum(axis=1, keepdims=True)
        known += (gammaln(np.asarray(self.n) + 1.0) - gammaln(left + 1))[:, None]
        with np.errstate(divide="ignore"):
            free = np.where(clamped[:, None], -np.inf, eta)
            rest = logsumexp(free, axis=2)
        with np.errstate(invalid="ignore"):
            more = np.where(left[:, None] == 0, 0.0, left[:, None] * rest)
        return np.where(left[:, None] < 0, -np.inf, known + more)

    def mean(self, eta):
        n = np.asarray(self.n, eta.dtype)
        return softmax(eta, axis=-1) * (n[:, None] if n.ndim else n)

    def sample(self, eta, rng):
        shape = len(rng.ids), self.size
        mean = np.broadcast_to(self.mean(eta), shape)
        p = np.broadcast_to(softmax(eta, axis=-1), shape)
        return draw_words(p, np.broadcast_to(self.n, shape[:1]), rng), mean

    def draw(self, mean, rng):
        """Draw documents of the lengths that rows of means sum to."""
        return draw_words(mean, mean.sum(axis=1, dtype=np.float64).round(6), rng)

    def log_prob(self, mean, x):
        """Log probability of each row of x under its row of means, in float64."""
        mean, x = np.asarray(mean, np.float64), np.asarray(x, np.float64)
        with np.errstate(divide="ignore"):
            log_p = np.log(mean) - np.log(mean.sum(axis=1, keepdims=True))
        return np.where(x > 0, x * log_p, 0).sum(axis=1) + self._log_orders(x)

    def entropy(self, own, mean):
        """Share of each word in the entropy, with the expectation of the log number of
        orders less its value at the mean, as ``log_weight`` of a mean takes it."""
        n = np.asarray(self.n, np.float64)
        n = n[:, None] if n.ndim else n
        mean = np.asarray(mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(mean > 0, mean * np.log(n / mean), 0.0)
        return own + gammaln(mean + 1.0) - gammaln(n + 1) / self.size

    @property
    def n_states(self):
        """Number of documents of a whole length n."""
        return len(self._documents)

    def states(self, codes):
        """Documents by number, of shape (n_codes, size)."""
        return self._documents[codes]

    @property
    def _documents(self):
        found = [()]
        for _ in range(self.size - 1):
            found = [x + (k,) for x in found for k in range(self.n + 1 - sum(x))]
        return np.array([(*x, self.n - sum(x)) for x in found], float)
