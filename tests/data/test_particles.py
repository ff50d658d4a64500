"""Gaps in series of a small Markov chain, beside sums over all that is missing."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.data import gaps
from skdgm.data.gaps import (
    IncompleteSeries,
    SeriesModel,
    fill_gaps,
    needs_particles,
    unobserved_columns,
)
from skdgm.utils.random import stream

STATES = np.array(list(product([0.0, 1.0], repeat=3)))
NAN = np.nan


def log_row(v, before):
    """Log probability of a row (kind, bit, copy): the bit stays as it was, by a
    probability that depends on the kind, and the copy is mostly right."""
    kind, bit, copy = v.T
    stays = np.where(kind == 1, 0.9, 0.3)
    p = np.where(np.isnan(before), 0.5, np.where(bit == before, stays, 1 - stays))
    return np.log(np.where(kind == 1, 0.3, 0.7) * p * np.where(copy == bit, 0.8, 0.2))


class Chain(SeriesModel):
    """The state is the bit of the row before."""

    n_forecasts = 2000

    def __init__(self, has_likelihood=True):
        self.has_likelihood = has_likelihood

    def begin(self, n):
        return np.full((n, 1), NAN)

    def advance(self, state, v, needs_log_p, rng, means):
        rows = np.tile(STATES, (len(v), 1))
        log_p = log_row(rows, np.repeat(state[:, 0], 8)).reshape(-1, 8)
        known = np.isnan(v)[:, None] | (v[:, None] == STATES)
        log_p = np.where(known.all(axis=2), log_p, -np.inf)
        own = logsumexp(log_p, axis=1)
        drawn = STATES[(log_p + rng.gumbel(8)).argmax(axis=1)]
        expected = np.exp(log_p - own[:, None]) @ STATES if means else None
        return np.where(needs_log_p, own, 0.0), drawn, expected, drawn[:, 1:2]

    def encoded(self, v):
        return v

    def decoded(self, mean):
        return mean


# Gaps one after another, single ones, and rows at the end without a known entry.
SERIES = np.array(
    [
        *([0, 1, 1], [NAN, NAN, 1], [NAN, NAN, NAN], [1, NAN, 0], [0, 0, 0], [1, 1, 1]),
        *([1, NAN, NAN], [1, NAN, 1], [0, 1, NAN], [NAN, NAN, NAN], [NAN, NAN, NAN]),
    ]
)
# Nothing is known of the kind, which is that of the whole series.
KEPT = np.array([[NAN, 1, 1], [NAN, NAN, 1], [NAN, 1, NAN], [NAN, 1, 0], [NAN, 0, 0]])
KEPT = np.concatenate([KEPT, [[NAN, NAN, NAN]]])


def means(v, kept=False):
    """Means of all entries given those that are known."""
    holes = np.argwhere(np.isnan(v))
    if kept:
        holes = holes[holes[:, 1] > 0]
    states = np.array(list(product([0.0, 1.0], repeat=len(holes) + kept)))
    whole = np.repeat(v[None], len(states), axis=0)
    whole[:, holes[:, 0], holes[:, 1]] = states[:, : len(holes)]
    if kept:
        whole[:, :, 0] = states[:, -1:]
    log_p = np.zeros(len(states))
    for t in range(len(v)):
        before = whole[:, t - 1, 1] if t else np.full(len(states), NAN)
        log_p += log_row(whole[:, t], before)
        if kept and t:
            # It is drawn once.
            log_p -= np.log(np.where(whole[:, t, 0] == 1, 0.3, 0.7))
    p = np.exp(log_p - logsumexp(log_p))
    return np.tensordot(p, whole, 1)


def filled(series, method, n_each, n_series=1, kept=None, seed=0):
    """Series filled, of shape (n_series, n_rows, 3)."""
    v = np.tile(series, (n_series, 1))
    lengths = np.full(n_series, len(series))
    all_series = IncompleteSeries(v, np.cumsum(lengths) - lengths, lengths, kept)
    rng = stream(seed).rows(len(v))
    found = fill_gaps(Chain(), all_series, rng, method, n_each)
    np.testing.assert_array_equal(found[~np.isnan(v)], v[~np.isnan(v)])
    np.testing.assert_array_equal(v, np.tile(series, (n_series, 1)))
    return found.reshape(n_series, len(series), 3)


@pytest.mark.parametrize("after", [50, 2])
def test_means_are_those_given_all_known_entries(after, monkeypatch):
    """Whether gaps are settled at the end, or two rows later, which is as good here."""
    monkeypatch.setattr(gaps, "_LAG", after)
    found = filled(SERIES, "mean", 4000)[0]
    np.testing.assert_allclose(found, means(SERIES), atol=0.03)


@pytest.mark.parametrize("after", [50, 2])
def test_draws_have_the_law_given_all_known_entries(after, monkeypatch):
    monkeypatch.setattr(gaps, "_LAG", after)
    found, expected = filled(SERIES, "sample", 40, 300), means(SERIES)
    assert np.isin(found, (0, 1)).all()
    np.testing.assert_allclose(found.mean(axis=0), expected, atol=0.1)
    # Neighbors are drawn together: joint frequencies of the bits of two rows.
    whole = SERIES.copy()
    whole[2, 1] = 1
    both = found[:, 1, 1][found[:, 2, 1] == 1].mean()
    assert both == pytest.approx(means(whole)[1, 1], abs=0.15)


def test_a_column_that_is_lost_is_drawn_once():
    kept = np.array([True, False, False])
    found = filled(KEPT, "mean", 4000, kept=kept)[0]
    expected = means(KEPT, kept=True)
    np.testing.assert_allclose(found[1:5, 1:], expected[1:5, 1:], atol=0.03)
    np.testing.assert_allclose(found[:, 0], expected[0, 0], atol=0.03)
    drawn = filled(KEPT, "sample", 40, 300, kept)
    assert (np.ptp(drawn[:, :, 0], axis=1) == 0).all()
    assert drawn[:, 0, 0].mean() == pytest.approx(expected[0, 0], abs=0.1)


def test_series_of_any_lengths_are_filled_by_themselves(monkeypatch):
    """In their order, also where few particles are made at a time."""
    parts = [SERIES[:4], KEPT, SERIES, SERIES[3:6]]
    v, lengths = np.concatenate(parts), np.array(list(map(len, parts)))
    starts = np.cumsum(lengths) - lengths
    found = []
    for room in 2**13, 2500:
        monkeypatch.setattr(gaps, "_BATCH", room)
        series, rng = IncompleteSeries(v, starts, lengths), stream(0).rows(len(v))
        found.append(fill_gaps(Chain(), series, rng, "mean", 3000))
    for own in found:
        for start, part in zip(starts, parts):
            some = own[start : start + len(part)]
            np.testing.assert_allclose(some, means(part), atol=0.05)


def test_series_that_need_particles():
    """A row after an incomplete one counts; for draws, one with a known entry."""
    full, holed, none = [0.0, 1, 1], [NAN, 1, 1], [NAN] * 3
    series = [[full, full], [full, holed], [holed, full], [holed, none], [none, full]]
    series += [[none, none, holed], [full, holed, none, none]]
    v, lengths = np.concatenate(series), np.array(list(map(len, series)))
    starts = np.cumsum(lengths) - lengths
    found = needs_particles(v, starts, lengths, "sample")
    np.testing.assert_array_equal(found, [0, 0, 1, 0, 1, 1, 0])
    found = needs_particles(v, starts, lengths, "mean")
    np.testing.assert_array_equal(found, [0, 0, 1, 1, 1, 1, 1])
    kept = np.array([True, False, True])
    lost = unobserved_columns(v, starts, lengths, kept)
    expected = np.zeros((7, 3))
    expected[[3, 5], 0] = 1
    np.testing.assert_array_equal(lost, expected)
    for no in (None, np.zeros(3, bool)):
        assert unobserved_columns(v, starts, lengths, no).shape == (7, 3)
        assert not unobserved_columns(v, starts, lengths, no).any()
