r"""Importance-weighted imputation with draws from encoder, prior and an adaptive
proposal.

.. math:: \hat x = \frac{\sum_k w_k x_k}{\sum_k w_k}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}
   {\alpha \, q(z_k \mid x) + \beta \, p(z_k) + \gamma \, g(z_k)}

with shares of draws from the encoder q, the prior p and, if the effective number of
these draws is small, from g. The prior bounds the weights by :math:`1 / \beta` times
the likelihood, even where q is overconfident, as at rare entries [1]_.

References
----------
.. [1] Hesterberg (1995). Weighted average importance sampling and defensive mixture
   distributions. Technometrics.
"""

from typing import NamedTuple

import numpy as np

from skdgm.latent.adapting import NONE, Pool, adapted, weights_of
from skdgm.utils import addresses
from skdgm.utils.weighted import MIN_SATISFYING

# Number of draws at a time; largest multiples of ``n_draws``: from encoder and prior to
# explain rare entries, the same for rare rows, and from all three.
AT_ONCE, _MAX_FOR_ENTRIES, _MAX_FOR_ROWS, _MAX_ADAPTED = 64, 128, 16, 8
# Multiple of ``n_draws`` after which rows may be given up; number of prior draws that
# should explain each observed entry; sufficient effective number of draws.
_GIVE_UP_AFTER, _MIN_EXPLAINING, _SUFFICIENT_ESS = 8, 5, 50
# One in eight draws is from the encoder, and one from the prior, next to a proposal.
_REST = 8
_CHOICE, _ADAPT, _LAST = addresses.LATENT_WEIGHING


class Counts(NamedTuple):
    """Numbers of draws for each row from the encoder, the prior, and an adapted
    proposal."""

    encoder: int
    prior: int
    adapted: int = 0

    @classmethod
    def mixed(cls, n):
        """Split n draws among all three."""
        n_defensive = max(1, n // _REST)
        return cls(n_defensive, n_defensive, max(1, n - 2 * n_defensive))


class Draws(NamedTuple):
    """Draws for each row: latent units, (n_rows, n_draws, n_units), logs of p(x | z),
    p(z) and q(z | x) / p(z), and values, (n_rows, n_draws, n_columns), or None."""

    z: np.ndarray
    log_p: np.ndarray
    log_prior: np.ndarray
    gap: np.ndarray
    value: np.ndarray | None

    def log_mix(self, counts, proposal=None):
        """Log-density of the mixture that the draws come from, relative to the
        prior."""
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
    """Weighted means of draws of rows, or with ``method="sample"`` a resampled draw of
    each."""

    def __init__(self, n_rows, method):
        self.method, self.value = method, None
        self.top, self.best = np.full((2, n_rows), -np.inf)
        self.total, self.squares = np.zeros((2, n_rows))

    def add(self, index, log_w, value, rng):
        """Add draws of the rows at an index, with a random stream for each row."""
        if self.value is None:
            self.value = np.zeros((len(self.top), value.shape[2]))
        last_top = self.top[index]
        self.top[index] = new_top = np.maximum(last_top, log_w.max(axis=1))
        w, rescaling = np.exp(log_w - new_top[:, None]), np.exp(last_top - new_top)
        self.total[index] = rescaling * self.total[index] + w.sum(axis=1)
        self.squares[index] = rescaling**2 * self.squares[index] + (w**2).sum(axis=1)
        if self.method == "mean":
            mean = np.einsum("rk,rkj->rj", w, value)
            self.value[index] = rescaling[:, None] * self.value[index] + mean
            return
        # The maximum of log-weights plus Gumbel noise is a draw by weight.
        noisy = log_w + rng.fold(_CHOICE).gumbel(log_w.shape[1])
        improved = np.flatnonzero(noisy.max(axis=1) > self.best[index])
        draws = noisy[improved].argmax(axis=1)
        self.value[index[improved]] = value[improved, draws]
        self.best[index[improved]] = noisy[improved, draws]

    def number(self, index):
        """Effective numbers of draws; 0 if all weights are zero."""
        number = self.total[index] ** 2 / self.squares[index]
        return np.where(self.top[index] == NONE, 0, number)

    def result(self):
        """:class:`Weighed` values of all rows."""
        if self.method == "mean":
            self.value /= self.total[:, None]
        return Weighed(self.value, self.number(np.arange(len(self.top))))

    def replace(self, index, other):
        """Replace the sums of the rows at an index by the sums of ``other``."""
        for name in ("value", "top", "total", "squares", "best"):
            getattr(self, name)[index] = getattr(other, name)[index]


def least_number(n_draws):
    """Effective number of draws below which ``n_draws`` are too few."""
    return min(MIN_SATISFYING, n_draws / MIN_SATISFYING)


def by_enough(draw, n_rows, rng, n_draws, method, kind):
    """Weighted mean of draws, or with ``method="sample"`` a draw resampled by weight,
    of each row: :class:`Weighed`.

    ``draw(index, rng, counts, proposal, with_plausibility)`` returns :class:`Draws` of
    the rows at an index, from encoder, prior and proposal in this order. With
    ``with_plausibility``, it also returns the number of prior draws that explain the
    row, and each observed entry, as well as any value, (n_rows, 1 + n_columns).

    The number of draws from encoder and prior first grows, up to 128 times ``n_draws``,
    until several prior draws explain each entry, and up to 16 times ``n_draws`` until
    several explain the row. It stops early if the maximum would not suffice. Rows with
    an effective number below 50 then get more draws, also from a proposal of a ``kind``
    of :mod:`skdgm.latent.adapting`.
    """
    n_draws += n_draws % 2
    min_ess, weighing = min(_SUFFICIENT_ESS, n_draws / 2), _Weighing(n_rows, method)
    pool = _first(draw, n_rows, rng, n_draws, weighing)
    index = np.flatnonzero(weighing.number(np.arange(n_rows)) < min_ess)
    if not index.size or kind is None:
        return weighing.result()
    n_each = min(AT_ONCE, n_draws // 2)

    def step(part, proposal, number):
        streams = rng.take(index[part]).fold(_ADAPT, number)
        draws, _ = draw(index[part], streams, Counts(0, 0, n_each), proposal)
        return draws.z, draws.log_p + draws.log_prior

    proposal = adapted(kind, pool.take(index), step, n_each, min_ess)
    adapted_weighing = _Weighing(n_rows, method)
    _last(draw, rng, n_draws, min_ess, index, proposal, adapted_weighing)
    weighing.replace(index, adapted_weighing)
    return weighing.result()


def _first(draw, n_rows, rng, n_draws, weighing):
    """Add draws from encoder and prior to ``weighing``; returns a :class:`Pool` of
    them."""
    n_near_enough = min(_MIN_EXPLAINING, n_draws / 20)
    index = np.arange(n_rows)
    plausibility = None
    pool = None
    drawn, batch_number, size = 0, 0, n_draws
    while index.size:
        for start in range(0, size, AT_ONCE):
            streams, batch_number = rng.take(index).fold(batch_number), batch_number + 1
            n_half = min(AT_ONCE, size - start) // 2
            counts = Counts(n_half, n_half)
            draws, new_plausibility = draw(
                index, streams, counts, with_plausibility=True
            )
            log_mix = draws.log_mix(counts)
            log_w = weights_of(draws.log_p - log_mix)
            weighing.add(index, log_w, draws.value, streams)
            n_drawn = np.full(len(index), float(sum(counts)))
            log_p, log_mix = draws.log_p + draws.log_prior, log_mix + draws.log_prior
            draws = Pool(draws.z, log_p, log_mix, n_drawn)
            if pool is None:
                pool, plausibility = draws, new_plausibility
                continue
            plausibility[index] += new_plausibility
            joined = pool.take(index).joined(draws, min(n_draws, 2 * AT_ONCE))
            if len(index) == n_rows:
                pool = joined
            else:
                for merged_all, concatenated in zip(pool, joined):
                    merged_all[index] = concatenated
        drawn, size = drawn + size, drawn + size
        n_near_row = plausibility[index, 0]
        n_near_entry = plausibility[index, 1:].min(axis=1)
        growth_left = _MAX_FOR_ENTRIES * n_draws / drawn
        needs_more = n_near_entry < n_near_enough
        if drawn >= _GIVE_UP_AFTER * n_draws:
            needs_more &= n_near_entry * growth_left >= n_near_enough
        row_growth_left = _MAX_FOR_ROWS * n_draws / drawn
        needs_more |= (n_near_row < n_near_enough) & (
            n_near_row * row_growth_left >= n_near_enough
        )
        index = index[needs_more & (growth_left > 1)]
    return pool


def _last(draw, rng, n_draws, min_ess, index, proposal, weighing):
    """Add draws from encoder, prior and proposal for the rows at an index, until the
    effective number is ``min_ess``."""
    lacking, drawn, batch_number, size = np.arange(len(index)), 0, 0, n_draws
    while lacking.size:
        for start in range(0, size, AT_ONCE):
            rows, adapted_to = index[lacking], proposal.take(lacking)
            streams = rng.take(rows).fold(_LAST, batch_number)
            batch_number = batch_number + 1
            counts = Counts.mixed(min(AT_ONCE, size - start))
            draws, _ = draw(rows, streams, counts, adapted_to)
            log_w = weights_of(draws.log_p - draws.log_mix(counts, adapted_to))
            weighing.add(rows, log_w, draws.value, streams)
        drawn, size = drawn + size, drawn + size
        is_lacking = weighing.number(index[lacking]) < min_ess
        lacking = lacking[is_lacking & (drawn < _MAX_ADAPTED * n_draws)]
