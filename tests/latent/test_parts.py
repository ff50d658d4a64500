"""Weighted means and draws, chains, mixtures of proposals and what is told, by hand."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logsumexp, softmax

from skdgm.latent.activity import are_dependent
from skdgm.latent.adapting import _power, effective_number, weights_of
from skdgm.latent.covariates import DecoderCovariates
from skdgm.latent.filling import (
    N_CHAINS,
    Accepted,
    impute_by_chains,
    impute_by_importance,
    metropolis_accept,
    where_accepted,
)
from skdgm.latent.units import BernoulliUnits
from skdgm.latent.weighing import Counts, Draws, _Weighing, least_number
from skdgm.utils.random import stream

RNG = np.random.default_rng(0)
N = 20_000


def assert_shares(found, p):
    share = np.bincount(np.ravel(found).astype(int), minlength=len(p)) / np.size(found)
    p = np.asarray(p)
    assert (abs(share - p) < 5 * np.sqrt(p * (1 - p) / np.size(found)) + 1e-9).all()


def test_draws_one_by_one_are_weighed():
    # Low weights first, then high ones, so that the first must shrink.
    log_w, value = (
        RNG.normal(size=(5, 3)) + [[0], [9], [-5], [30], [28]],
        RNG.normal(size=(5, 3, 2)),
    )
    number = iter(range(5))

    def draw(rng):
        k = next(number)
        return log_w[k], value[k]

    found = impute_by_importance(draw, stream(0).rows(3), 5, "mean")
    expected = np.einsum("kr,krj->rj", softmax(log_w, axis=0), value)
    np.testing.assert_allclose(found, expected)


def test_a_draw_is_chosen_by_weight():
    log_w = np.log([0.2, 0.5, 0.3]) - 40
    number = iter(range(3))

    def draw(rng):
        k = next(number)
        return np.full(N, log_w[k]), np.full((N, 1), k)

    found = impute_by_importance(draw, stream(0).rows(N), 3, "sample")
    assert_shares(found, [0.2, 0.5, 0.3])


@pytest.mark.parametrize("method", ["mean", "sample"])
def test_draws_in_parts_are_weighed_as_those_at_once(method):
    index = np.array([0, 2])
    log_w, value = 5 * RNG.normal(size=(2, 12)), RNG.normal(size=(2, 12, 3))
    found = _Weighing(3, method)
    for number, part in enumerate((slice(0, 2), slice(2, 7), slice(7, 12))):
        rng = stream(0).rows(2).fold(number)
        found.add(index, log_w[:, part], value[:, part], rng)
    w = softmax(log_w, axis=1)
    number = found.number(index)
    np.testing.assert_allclose(number, 1 / (w**2).sum(axis=1))
    if method == "mean":
        mean = found.value[index] / found.total[index, None]
        np.testing.assert_allclose(mean, np.einsum("rk,rkj->rj", w, value))
    other = _Weighing(3, method)
    other.add(np.array([1]), np.zeros((1, 2)), np.ones((1, 2, 3)), stream(1).rows(1))
    other.replace(index, found)
    np.testing.assert_array_equal(other.value[index], found.value[index])
    np.testing.assert_array_equal(other.number(index), number)
    np.testing.assert_allclose(other.number(np.array([1])), 2)


def test_a_draw_of_all_parts_is_chosen_by_weight():
    p = np.array([0.1, 0.2, 0.4, 0.3])
    found, index = _Weighing(N, "sample"), np.arange(N)
    value = np.tile(np.arange(4.0)[None, :, None], (N, 1, 1))
    for number, part in enumerate((slice(0, 1), slice(1, 4))):
        log_w = np.tile(np.log(p[part]), (N, 1))
        rng = stream(0).rows(N).fold(number)
        found.add(index, log_w, value[:, part], rng)
    assert_shares(found.result().value, p)


def test_draws_come_from_a_mixture():
    gap, log_prior, log_g = RNG.normal(size=(3, 4, 6))
    draws = Draws(np.zeros((4, 6, 1)), None, log_prior, gap, None)

    class Proposal:
        def log_prob(self, z):
            return log_g

    q, p, g = np.exp(gap + log_prior), np.exp(log_prior), np.exp(log_g)
    two = draws.log_mix(Counts(1, 3)) + log_prior
    np.testing.assert_allclose(np.exp(two), 0.25 * q + 0.75 * p)
    three = draws.log_mix(Counts(2, 3, 5), Proposal()) + log_prior
    np.testing.assert_allclose(np.exp(three), 0.2 * q + 0.3 * p + 0.5 * g)
    assert Counts.mixed(64) == (8, 8, 48)
    assert Counts.mixed(4) == (1, 1, 2)
    assert [least_number(n) for n in (4, 1e9)] == sorted(
        least_number(n) for n in (4, 1e9)
    )


def test_weights_are_flattened_until_enough_count():
    log_w = 6 * RNG.normal(size=(30, 40))
    power = _power(log_w, 10)
    assert ((power > 0) & (power <= 1)).all()
    number = effective_number(power[:, None] * log_w)
    np.testing.assert_allclose(number[power < 1], 10, rtol=0.05)
    assert (effective_number(log_w)[power == 1] >= 10).all()
    w = softmax(log_w, axis=1)
    np.testing.assert_allclose(effective_number(log_w), 1 / (w**2).sum(axis=1))
    assert np.isfinite(weights_of(np.array([0.0, np.nan, -np.inf]))).all()


def test_proposals_are_accepted_by_the_ratio():
    for log_ratio in np.log([0.2, 0.9, 3.0]):
        found = metropolis_accept(np.full(N, log_ratio), stream(0).rows(N))
        p = min(1, np.exp(log_ratio))
        assert_shares(found, [1 - p, p])
    a, b = np.ones((3, 2)), np.zeros((3, 2))
    (found,) = where_accepted(np.array([True, False, True]), (a,), (b,))
    np.testing.assert_array_equal(found, [[1, 1], [0, 0], [1, 1]])


class Counting:
    """A chain whose state is the number of steps, from the row's number on."""

    def __init__(self, start):
        self.start = start

    def init(self, rng):
        return _State(self.start)

    def step(self, rng, state):
        return _State(state.x + 1), Accepted(None)

    def expected(self, state):
        return 10 * state.x


class _State:
    def __init__(self, x):
        self.x = x


def test_chains_leave_out_a_fifth_of_the_steps():
    start = np.array([[0.0], [100.0]])
    made = []

    def make(arrays):
        (x,) = arrays
        made.append(len(x))
        return Counting(x)

    found = impute_by_chains(make, (start,), stream(0).rows(2), 10, "mean", 1)
    # Two of ten steps are left out; the third and the fourth are averaged.
    np.testing.assert_allclose(found, 10 * (start + 3.5))
    found = impute_by_chains(make, (start,), stream(0).rows(2), 10, "sample", 1)
    np.testing.assert_allclose(found, start + 10)
    assert made == [2 * N_CHAINS, 2]


def test_classes_are_told_by_their_frequencies():
    told = DecoderCovariates.of_classes(np.array([0.2, 0.0, 0.5, 0.3]))
    assert told.n_inputs == 4
    np.testing.assert_allclose(told.mean, [[0.2, 0, 0.5, 0.3]])
    drawn = told.drawn(stream(0).rows(N).uniform(1, np.float64))
    assert_shares(drawn.argmax(axis=1), told.shares)
    np.testing.assert_array_equal(told.drawn(told.noise_of(drawn)), drawn)
    pairs = told.each()
    np.testing.assert_allclose([log_p for _, log_p in pairs], np.log([0.2, 0.5, 0.3]))
    np.testing.assert_array_equal(
        np.concatenate([x for x, _ in pairs]), np.eye(4)[[0, 2, 3]]
    )
    assert logsumexp([log_p for _, log_p in pairs]) == pytest.approx(0)
    read = told.read(np.array([3, 0]), np.float32)
    np.testing.assert_array_equal(read, np.eye(4)[[3, 0]])
    one = told.only(np.eye(4)[2])
    assert one.each()[0][1] == 0
    np.testing.assert_array_equal(one.mean, np.eye(4)[[2]])


def test_bits_begin_rare_in_large_layers():
    for n, p in (1, 0.5), (2, 0.5), (8, 0.25), (200, 0.05):
        assert expit(BernoulliUnits().start(n)) == pytest.approx(p)
        np.testing.assert_allclose(expit(BernoulliUnits().prior(n, None, float)), p)


@pytest.mark.parametrize("r, dependent", [(0.0, False), (0.8, False), (0.84, True)])
def test_columns_depend_where_an_eigenvalue_is_clearly_beyond_chance(r, dependent):
    # Of 200 rows of two columns it may be 1.5 (1 + 0.1)^2 = 1.815.
    a, b = np.tile([1.0, 1, -1, -1], 50), np.tile([1.0, -1, 1, -1], 50)
    x = np.stack([3 * a + 7, r * a + np.sqrt(1 - r**2) * b], axis=1)
    assert are_dependent(x) == dependent
    holed = np.c_[x, np.full(200, np.nan), np.ones(200)]
    assert are_dependent(holed) == dependent
    assert not are_dependent(x[:, :1])
    assert not are_dependent(np.where(x == x[0], np.inf, x))


def test_the_divergence_of_bits_is_that_of_coins():
    odds, prior = RNG.normal(size=(2, 5, 3))
    p, q = (np.stack([expit(-own), expit(own)]) for own in (odds, prior))
    expected = stats.entropy(p, q).sum(axis=1)
    np.testing.assert_allclose(BernoulliUnits().divergence(odds, prior), expected)
