r"""Rows filled by weighted draws of encoder, prior and a proposal that adapts to a row.

.. math:: \hat x = \frac{\sum_k w_k x_k}{\sum_k w_k}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}
   {\alpha \, q(z_k \mid x) + \beta \, p(z_k) + \gamma \, g(z_k)}

for shares of draws of the encoder q, the prior p and, where few of these count, of g.
Weights are at most :math:`1 / \beta` times the likelihood, also where q is
overconfident or wrong, as of entries that are rare [1]_.

References
----------
.. [1] Hesterberg (1995). Weighted average importance sampling and defensive mixture
   distributions. Technometrics.
"""

from typing import NamedTuple

import numpy as np

from skdgm.latent.adapting import NONE, Pool, adapted, weights_of
from skdgm.utils import addresses
from skdgm.utils.weighted import FOUND

# Draws at a time; most draws for each of ``n_draws``: of encoder and prior, so that
# rare entries are found, or rare rows; and of all three.
AT_ONCE, _MOST, _MOST_ROWS, _MOST_ADAPTED = 64, 128, 16, 8
# Number of draws, for each of ``n_draws``, after which the most may prove to be too
# few; draws of the prior that should explain known entries; and effective number of
# draws that is enough.
_TRIED, _NEAR, _ENOUGH = 8, 5, 50
# One of so many draws is of the encoder, and one of the prior, beside a third proposal.
_REST = 8
_CHOICE, _ADAPT, _LAST = addresses.LATENT_WEIGHING


class Counts(NamedTuple):
    """Numbers of draws for each row of the encoder, of the prior, and of a proposal."""

    encoder: int
    prior: int
    adapted: int = 0

    @classmethod
    def mixed(cls, n):
        """So many draws of all three."""
        few = max(1, n // _REST)
        return cls(few, few, max(1, n - 2 * few))


class Draws(NamedTuple):
    """Several draws for each row: latent units, (n_rows, n_draws, n_units), logs of
    p(x | z), p(z) and q(z | x) / p(z), and values, (n_rows, n_draws, n_columns), or
    None."""

    z: np.ndarray
    log_p: np.ndarray
    log_prior: np.ndarray
    gap: np.ndarray
    value: np.ndarray | None

    def log_mix(self, counts, proposal=None):
        """Log density of the mixture of which draws of some numbers are, relative to
        the prior."""
        log_n = np.log(counts[:2]) - np.log(sum(counts))
        log_mix = np.logaddexp(self.gap + log_n[0], log_n[1])
        if proposal is None:
            return log_mix
        adapted = proposal.log_prob(self.z) - self.log_prior
        return np.logaddexp(log_mix, adapted + np.log(counts[2] / sum(counts)))


class Weighed(NamedTuple):
    """Values, (n_rows, n_columns), and effective numbers of draws, (n_rows,)."""

    value: np.ndarray
    number: np.ndarray


class _Weighing:
    """Weighted means of draws of rows, or by ``method="sample"`` a draw of each."""

    def __init__(self, n_rows, method):
        self.method, self.value = method, None
        self.top, self.best = np.full((2, n_rows), -np.inf)
        self.total, self.squares = np.zeros((2, n_rows))

    def add(self, index, log_w, value, rng):
        """Take draws of the rows at an index, with a stream for each row."""
        if self.value is None:
            self.value = np.zeros((len(self.top), value.shape[2]))
        before = self.top[index]
        self.top[index] = after = np.maximum(before, log_w.max(axis=1))
        w, kept = np.exp(log_w - after[:, None]), np.exp(before - after)
        self.total[index] = kept * self.total[index] + w.sum(axis=1)
        self.squares[index] = kept**2 * self.squares[index] + (w**2).sum(axis=1)
        if self.method == "mean":
            mean = np.einsum("rk,rkj->rj", w, value)
            self.value[index] = kept[:, None] * self.value[index] + mean
            return
        # The largest of log weight plus Gumbel noise is a draw by weight.
        noisy = log_w + rng.fold(_CHOICE).gumbel(log_w.shape[1])
        better = np.flatnonzero(noisy.max(axis=1) > self.best[index])
        draws = noisy[better].argmax(axis=1)
        self.value[index[better]] = value[better, draws]
        self.best[index[better]] = noisy[better, draws]

    def number(self, index):
        """Effective numbers of draws. Draws without weight do not count; their plain
        mean is the best there is."""
        number = self.total[index] ** 2 / self.squares[index]
        return np.where(self.top[index] == NONE, 0, number)

    def result(self):
        """Values, and effective numbers of draws, of all rows."""
        if self.method == "mean":
            self.value /= self.total[:, None]
        return Weighed(self.value, self.number(np.arange(len(self.top))))

    def replace(self, index, other):
        """Take the sums of another one for the rows at an index."""
        for name in ("value", "top", "total", "squares", "best"):
            getattr(self, name)[index] = getattr(other, name)[index]


def least_number(n_draws):
    """Effective number of draws below which ``n_draws`` are too few."""
    return min(FOUND, n_draws / FOUND)


def by_enough(draw, n_rows, rng, n_draws, method, kind):
    """Weighted mean of draws, or by ``method="sample"`` one of them chosen by weight,
    of each row: :class:`Weighed`.

    ``draw(index, rng, counts, proposal, near)`` returns :class:`Draws` of rows at an
    index, with a stream for each, those of encoder, prior and proposal in this order,
    and if ``near`` is true the number of draws of the prior near which all seen
    entries, and each column, are as probable as any value, (n_rows, 1 + n_columns).

    First there are draws of encoder and prior. Their number grows up to 128 times
    ``n_draws`` until several of the prior explain each entry, and to 16 times that
    until some explain the row, unless the most would not be enough. Rows of which fewer
    than 50 count then have more draws, of a proposal of a ``kind`` of
    :mod:`skdgm.latent.adapting`, too.
    """
    n_draws += n_draws % 2
    least, weighing = min(_ENOUGH, n_draws / 2), _Weighing(n_rows, method)
    pool = _first(draw, n_rows, rng, n_draws, weighing)
    index = np.flatnonzero(weighing.number(np.arange(n_rows)) < least)
    if not index.size or kind is None:
        return weighing.result()
    n_each = min(AT_ONCE, n_draws // 2)

    def step(part, proposal, number):
        streams = rng.take(index[part]).fold(_ADAPT, number)
        new, _ = draw(index[part], streams, Counts(0, 0, n_each), proposal)
        return new.z, new.log_p + new.log_prior

    proposal = adapted(kind, pool.take(index), step, n_each, least)
    last = _Weighing(n_rows, method)
    _last(draw, rng, n_draws, least, index, proposal, last)
    weighing.replace(index, last)
    return weighing.result()


def _first(draw, n_rows, rng, n_draws, weighing):
    """Weigh draws of encoder and prior: a :class:`Pool` of them."""
    few, index, near, pool = min(_NEAR, n_draws / 20), np.arange(n_rows), None, None
    drawn, part, size = 0, 0, n_draws
    while index.size:
        for first in range(0, size, AT_ONCE):
            streams, part = rng.take(index).fold(part), part + 1
            half = min(AT_ONCE, size - first) // 2
            counts = Counts(half, half)
            new, close = draw(index, streams, counts, near=True)
            log_mix = new.log_mix(counts)
            log_w = weights_of(new.log_p - log_mix)
            weighing.add(index, log_w, new.value, streams)
            number = np.full(len(index), float(sum(counts)))
            log_p, log_mix = new.log_p + new.log_prior, log_mix + new.log_prior
            new = Pool(new.z, log_p, log_mix, number)
            if pool is None:
                pool, near = new, close
                continue
            near[index] += close
            both = pool.take(index).joined(new, min(n_draws, 2 * AT_ONCE))
            if len(index) == n_rows:
                pool = both
            else:
                for whole, some in zip(pool, both):
                    whole[index] = some
        drawn, size = drawn + size, drawn + size
        row, entry = near[index, 0], near[index, 1:].min(axis=1)
        most = _MOST * n_draws / drawn
        lacks = entry < few
        if drawn >= _TRIED * n_draws:
            lacks &= entry * most >= few
        row_most = _MOST_ROWS * n_draws / drawn
        lacks |= (row < few) & (row * row_most >= few)
        index = index[lacks & (most > 1)]
    return pool


def _last(draw, rng, n_draws, least, index, proposal, weighing):
    """Weigh draws of all three for rows at an index, until enough of them count."""
    lacking, drawn, part, size = np.arange(len(index)), 0, 0, n_draws
    while lacking.size:
        for first in range(0, size, AT_ONCE):
            rows, adapted_to = index[lacking], proposal.take(lacking)
            streams, part = rng.take(rows).fold(_LAST, part), part + 1
            counts = Counts.mixed(min(AT_ONCE, size - first))
            new, _ = draw(rows, streams, counts, adapted_to)
            log_w = weights_of(new.log_p - new.log_mix(counts, adapted_to))
            weighing.add(rows, log_w, new.value, streams)
        drawn, size = drawn + size, drawn + size
        few = weighing.number(index[lacking]) < least
        lacking = lacking[few & (drawn < _MOST_ADAPTED * n_draws)]
