"""Blocks of units of which at most one is on."""

import numpy as np
import pytest
from scipy.special import expit

from skdgm.distributions import Bernoulli, Pooled, Selected
from skdgm.utils.images import split
from skdgm.utils.random import stream
from skdgm.utils.threading.parallel import limit
from tests.distributions.cases import FiniteUnitCase
from tests.numerical import assert_means, assert_trees
from tests.suites import DTYPES

_RNG = np.random.default_rng(3)


class TestPooled(FiniteUnitCase):
    unit = Pooled(2, 2, 2, 2, 1)
    own = _RNG.normal(size=2)
    received = _RNG.normal(size=(4, 8))
    x = unit.states(np.array([0, 5, 40, 80]))
    moments = np.tile([0.1, 0.4], 4)

    def test_units_saturate(self):
        assert self.unit.ends == (0, 1)

    def test_biases_are_inputs(self):
        unit, own = self.unit, self.own
        bias = np.array([0.5, -1.0])
        moved = unit.field(unit.with_bias(own, unit.bias_of(own) + bias))
        assert_trees(moved, unit.field(own, np.tile(bias, 4)))

    def test_at_most_one_of_a_block_is_on(self):
        unit = Pooled(4, 6, 3, 2, 3)
        eta = np.full(unit.size, 2.0, np.float32)
        x, mean = unit.sample(eta, stream(1).rows(50))
        assert set(np.unique(x)) == {0, 1}
        images = x.reshape(50, 4, 6, 3)
        for i in (0, 2):
            for j in (0, 3):
                n_on = images[:, i : i + 2, j : j + 3].sum(axis=(1, 2))
                assert n_on.max() == 1
                pooled = unit.pool(x).reshape(50, 2, 2, 3)[:, i // 2, j // 3]
                np.testing.assert_array_equal(pooled, n_on)
        np.testing.assert_allclose(mean, np.exp(2) / (1 + 6 * np.exp(2)), rtol=1e-5)

    def test_pooled_means_are_those_of_the_states(self):
        log_w = self.unit.log_weight(self.eta[0], self.states)
        p = np.exp(log_w - np.logaddexp.reduce(log_w))
        on = self.states.reshape(-1, 2, 2, 2).max(axis=1).reshape(-1, 4)
        found = self.unit.pool(self.unit.mean(self.eta[:1]))[0]
        np.testing.assert_allclose(found, p @ on)

    def test_means_are_spread_over_blocks(self):
        pooled = _RNG.random((3, self.unit.n_pooled))
        x = self.unit.spread(pooled)
        np.testing.assert_allclose(self.unit.pool(x), pooled)
        assert (self.unit.blocks(x).std(axis=-1) < 1e-12).all()


class TestSelected(FiniteUnitCase):
    unit = Selected(2, 2, 2, 1, 1, 2, 1, "max")
    own = _RNG.normal(size=2)
    received = _RNG.normal(size=(4, 8))
    x = unit.states(np.array([0, 5, 140, 255]))
    moments = np.tile([0.1, 0.4], 4)

    test_biases_are_inputs = TestPooled.test_biases_are_inputs


@pytest.mark.parametrize("choice", ["max", "mean"])
def test_units_above_pooled_ones_have_their_probabilities(choice):
    unit, own = Selected(2, 2, 2, 1, 1, 2, 1, choice), np.array([0.4, -1.0])
    x = unit.states(np.arange(256)).astype(float)
    blocks, of_map = split(x, unit, (2, 1)), np.tile(own, 2)
    for place in 0, 1:
        h, rest = blocks[..., place], blocks[..., 1 - place]
        pooled = np.tile([0.0, 1, 1, 0], (256, 1))
        p = np.where(h == pooled, expit(np.where(rest, of_map, -of_map)), 0)
        possible = (h == pooled).all(axis=1)
        found = unit.log_unpooled(x[possible], pooled[possible], own)
        np.testing.assert_allclose(np.exp(found), p[possible].prod(axis=1))
        assert np.exp(found).sum() == pytest.approx(1)
    mean = unit.spread(pooled[:1], own)
    drawn = unit.unpool(np.tile(pooled[:1], (20_000, 1)), own, stream(0).rows(20_000))
    assert_means(drawn, mean[0])
    share = split(mean, unit, (2, 1))[0]
    np.testing.assert_allclose(share[1], 0.5 + 0.5 * expit(own[1]))
    np.testing.assert_allclose(share[0], 0.5 * expit(own[0]))


@pytest.mark.parametrize("choice", ["max", "mean"])
def test_pooled_units_are_drawn_as_they_are_weighed(choice):
    unit, n = Selected(2, 2, 2, 1, 1, 2, 1, choice), 20_000
    mean = _RNG.random((1, 8))
    draws = Bernoulli(8).draw(np.tile(mean, (n, 1)), stream(1).rows(n))
    means = np.tile(mean, (n, 1))
    pooled = unit.select(draws, means, stream(2).rows(n))
    assert_means(pooled, unit.pool(mean)[0])
    # Weighed, positions of proposals are all as likely.
    pooled, log_w = unit.propose(draws, means, stream(3).rows(n))
    w = np.exp(log_w)[:, None] if choice == "max" else 1.0
    assert_means(w * pooled, split(mean, unit, (2, 1))[0].mean(axis=-1))


def test_blocks_of_one_are_binary_units():
    unit, one = Pooled(2, 3, 2, 1, 1), Bernoulli(12)
    eta = _RNG.normal(size=(5, 12))
    np.testing.assert_allclose(unit.mean(eta), one.mean(eta))
    np.testing.assert_allclose(unit.log_partition(eta), one.log_partition(eta))
    np.testing.assert_allclose(
        unit.entropy(None, unit.mean(eta)), one.entropy(None, one.mean(eta))
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_fields_are_no_problem(dtype):
    unit = Pooled(1, 4, 1, 1, 2)
    mean = unit.mean(np.array([[800.0, 800, -900, -1000]], dtype))
    np.testing.assert_allclose(mean[0], [0.5, 0.5, 0, 0], atol=1e-30)
    assert np.isfinite(unit.entropy(None, mean)).all()
    x = unit.draw(np.tile(mean, (20, 1)), stream(0).rows(20))
    np.testing.assert_array_equal(x.sum(axis=1), 1)


def test_threads_make_no_difference():
    unit = Pooled(20, 20, 24, 2, 2)
    eta = _RNG.normal(size=(40, unit.size)).astype(np.float32)
    found = []
    for n in (1, 2):
        with limit(n):
            x, mean = unit.sample(eta, stream(0).rows(40))
            found.append((x, mean, unit.log_partition(eta)))
    for one, two in zip(*found):
        np.testing.assert_array_equal(one, two)
