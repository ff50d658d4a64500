"""Draws with weights against sums over them."""

import numpy as np
import pytest
from scipy.special import logsumexp

from skdgm.exceptions import FewDrawsWarning
from skdgm.utils import weighted
from skdgm.utils.random import stream
from skdgm.utils.weighted import Weighted
from tests.numerical import assert_means

P = np.array([0.1, 0.2, 0.3, 0.4])


def draws(log_w, share=1.0):
    log_w = np.asarray(log_w, float)
    number = weighted.effective_sample_size(log_w)
    return Weighted(np.arange(len(log_w)), log_w, number, share)


def test_systematic_draws_are_as_many_as_their_weights_say():
    rng = np.random.default_rng(0)
    w = rng.random((300, 8)) ** 3
    share, luck = w / w.sum(axis=1, keepdims=True), rng.random((300, 1))
    for n in 3, 8, 20:
        chosen = weighted.systematic(w, n, luck)
        count = (chosen[:, :, None] == np.arange(8)).sum(axis=1)
        assert (abs(count - n * share) < 1).all()
        assert_means(count - n * share, 0)
        for row, u, expected in zip(w, luck[:, 0], chosen):
            found = weighted.systematic(row, n, u)
            np.testing.assert_array_equal(found, expected)
            ticks = (np.arange(n) + u) / n
            np.testing.assert_array_equal(
                found, np.searchsorted(row.cumsum() / row.sum(), ticks)
            )
    # Weights of nothing at all are no choice, whatever comes of rounding.
    w = np.array([[1.0, 0.0, 0.0]])
    found = weighted.systematic(w, 3, np.array([[0.9999]]))
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize("w", [[1, 1, 1, 1], [1, 2, 3, 4], [0, 1, 0, 0]])
@pytest.mark.parametrize("scale", [-900.0, 0.0, 900.0])
def test_the_effective_number_of_draws(w, scale):
    w = np.array(w, float)
    with np.errstate(divide="ignore"):
        log_w = np.log(w) + scale
    expected = w.sum() ** 2 / (w**2).sum()
    assert weighted.effective_sample_size(log_w) == pytest.approx(expected)
    assert weighted.effective_sample_size(np.full(3, -np.inf)) == 0


def test_sources_together_are_as_their_draws():
    parts = [draws(np.log([1, 2.0])), draws(np.log([3, 1, 1.0]), 0.5)]
    found, expected = weighted.concatenated(parts), draws(np.log([1, 2, 3, 1, 1.0]))
    np.testing.assert_array_equal(found.rows, [0, 1, 0, 1, 2])
    np.testing.assert_array_equal(found.log_w, expected.log_w)
    assert found.ess == pytest.approx(expected.ess)
    assert found.plausibility == 0.5


@pytest.mark.parametrize("scale", [-900.0, 900.0])
def test_rows_are_chosen_as_often_as_their_weights_say(scale):
    """Each time the floor or the ceiling of n p, at all places alike."""
    counts, firsts = np.zeros((2, 4))
    for k in range(500):
        chosen = weighted.choose(np.log(P) + scale, 13, stream(k))
        one = np.bincount(chosen, minlength=4)
        assert (abs(one - 13 * P) < 1).all()
        counts += one / 500
        firsts += np.bincount(chosen[:1], minlength=4) / 500
    np.testing.assert_allclose(counts, 13 * P, atol=0.1)
    np.testing.assert_allclose(firsts, P, atol=0.09)


def test_thinning_keeps_sums_of_weights():
    log_w = np.log(np.r_[np.ones(20), np.full(4000, 1e-3)])
    expected, total = np.exp(log_w[20:]).sum(), []
    for k in range(40):
        kept = weighted._thinned(draws(log_w), stream(k))
        assert len(kept["rows"]) < 1000
        np.testing.assert_array_equal(kept["rows"][:20], np.arange(20))
        np.testing.assert_allclose(kept["log_w"][:20], 0, atol=1e-12)
        total.append(np.exp(kept["log_w"][20:]).sum())
    assert abs(np.mean(total) - expected) < 4 * np.std(total) / np.sqrt(40)
    assert weighted._thinned(draws(np.zeros(9)), stream(0)) == {}
    assert weighted._thinned(draws(np.full(9, -np.inf)), stream(0)) == {}


def test_a_pool_grows_until_it_serves():
    """The rows that are drawn have the weighted distribution of what is drawn."""
    sizes = []

    def draw(size, rng):
        sizes.append(size)
        k = rng.generator().integers(0, 4, size)
        return draws(np.log(P[k] ** 3))._replace(rows=k)

    rows = weighted.pooled(draw, 600, stream(0), 1000, "This model")
    p = P**3 / (P**3).sum()
    shares = np.bincount(rows, minlength=4) / 600
    np.testing.assert_allclose(shares, p, atol=4 * np.sqrt(0.25 / 600))
    # Each row asked for is to have two effective draws, and less weight than one.
    needed = 600 * max(2 / ((p / 4).sum() ** 2 / (p**2 / 4).sum()), (p / p.max()).min())
    assert needed / 2 < sum(sizes) < 4 * needed
    assert max(sizes) <= 1000
    assert sizes[0] == 600


@pytest.mark.parametrize("share, sizes", [(1.0, [100]), (0.01, [100, 991])])
def test_a_pool_grows_by_what_lacks(share, sizes):
    """Ten draws are to be found, and a tenth more; at most 16 times as many at once."""
    asked = []

    def draw(size, rng):
        asked.append(size)
        return draws(np.zeros(size), share)

    weighted.pooled(draw, 100, stream(0), 10**6, "This model")
    assert asked == sizes
    share, asked = 0.001, []
    weighted.pooled(draw, 100, stream(0), 10**6, "This model")
    assert asked[:2] == [100, 1651]


def test_few_draws_are_told():
    def draw(size, rng):
        log_w = np.full(size, -np.inf)
        log_w[:1] = 0
        return draws(log_w, share=0.0)

    with pytest.warns(FewDrawsWarning, match="This model.*effective number.*for 40"):
        weighted.pooled(draw, 40, stream(0), 20_000, "This model")

    def none(size, rng):
        return draws(np.full(size, -np.inf), share=0.0)

    with pytest.raises(ValueError, match="none of .* satisfies the conditions"):
        weighted.pooled(none, 40, stream(0), 20_000, "This model", hard=True)


@pytest.mark.parametrize("number", [0, 5, 50])
def test_numbers_of_several_sources(number):
    log_w = np.log([[1.0, 2.0], [3.0, 4.0]]) + 800
    numbers = np.array([[10.0, 20.0], [30.0, number]])
    with np.errstate(divide="ignore"):
        total = np.exp(2 * logsumexp(log_w - 800, axis=0))
        squares = (np.exp(2 * (log_w - 800)) / numbers).sum(axis=0)
    found = weighted.ess_of_union(log_w, numbers)
    np.testing.assert_allclose(found, total / squares)
