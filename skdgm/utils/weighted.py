r"""Draws from a pool of weighted rows, which grows until its effective size suffices.

.. math:: n_\text{eff} = \frac{(\sum_i w_i)^2}{\sum_i w_i^2}

Rows that are chosen from a pool of small effective size are biased towards rows that
are drawn easily, by about :math:`1 / n_\text{eff}` standard deviations.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.exceptions import FewDrawsWarning
from skdgm.utils import addresses
from skdgm.utils.threading.callers import warn

# Minimum effective sample size of all draws, and of draws that satisfy the conditions;
# effective draws for each requested row.
LEAST, FOUND, _EACH = 25, 10, 2
# Maximum number of draws in total and for each row; number of draws after which
# hopeless attempts end.
_MOST, _MOST_EACH, _TRIED = 2**20, 2**11, 2**14
# Maximum factor of growth of a pool; draws kept for each effective draw; effective
# draws for each requested row below which there is a warning.
_GROWTH, _KEPT, _SHORT = 16, 8, 0.25
_DRAW, _KEEP, _CHOICE, _ORDER = addresses.POOL


class Weighted(NamedTuple):
    """Weighted draws: rows, log weights on a common scale, and effective number of
    draws. ``compatible_share`` is the share of draws that agree with the conditions:
    the mean probability of a condition relative to the most probable value, minimized
    over conditions."""

    rows: np.ndarray
    log_w: np.ndarray
    effective: float
    compatible_share: float


def effective(log_w):
    """Effective number of draws with given log weights."""
    if np.isneginf(log_w).all():
        return 0.0
    log_w = log_w - log_w.max()
    return float(np.exp(2 * logsumexp(log_w) - logsumexp(2 * log_w)))


def effective_of(log_w, numbers):
    """Effective number of draws from several sources, given logs of sums of weights and
    effective numbers, (n_sources, ...); 0 if no draw has weight."""
    log_w = np.asarray(log_w)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        squares = 2 * log_w - np.log(numbers)
        log_number = 2 * logsumexp(log_w, axis=0) - logsumexp(squares, axis=0)
        return np.nan_to_num(np.exp(log_number))


def merged(parts):
    """Concatenate weighted draws from several sources with the same number of draws."""
    log_w = [logsumexp(part.log_w) for part in parts]
    number = effective_of(log_w, [part.effective for part in parts])
    rows, log_weights = (np.concatenate([part[i] for part in parts]) for i in range(2))
    return Weighted(
        rows, log_weights, float(number), min(part.compatible_share for part in parts)
    )


def pooled(draw, n, rng, at_once, who, hard=False):
    """Draw n rows by weight from a pool that grows until it suffices.

    ``draw(size, rng)`` returns :class:`Weighted` draws, at most ``at_once`` at a time.
    FewDrawsWarning, which names the model ``who``, if the effective number of draws is
    too small. If conditions are ``hard``, draws that violate them have zero weight, and
    a ValueError is raised if no draw satisfies them.
    """
    pool, drawn, found, n_eff, part = None, 0, 0.0, 0.0, 0
    size, max_drawn, shortage = max(LEAST, n), max(_MOST, _MOST_EACH * n), np.inf
    while shortage > 1 and drawn < max_drawn:
        if drawn >= _TRIED and min(n_eff, found) * max_drawn < FOUND * drawn:
            break
        size = int(min(max(size, LEAST), at_once, max_drawn - drawn))
        draws = draw(size, rng.fold(_DRAW, part))
        drawn, found, part = (
            drawn + size,
            found + size * draws.compatible_share,
            part + 1,
        )
        draws = draws._replace(**_thinned(draws, rng.fold(_KEEP, part)))
        pool = draws if pool is None else merged([pool, draws])
        n_eff = pool.effective
        total = np.exp(logsumexp(pool.log_w) - pool.log_w.max()) if n_eff else 0
        # Rows are all different if no weight exceeds the share of a requested row.
        per_row = n / max(n_eff / _EACH, min(n_eff, total), 1e-9)
        shortage = max(LEAST / max(n_eff, 1e-9), FOUND / max(found, 1e-9), per_row)
        size = np.ceil(1.1 * drawn * (min(shortage, _GROWTH) - 1))
    if hard and not n_eff:
        raise ValueError(
            f"{who}: none of {drawn} draws satisfies the conditions, whose probability "
            "cannot be distinguished from zero."
        )
    counted = n_eff if found > FOUND else min(n_eff, found)
    if counted < max(FOUND, _SHORT * n):
        warn(
            f"{who}: the conditions are so improbable that the effective number of "
            f"{drawn} draws is {counted:.2g}, for {n} rows. The rows are biased "
            "towards more probable rows, and similar to each other.",
            FewDrawsWarning,
        )
    return pool.rows[choose(pool.log_w, n, rng)]


def warn_few_draws(who, counted, least, remedy="n_draws"):
    """Warn, by a FewDrawsWarning, of rows whose effective number of draws is below
    ``least``; ``remedy`` is the option to increase."""
    few = counted < least
    if few.any():
        warn(
            f"{who}: the known entries of {few.sum()} of {len(few)} rows are so "
            "improbable that the effective number of draws is low "
            f"({counted.min():.2g} for the worst row): imputed entries are biased "
            f"towards more probable rows. Raise {remedy}.",
            FewDrawsWarning,
        )


def systematic(w, n, uniform):
    """Indices of ``n`` draws by systematic resampling from weights w, (..., n_draws),
    with uniform numbers in [0, 1), (..., 1), or one number: an array of shape (..., n).
    """
    cumulative = np.cumsum(w, axis=-1)
    total = cumulative[..., -1:]
    # Rounding errors must not choose draws without weight at the end.
    ends = np.where(
        cumulative < total, np.ceil(n * (cumulative / total) - uniform), n
    ).clip(0, n)
    times = np.diff(ends.astype(np.intp), axis=-1, prepend=0)
    chosen = np.repeat(np.arange(w.size) % w.shape[-1], times.ravel())
    return chosen.reshape(*w.shape[:-1], n)


def choose(log_w, n, rng):
    """Draw ``n`` row numbers by systematic sampling from weights, in random order."""
    uniform = rng.fold(_CHOICE).rows(1).uniform(1)[0, 0]
    chosen = systematic(np.exp(log_w - log_w.max()), n, uniform)
    order = np.argsort(rng.fold(_ORDER).rows(n).uniform(1)[:, 0])
    return chosen[order]


def _thinned(new, rng):
    """Drop most rows with very small weights, and increase the weights of the remaining
    ones, so that expected sums of weights do not change."""
    n_effective = effective(new.log_w)
    if not n_effective or _KEPT * n_effective > len(new.log_w):
        return {}
    log_share = new.log_w - logsumexp(new.log_w) + np.log(_KEPT * n_effective)
    log_share = np.minimum(log_share, 0)
    keep = rng.rows(len(log_share)).uniform(1)[:, 0] < np.exp(log_share)
    return {"rows": new.rows[keep], "log_w": new.log_w[keep] - log_share[keep]}


def warn_uncertain_means(who, error, most, n_chains, remedy, unit=""):
    """Warn, by a FewDrawsWarning, of rows whose means over chains have standard errors
    above ``most``, in the given unit; ``remedy`` is advice."""
    unsure = error > most
    if unsure.any():
        warn(
            f"{who}: means of {unsure.sum()} of {len(error)} rows are averages over "
            f"{n_chains} chains that disagree, with standard errors of up to "
            f"{error.max():.2g}{unit}. {remedy}.",
            FewDrawsWarning,
        )
