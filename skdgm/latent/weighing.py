r"""Rows filled by weighted draws of encoder and prior, as many as a row needs.

.. math:: \hat x = \frac{\sum_k w_k x_k}{\sum_k w_k}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}{\tfrac12 q(z_k \mid x) + \tfrac12 p(z_k)}

for as many draws of the encoder q as of the prior. Weights are at most twice the
likelihood, also where q is overconfident or wrong, as of entries that are rare [1]_.

References
----------
.. [1] Hesterberg (1995). Weighted average importance sampling and defensive mixture
   distributions. Technometrics.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.utils.weighted import FOUND, LEAST

# Draws at a time; most draws for each one asked for, and number after which it is seen
# whether the most would be enough.
AT_ONCE, _MOST, _TRIED = 64, 128, 16
# Log weight of draws that have none.
_NONE = -1e300
_CHOICE = 103


class Draws(NamedTuple):
    """Several draws for each row: log weights, (n_rows, n_draws), float64; values,
    (n_rows, n_draws, n_columns); and logs of the likelihood of seen entries relative to
    the greatest one, times the density of the prior over that of the proposal."""

    log_w: np.ndarray
    value: np.ndarray
    log_near: np.ndarray

    @classmethod
    def of(cls, n_rows, log_p, gap, value, log_near):
        """Draws by their log-likelihoods, also relative to the greatest ones, and log
        q(z | x) - log p(z), one for each draw."""
        log_mix = np.logaddexp(gap.astype(np.float64), 0) - np.log(2)
        parts = log_p - log_mix, value, log_near - log_mix
        return cls(*(part.reshape(n_rows, -1, *part.shape[1:]) for part in parts))


class Weighed(NamedTuple):
    """Values, (n_rows, n_columns), and effective numbers of draws, (n_rows,)."""

    value: np.ndarray
    number: np.ndarray


def least_number(n_draws):
    """Effective number of draws below which they are too few, of so many asked for."""
    return min(FOUND, n_draws / FOUND)


def by_enough(draw, n_rows, rng, n_draws, method):
    """Weighted mean of draws, or by ``method="sample"`` one of them chosen by weight,
    of each row: :class:`Weighed`.

    ``draw(index, rng, n)`` returns :class:`Draws` of rows at an index, with a stream
    for each, half of them of the prior. A row has enough if 25 count and ten draws of
    the prior explain what is seen, unless that would take more than there may be. Their
    number grows up to 128 times ``n_draws``, or to 16 times that where the most would
    not be enough.
    """
    n_draws += n_draws % 2
    least, few = min(LEAST, n_draws / 4), least_number(n_draws)
    top, log_near, best = np.full((3, n_rows), -np.inf)
    total, squares = np.zeros((2, n_rows))
    value, number, index = None, np.zeros(n_rows), np.arange(n_rows)
    drawn, part, size = 0, 0, n_draws
    while index.size:
        for first in range(0, size, AT_ONCE):
            own, part = rng.take(index).fold(part), part + 1
            new = draw(index, own, min(AT_ONCE, size - first))
            log_w = np.nan_to_num(new.log_w, nan=_NONE, neginf=_NONE)
            if value is None:
                value = np.zeros((n_rows, new.value.shape[2]))
            before = top[index]
            top[index] = after = np.maximum(before, log_w.max(axis=1))
            w, kept = np.exp(log_w - after[:, None]), np.exp(before - after)
            total[index] = kept * total[index] + w.sum(axis=1)
            squares[index] = kept**2 * squares[index] + (w**2).sum(axis=1)
            near = logsumexp(new.log_near, axis=1)
            log_near[index] = np.logaddexp(log_near[index], near)
            if method == "mean":
                mean = np.einsum("rk,rkj->rj", w, new.value)
                value[index] = kept[:, None] * value[index] + mean
            else:  # The largest of log weight plus Gumbel noise is a draw by weight.
                noisy = log_w + own.fold(_CHOICE).gumbel(log_w.shape[1])
                better = np.flatnonzero(noisy.max(axis=1) > best[index])
                draws = noisy[better].argmax(axis=1)
                value[index[better]] = new.value[better, draws]
                best[index[better]] = noisy[better, draws]
        drawn, size = drawn + size, max(drawn + size, n_draws)
        now = total[index] ** 2 / squares[index]
        # Draws without weight do not count; their plain mean is the best there is.
        now[top[index] == _NONE] = 0
        number[index], most = now, _MOST * n_draws / drawn
        # Half of the draws are of the prior.
        near = 0.5 * np.exp(log_near[index])
        lacks = (now < least) | ((near < few) & (near * most >= few))
        if drawn >= _TRIED * n_draws:
            lacks &= (now >= least) | (now * most >= few)
        index = index[lacks & (most > 1)]
    if method == "mean":
        value /= total[:, None]
    return Weighed(value, number)
