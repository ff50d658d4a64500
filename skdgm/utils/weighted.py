r"""Draws from a pool: rows drawn with weights until enough of them count, then chosen.

.. math:: n_\text{eff} = \frac{(\sum_i w_i)^2}{\sum_i w_i^2}

Rows chosen among few that count are biased towards those that are drawn easily, by
about :math:`1 / n_\text{eff}` of a standard deviation, so the pool grows until it has
enough for all rows asked for.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.exceptions import FewDrawsWarning
from skdgm.utils import addresses
from skdgm.utils.threading.callers import warn

# Minimum effective sample size, in all and of the draws that satisfy the conditions;
# effective draws for each requested row.
LEAST, FOUND, _EACH = 25, 10, 2
# Most draws, in all or for each row; and number after which it is seen whether the most
# would be enough.
_MOST, _MOST_EACH, _TRIED = 2**20, 2**11, 2**14
# Pools grow at most by this factor at a time; draws that are kept, for each effective
# one; shares of what is asked for, below which there is a warning.
_GROWTH, _KEPT, _SHORT = 16, 8, 0.25
_DRAW, _KEEP, _CHOICE, _ORDER = addresses.POOL


class Weighted(NamedTuple):
    """Draws with weights: rows, log weights on a scale that all draws share, the
    effective number of draws, and the share of the draws near which every condition is
    as probable as any value (``found``)."""

    rows: np.ndarray
    log_w: np.ndarray
    effective: float
    found: float


def effective(log_w):
    """Effective number of draws with some log weights."""
    if np.isneginf(log_w).all():
        return 0.0
    log_w = log_w - log_w.max()
    return float(np.exp(2 * logsumexp(log_w) - logsumexp(2 * log_w)))


def effective_of(log_w, numbers):
    """Effective number of draws of several sources, of log sums of weights and
    effective numbers of shape (n_sources, ...); 0 where no draw has weight."""
    log_w = np.asarray(log_w)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        squares = 2 * log_w - np.log(numbers)
        log_number = 2 * logsumexp(log_w, axis=0) - logsumexp(squares, axis=0)
        return np.nan_to_num(np.exp(log_number))


def merged(parts):
    """Weighted draws of several sources, as many of each, as one."""
    log_w = [logsumexp(part.log_w) for part in parts]
    number = effective_of(log_w, [part.effective for part in parts])
    rows, every = (np.concatenate([part[i] for part in parts]) for i in range(2))
    return Weighted(rows, every, float(number), min(part.found for part in parts))


def pooled(draw, n, rng, at_once, who, hard=False):
    """Draw n rows by weight from a pool that grows until it serves.

    ``draw(size, rng)`` returns :class:`Weighted` draws, as many from each source, of
    which there are at most ``at_once`` at a time. FewDrawsWarning, which names the
    model, if too few draws count; ValueError if none does, where conditions are
    ``hard``: not met by draws without weight.
    """
    pool, drawn, found, number, part = None, 0, 0.0, 0.0, 0
    size, most, lacks = max(LEAST, n), max(_MOST, _MOST_EACH * n), np.inf
    while lacks > 1 and drawn < most:
        if drawn >= _TRIED and min(number, found) * most < FOUND * drawn:
            break
        size = int(min(max(size, LEAST), at_once, most - drawn))
        new = draw(size, rng.fold(_DRAW, part))
        drawn, found, part = drawn + size, found + size * new.found, part + 1
        new = new._replace(**_thinned(new, rng.fold(_KEEP, part)))
        pool = new if pool is None else merged([pool, new])
        number = pool.effective
        total = np.exp(logsumexp(pool.log_w) - pool.log_w.max()) if number else 0
        # Rows are all different if none has more weight than a row asked for.
        each = n / max(number / _EACH, min(number, total), 1e-9)
        lacks = max(LEAST / max(number, 1e-9), FOUND / max(found, 1e-9), each)
        size = np.ceil(1.1 * drawn * (min(lacks, _GROWTH) - 1))
    if hard and not number:
        raise ValueError(
            f"{who}: none of {drawn} draws satisfies the conditions, whose probability "
            "cannot be distinguished from zero."
        )
    counted = number if found > FOUND else min(number, found)
    if counted < max(FOUND, _SHORT * n):
        warn(
            f"{who}: the conditions are so improbable that the effective number of "
            f"{drawn} draws is {counted:.2g}, for {n} rows. The rows are biased "
            "towards more probable rows, and similar to each other.",
            FewDrawsWarning,
        )
    return pool.rows[choose(pool.log_w, n, rng)]


def tell_few(who, counted, least, remedy="n_draws"):
    """Warn, by a FewDrawsWarning, of rows to be filled for which an effective number of
    draws below ``least`` counts; ``remedy`` is what to raise."""
    few = counted < least
    if few.any():
        warn(
            f"{who}: the known entries of {few.sum()} of {len(few)} rows are so "
            "improbable that the effective number of draws is low "
            f"({counted.min():.2g} for the worst row): imputed entries are biased "
            f"towards more probable rows. Raise {remedy}.",
            FewDrawsWarning,
        )


def choose(log_w, n, rng):
    """Numbers of ``n`` rows, by systematic draws from their weights."""
    w = np.exp(log_w - log_w.max())
    upto = np.cumsum(w) / w.sum()
    ticks = (np.arange(n) + rng.fold(_CHOICE).rows(1).uniform(1)[0, 0]) / n
    chosen = np.searchsorted(upto, ticks, side="right").clip(max=len(w) - 1)
    order = np.argsort(rng.fold(_ORDER).rows(n).uniform(1)[:, 0])
    return chosen[order]


def _thinned(new, rng):
    """Rows and log weights without most of those that have hardly any weight; others
    of these have more, so that sums of weights are the same in expectation."""
    number = effective(new.log_w)
    if not number or _KEPT * number > len(new.log_w):
        return {}
    log_share = new.log_w - logsumexp(new.log_w) + np.log(_KEPT * number)
    log_share = np.minimum(log_share, 0)
    keep = rng.rows(len(log_share)).uniform(1)[:, 0] < np.exp(log_share)
    return {"rows": new.rows[keep], "log_w": new.log_w[keep] - log_share[keep]}


def tell_unsure(who, error, most, n_chains, remedy, unit=""):
    """Warn, by a FewDrawsWarning, of rows whose means over chains have standard errors
    above ``most``, in a ``unit``; ``remedy`` says what to do."""
    unsure = error > most
    if unsure.any():
        warn(
            f"{who}: means of {unsure.sum()} of {len(error)} rows are averages over "
            f"{n_chains} chains that disagree, with standard errors of up to "
            f"{error.max():.2g}{unit}. {remedy}.",
            FewDrawsWarning,
        )
