r"""Draws of a column conditional on an event, and the log probability of the event.

.. math:: x \sim p(x \mid x \in S), \qquad \log p(x \in S)

S is a set of bits, categories or atoms, or a union of intervals of real numbers.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, log_ndtr, log_softmax, logsumexp, ndtri_exp

_LOG_2 = float(np.log(2))


class Event(NamedTuple):
    """Set of values of one column, in the units of a model. ``codes`` is a mask of
    bits, categories or atoms, (n_codes,); ``intervals`` are disjoint intervals of real
    values, (n_intervals, 2)."""

    codes: np.ndarray
    intervals: np.ndarray

    @property
    def empty(self):
        """True if the set is empty."""
        return not (self.codes.any() or len(self.intervals))


def draw_within(output, out, event, rng):
    """Draw values of a column, (n_rows,), conditional on an event that is not empty;
    return them and the log probability of the event, (n_rows,), float64.

    ``output`` is a :class:`MixedOutput` of this column only, and ``rng`` has a stream
    for each row.
    """
    base, kind = output.blocks[0].output, output.kinds[0]
    out, present = out.astype(np.float64), 0.0
    if output.gapped[0]:
        # The event contains present values only.
        base, out, present = (base.base, out[:, 1:], log_expit(-out[:, 0]))
    if kind == "bernoulli":
        log_p = np.concatenate([log_expit(-out), log_expit(out)], axis=1)
    elif kind in ("categorical", "ordinal"):
        log_p = base.of_codes(log_softmax(out, axis=1))
    else:
        log_p = np.zeros((len(out), 1))
        if kind == "numeric":
            n_logits = out.shape[1] - 3 * base.values.mixture.n_components
            log_p = log_softmax(out[:, :n_logits], axis=1) if n_logits else log_p
            out = out[:, n_logits:]
        mixture = base.values.mixture if kind == "numeric" else base.mixture
        scores, log_mass = _real(mixture, out, event.intervals, rng)
        codes = np.where(event.codes, log_p[:, :-1], -np.inf)
        log_p = np.concatenate([codes, log_p[:, -1:] + log_mass[:, None]], axis=1)
        chosen, log_mass = _chosen(log_p, rng.fold(0))
        marks = base.scales[0].marks if kind == "numeric" else np.zeros(0)
        atoms = np.append(marks, 0.0)[chosen]
        return np.where(chosen == len(marks), scores, atoms), log_mass + present
    chosen, log_mass = _chosen(np.where(event.codes, log_p, -np.inf), rng.fold(0))
    return chosen.astype(np.float64), log_mass + present


def relative_probability(output, out, v, log_p=None):
    """Ratio of the probability of values, (n_rows, 1), to that of the most probable
    value, (n_rows,); 1 for missing values. ``output`` is a :class:`MixedOutput` of the
    column alone; ``log_p`` is the log probability of the values, if it is known
    already."""
    base = output.blocks[0].output
    log_share = getattr(base.base if output.gapped[0] else base, "log_share", None)

    def log_p_of(v, log_p=None):
        log_p = output.log_p(out, v)[:, 0] if log_p is None else log_p
        # The share of a rare category within its group does not depend on outputs.
        return log_p - (log_share(v)[:, 0] if log_share else 0)

    with np.errstate(invalid="ignore"):
        log_ratio = log_p_of(v, log_p) - log_p_of(output.mode(out))
    return np.where(np.isnan(v[:, 0]), 1, np.exp(np.nan_to_num(log_ratio).clip(max=0)))


def _chosen(log_p, rng):
    """Choices from unnormalized log probabilities, and the log of their sum. A choice
    of zero probability occurs only if all are zero."""
    total = logsumexp(log_p, axis=1)
    with np.errstate(invalid="ignore"):
        share = np.exp(log_p - total[:, None])
    cumulative = np.nan_to_num(share).cumsum(axis=1)
    uniform = rng.uniform(1) * cumulative[:, -1:]
    return (cumulative <= uniform).sum(axis=1).clip(max=log_p.shape[1] - 1), total


def _real(mixture, out, intervals, rng):
    """Draws of a mixture within intervals, and the intervals' log probability."""
    if not len(intervals):
        return np.zeros(len(out)), np.full(len(out), -np.inf)
    log_weight, mean, log_scale = (values[:, 0] for values in mixture.parts(out))
    ends = (intervals.T[:, None, None] - mean[..., None]) / np.exp(log_scale)[..., None]
    cdf, inverse = _SHAPES[mixture.shape]
    # Intervals are mirrored to the left of the mode, where small masses are exact.
    right = ends[0] > 0
    low = np.where(right, -ends[1], ends[0])
    high = np.where(right, -ends[0], ends[1])
    below, above = cdf(low), cdf(high)
    with np.errstate(divide="ignore"):
        mass = above + np.log(-np.expm1(np.minimum(below - above, 0)))
    log_p = (log_weight[..., None] + mass).reshape(len(out), -1)
    chosen, log_mass = _chosen(log_p, rng.fold(1))
    component, interval = np.divmod(chosen, len(intervals))
    at = np.arange(len(out)), component, interval
    uniform = np.maximum(rng.fold(2).uniform(1)[:, 0], 2.0**-40)
    t = inverse(np.logaddexp(below[at], np.log(uniform) + mass[at]))
    t = np.where(right[at], -t, t)
    z = mean[at[:2]] + np.exp(log_scale[at[:2]]) * t
    low, high = intervals[interval].T
    return z.clip(low, high), log_mass


def _laplace_cdf(t):
    return np.where(t < 0, t - _LOG_2, np.log1p(-0.5 * np.exp(-np.maximum(t, 0))))


def _laplace_inverse(log_p):
    upper = -np.log(np.maximum(-2 * np.expm1(np.minimum(log_p, 0)), 1e-300))
    return np.where(log_p < -_LOG_2, log_p + _LOG_2, upper)


_SHAPES = {
    "gaussian": (log_ndtr, ndtri_exp),
    "laplace": (_laplace_cdf, _laplace_inverse),
}
