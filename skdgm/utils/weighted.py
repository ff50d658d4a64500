r"""Draws from a pool of weighted rows, which grows until its effective sample size, or
ESS, suffices.

.. math:: n_\text{eff} = \frac{(\sum_i w_i)^2}{\sum_i w_i^2}

Rows that are chosen from a pool of small effective sample size are biased towards rows
that are probable under the proposal, by about :math:`1 / n_\text{eff}` standard
deviations.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.exceptions import FewDrawsWarning
from skdgm.utils import addresses
from skdgm.utils.threading.callers import warn

# Minimum ESS of all draws, and of draws that satisfy the conditions; ESS for each
# requested row.
MIN_ESS, MIN_SATISFYING, _ESS_PER_ROW = 25, 10, 2
# Maximum number of draws in total and for each row; number of draws after which an
# attempt that cannot succeed ends.
_MAX_DRAWS, _MAX_DRAWS_PER_ROW, _GIVE_UP_AFTER = 2**20, 2**11, 2**14
# Maximum factor of growth of a pool; number of draws kept relative to the ESS; ESS for
# each requested row below which there is a warning.
_MAX_GROWTH, _KEPT_PER_ESS, _WARN_BELOW = 16, 8, 0.25
_DRAW, _KEEP, _CHOICE, _ORDER = addresses.POOL


class Weighted(NamedTuple):
    """Weighted draws: rows, log weights on a common scale, and effective sample size.
    For hard conditions, ``plausibility`` is the share of draws that satisfy them. In
    general it is the minimum over conditions of the mean of p(allowed value) /
    p(most probable value)."""

    rows: np.ndarray
    log_w: np.ndarray
    ess: float
    plausibility: float


def effective_sample_size(log_w):
    """Effective sample size of draws with given log weights."""
    if np.isneginf(log_w).all():
        return 0.0
    log_w = log_w - log_w.max()
    return float(np.exp(2 * logsumexp(log_w) - logsumexp(2 * log_w)))


def ess_of_union(log_w, ess):
    """Effective sample size of the union of draws from several sources, given logs of
    their sums of weights and their effective sample sizes, (n_sources, ...); 0 if no
    draw has weight."""
    log_w = np.asarray(log_w)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        squares = 2 * log_w - np.log(ess)
        log_ess = 2 * logsumexp(log_w, axis=0) - logsumexp(squares, axis=0)
        return np.nan_to_num(np.exp(log_ess))


def concatenated(parts):
    """Concatenate weighted draws whose weights have a common scale."""
    log_w = [logsumexp(part.log_w) for part in parts]
    ess = ess_of_union(log_w, [part.ess for part in parts])
    rows, log_weights = (np.concatenate([part[i] for part in parts]) for i in range(2))
    plausibility = min(part.plausibility for part in parts)
    return Weighted(rows, log_weights, float(ess), plausibility)


def pooled(draw, n, rng, at_once, name, hard=False):
    """Draw n rows by weight from a pool that grows until it suffices.

    ``draw(size, rng)`` returns :class:`Weighted` draws, at most ``at_once`` at a time.
    Returns rows of shape (n, n_columns). Warns (FewDrawsWarning), with the ``name`` of
    the model, if the effective sample size is too small. If conditions are ``hard``,
    draws that violate them have zero weight, and a ValueError is raised if no draw
    satisfies them.
    """
    pool, drawn, n_satisfying, ess, batch_number = None, 0, 0.0, 0.0, 0
    max_drawn = max(_MAX_DRAWS, _MAX_DRAWS_PER_ROW * n)
    size, shortage = max(MIN_ESS, n), np.inf
    while shortage > 1 and drawn < max_drawn:
        expected_ess = min(ess, n_satisfying) * max_drawn
        if drawn >= _GIVE_UP_AFTER and expected_ess < MIN_SATISFYING * drawn:
            break
        size = int(min(max(size, MIN_ESS), at_once, max_drawn - drawn))
        draws = draw(size, rng.fold(_DRAW, batch_number))
        drawn, batch_number = drawn + size, batch_number + 1
        n_satisfying += size * draws.plausibility
        draws = draws._replace(**_thinned(draws, rng.fold(_KEEP, batch_number)))
        pool = draws if pool is None else concatenated([pool, draws])
        ess = pool.ess
        total = np.exp(logsumexp(pool.log_w) - pool.log_w.max()) if ess else 0
        # Systematic sampling repeats no row if no weight exceeds 1 / n of the total.
        per_row = n / max(ess / _ESS_PER_ROW, min(ess, total), 1e-9)
        of_satisfying = MIN_SATISFYING / max(n_satisfying, 1e-9)
        shortage = max(MIN_ESS / max(ess, 1e-9), of_satisfying, per_row)
        size = np.ceil(1.1 * drawn * (min(shortage, _MAX_GROWTH) - 1))
    if hard and not ess:
        raise ValueError(
            f"{name}: none of {drawn} draws satisfies the conditions, whose "
            "probability cannot be distinguished from zero."
        )
    ess = ess if n_satisfying > MIN_SATISFYING else min(ess, n_satisfying)
    if ess < max(MIN_SATISFYING, _WARN_BELOW * n):
        warn(
            f"{name}: the conditions are so improbable that the effective number of "
            f"{drawn} draws is {ess:.2g}, for {n} rows. The rows are biased "
            "towards more probable rows, and similar to each other.",
            FewDrawsWarning,
        )
    return pool.rows[choose(pool.log_w, n, rng)]


def warn_few_draws(name, ess, min_ess, remedy="n_draws"):
    """Warn, by a FewDrawsWarning, of rows whose effective sample size ``ess`` is below
    ``min_ess``; ``remedy`` is the option to increase."""
    few = ess < min_ess
    if few.any():
        warn(
            f"{name}: the known entries of {few.sum()} of {len(few)} rows are so "
            "improbable that the effective number of draws is low "
            f"({ess.min():.2g} for the worst row): imputed entries are biased "
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


def _thinned(draws, rng):
    """Drop most rows with very small weights, and increase the weights of the remaining
    rows, so that expected sums of weights do not change. Returns a dict of the changed
    fields of :class:`Weighted`."""
    ess = effective_sample_size(draws.log_w)
    if not ess or _KEPT_PER_ESS * ess > len(draws.log_w):
        return {}
    log_share = draws.log_w - logsumexp(draws.log_w) + np.log(_KEPT_PER_ESS * ess)
    log_share = np.minimum(log_share, 0)
    keep = rng.rows(len(log_share)).uniform(1)[:, 0] < np.exp(log_share)
    return {"rows": draws.rows[keep], "log_w": draws.log_w[keep] - log_share[keep]}


def warn_uncertain_means(name, standard_error, max_error, n_chains, remedy, unit=""):
    """Warn, by a FewDrawsWarning, of rows whose means over chains have standard errors
    above ``max_error``, in the given unit; ``remedy`` is advice."""
    unsure = standard_error > max_error
    if unsure.any():
        warn(
            f"{name}: means of {unsure.sum()} of {len(unsure)} rows are averages over "
            f"{n_chains} chains that disagree, with standard errors of up to "
            f"{standard_error.max():.2g}{unit}. {remedy}.",
            FewDrawsWarning,
        )
