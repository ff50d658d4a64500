"""Hamiltonian Monte Carlo beside exact moments, and the laws of leapfrog steps."""

import numpy as np
import pytest

from skdgm.distributions import Bernoulli, Gaussian, Softmax
from skdgm.energies import Marginal, Path, Potential, layered
from skdgm.exceptions import DivergenceError
from skdgm.samplers import HMC, Gibbs, State, hmc
from skdgm.samplers.hmc import kinetic, leapfrog
from skdgm.utils.random import stream
from tests.numerical import assert_means, assert_moments, clamped
from tests.reference import ALL, MIXED, Enumeration, random_machine, some_moments
from tests.samplers.cases import SamplerCase

REAL = ["gaussian", "real-classifier", "mixture"]
N_CHAINS = 10_000


def made(name):
    energy, params = random_machine(MIXED[name], seed=2)
    return energy, params, Enumeration(MIXED[name], params)


class TestHMC(SamplerCase):
    @pytest.fixture(params=REAL)
    def given(self, request):
        energy, params = random_machine(ALL[request.param], seed=2)
        return *self.sampler(request.param, energy, params), params

    def sampler(self, name, energy, params):
        sampler = HMC(Marginal(energy), step_size=0.4, n_leapfrog=4)
        return sampler, [Enumeration(ALL[name], params)]


@pytest.mark.exhaustive
class TestLangevin(TestHMC):
    def sampler(self, name, energy, params):
        sampler = HMC(Marginal(energy), step_size=0.7, n_leapfrog=1)
        return sampler, [Enumeration(ALL[name], params)]


class TestDeep(TestHMC):
    """A real block beside bits of its color, which are given while it moves."""

    @pytest.fixture
    def given(self):
        layers = [[Gaussian(2)], [3], [2]]
        energy, params = random_machine(layers, seed=3)
        sampler = HMC(Marginal(energy), step_size=0.4, n_leapfrog=4)
        return sampler, [Enumeration(layers, params)], params


@pytest.mark.parametrize(
    "name, n_steps",
    [
        ("gaussian", 20),
        pytest.param("mixture", 30, marks=pytest.mark.exhaustive),
        pytest.param("real-classifier", 100, marks=pytest.mark.exhaustive),
    ],
)
def test_finds_the_distribution_from_afar(name, n_steps):
    energy, params, truth = made(name)
    sampler, rng = HMC(Marginal(energy), step_size=0.4, n_leapfrog=8), stream(1)
    rng = rng.rows(N_CHAINS)
    start = sampler.init(rng.fold(0), params.units)
    state, info = sampler.step(rng.fold(1), params, start, n_steps)
    assert_moments(state.x, truth)
    assert 0.7 < info.acceptance.mean() < 1
    assert info.acceptance.shape == (N_CHAINS,)


@pytest.mark.parametrize("name", REAL)
def test_slopes_are_those_of_finite_differences(name):
    energy, params, truth = made(name)
    base, _ = energy.base(params, some_moments(energy))
    x = list(truth.draw(5, seed=0))
    for path in (None, Path(base, 0.3)):
        potential = Marginal(energy, path=path)
        value, slope = potential.value(params, tuple(x))
        np.testing.assert_allclose(
            value, -energy.log_marginal(params, tuple(x), path=path)
        )
        np.testing.assert_array_equal(potential.slope(params, tuple(x)), slope)
        for column in range(2):
            ends = []
            for sign in (1, -1):
                moved = x[0].copy()
                moved[:, column] += sign * 1e-5
                ends.append(potential.value(params, (moved, *x[1:]))[0])
            found = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(slope[:, column], found, rtol=1e-6, atol=1e-7)


def test_models_on_the_way_from_a_base_model():
    energy, params, truth = made("gaussian")
    base, _ = energy.base(params, some_moments(energy))
    sampler = HMC(Marginal(energy, path=Path(base, 0.5)), step_size=0.4, n_leapfrog=8)
    rng = stream(1).rows(N_CHAINS)
    state, _ = sampler.step(rng, params, Gibbs(energy).init(rng, base), 20)
    assert_moments(state.x, truth.between(base, 0.5))


def test_clamped_entries_stay_and_the_rest_is_conditional():
    n = 2000
    energy, params, truth = made("real-classifier")
    v = np.array([1.5, np.nan])
    x, clamp = clamped(energy, np.tile(v, (n, 1)))
    sampler = HMC(Marginal(energy), step_size=0.4, n_leapfrog=8, clamp=clamp)
    state, _ = sampler.step(stream(5).rows(n), params, State(x), 40)
    assert (state.x[0][:, 0] == 1.5).all()
    for block, drawn in enumerate(state.x):
        mean = truth.mean(block, {0: v})
        assert_means(drawn, mean if block else np.array([1.5, mean[1]]))
    # A label that is given, too.
    label = np.eye(3)[np.ones(n, dtype=int)]
    x, clamp = clamped(energy, np.tile(v, (n, 1)), label)
    sampler = HMC(Marginal(energy), step_size=0.4, n_leapfrog=8, clamp=clamp)
    state, _ = sampler.step(stream(6).rows(n), params, State(x), 40)
    assert state.x[1] is x[1]
    assert_means(state.x[0][:, 1], truth.mean(0, {0: v, 1: np.eye(3)[1]})[1])
    whole = HMC(Marginal(energy), clamp=(True, None, None))
    state, info = whole.step(stream(6).rows(n), params, State(x), 1)
    assert state.x[0] is x[0]
    assert (info.acceptance == 1).all()


def test_the_block_that_moves_is_not_drawn_again():
    energy, params, truth = made("real-classifier")
    start = State(truth.draw(200, seed=0))
    sampler = HMC(Marginal(energy), step_size=1e-6, n_leapfrog=1)
    state, _ = sampler.step(stream(0).rows(200), params, start)
    np.testing.assert_allclose(state.x[0], start.x[0], atol=1e-4)
    assert (np.asarray(state.x[1]) != start.x[1]).any()


def test_sizes_of_steps_are_drawn_around_theirs(monkeypatch):
    energy, params, truth = made("gaussian")
    start, sizes = State(truth.draw(500, seed=0)), []

    def seen(value, v, momentum, size, *rest):
        sizes.append(size)
        return leapfrog(value, v, momentum, size, *rest)

    monkeypatch.setattr(hmc, "leapfrog", seen)
    scale = np.array([1.0, 2.0])
    given = {"step_size": 0.3, "n_leapfrog": 2, "scale": scale, "jitter": 0.1}
    HMC(Marginal(energy), **given).step(stream(0).rows(500), params, start)
    share = sizes[0] / (0.3 * scale)
    np.testing.assert_allclose(share[:, 0], share[:, 1])
    assert 0.9 <= share.min() < 0.905
    assert 1.095 < share.max() <= 1.1
    assert_means(share, 1.0)


def test_random_numbers_are_those_of_the_step():
    energy, params, truth = made("gaussian")
    start, rng = State(truth.draw(50, seed=0)), stream(0).rows(50)
    sampler = HMC(Marginal(energy), step_size=0.4, n_leapfrog=2)
    sizes = [
        sampler.adapted(rng, params, start, 6, **first)[0].step_size
        for first in ({}, {"first": 0}, {"first": 1})
    ]
    assert sizes[0] == sizes[1] != sizes[2]
    two = sampler.step(rng, params, start, 2)[0].x[0]
    one = sampler.step(rng, params, start)[0]
    again = sampler.step(rng, params, one, first=1)[0].x[0]
    np.testing.assert_array_equal(again, two)


class Normal(Potential):
    """Potential of independent normal units with the precisions ``params``."""

    units = (Gaussian(3),)

    def value(self, params, x):
        return 0.5 * (params * x[0] ** 2).sum(axis=1), params * x[0]


PRECISIONS = np.array([1.0, 4.0, 0.25])


def trajectory(step_size, time=1.0):
    """Both ends of trajectories of so much time, and the errors of their energy."""
    rng = np.random.default_rng(0)
    v, momentum = rng.normal(size=(2, 50, 3))
    energy, params, _ = made("mixture")
    h = np.zeros((50, energy.units[1].size)), np.zeros((50, energy.units[2].size))
    potential = Marginal(energy)

    def value(v):
        return potential.value(params, (v, *h))

    v, momentum = v[:, :2], momentum[:, :2]
    n, sizes = round(time / step_size), np.full((1, 1), step_size)
    after, last, start, end = leapfrog(value, v, momentum, sizes, n)
    return (
        value,
        (v, momentum),
        (after, last),
        end - start + (kinetic(last) - kinetic(momentum)),
    )


def test_trajectories_go_back_the_way_they_came():
    value, (v, momentum), (after, last), _ = trajectory(0.1, time=3.0)
    assert (np.abs(after - v) > 0.01).any(axis=1).all()
    sizes = np.full((1, 1), 0.1)
    back, turned, _, _ = leapfrog(value, after, -last, sizes, 30)
    np.testing.assert_allclose(back, v, atol=1e-9)
    np.testing.assert_allclose(-turned, momentum, atol=1e-9)


def test_errors_of_the_energy_are_of_order_two():
    errors = [np.abs(trajectory(size)[-1]).mean() for size in (0.1, 0.05, 0.025)]
    ratios = np.divide(errors[:-1], errors[1:])
    np.testing.assert_allclose(ratios, 4, rtol=0.05)


def test_trajectories_keep_volumes():
    value, (v, momentum), _, _ = trajectory(0.1)
    start, sizes, n = np.hstack([v, momentum])[:1], np.full((1, 1), 0.3), 5
    jacobian = []
    for place in range(4):
        ends = []
        for sign in (1, -1):
            moved = np.repeat(start, 50, axis=0)
            moved[:, place] += sign * 1e-5
            found = leapfrog(value, moved[:, :2], moved[:, 2:], sizes, n)
            ends.append(np.hstack(found[:2])[0])
        jacobian.append((ends[0] - ends[1]) / 2e-5)
    assert np.linalg.det(jacobian) == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("start", [1e-4, 0.3, 50.0])
def test_sizes_of_steps_adapt_to_the_acceptance(start):
    sampler = HMC(Normal(), step_size=start, n_leapfrog=10)
    rng = stream(2).rows(300)
    state = State((np.ones((300, 3)),))
    sampler, state = sampler.adapted(rng, PRECISIONS, state, 150)
    size = sampler.step_size
    state, info = sampler.step(rng, PRECISIONS, state, 40, first=150)
    assert 0.85 < info.acceptance.mean() < 0.95
    assert sampler.step_size == size
    assert info.means is None
    assert_means(state.x[0] ** 2, 1 / PRECISIONS)


def test_scales_are_those_of_units():
    # With the deviations as scales, all units are alike.
    start, rng = State((np.ones((20, 3)) / np.sqrt(PRECISIONS),)), stream(0).rows(20)
    deviations = PRECISIONS**-0.5
    sampler = HMC(Normal(), step_size=0.3, scale=deviations)
    found, _ = sampler.step(rng, PRECISIONS, start, 3)
    ones = np.ones(3)
    plain, _ = HMC(Normal(), step_size=0.3).step(
        rng, ones, State((np.ones((20, 3)),)), 3
    )
    np.testing.assert_allclose(found.x[0], plain.x[0] * deviations)


class Correlated(Normal):
    """Potential of normal units with the precision matrix ``params``."""

    def value(self, params, x):
        slope = x[0] @ params
        return 0.5 * (x[0] * slope).sum(axis=1), slope


def test_a_matrix_as_scale_makes_units_independent():
    root = np.random.default_rng(0).normal(size=(3, 3)) * [1, 3, 0.1]
    precision, rng = np.linalg.inv(root @ root.T), stream(0).rows(20)
    sampler = HMC(Correlated(), step_size=0.3, scale=root)
    found, _ = sampler.step(rng, precision, State((np.ones((20, 3)) @ root.T,)), 3)
    plain, _ = HMC(Normal(), step_size=0.3).step(
        rng, np.ones(3), State((np.ones((20, 3)),)), 3
    )
    np.testing.assert_allclose(found.x[0], plain.x[0] @ root.T)
    with pytest.raises(ValueError, match="cannot be clamped if the scale is a matrix"):
        HMC(Correlated(), scale=root, clamp=(np.ones((20, 3), dtype=bool),))


def test_float32_stays():
    half = layered([[Gaussian(2)], [Bernoulli(3)]])
    own = half.init(np.random.default_rng(0), dtype=np.float32)
    rng = stream(0).rows(9)
    sampler = HMC(Marginal(half))
    state, _ = sampler.step(rng, own, sampler.init(rng, own.units), 2)
    assert state.x[0].dtype == np.float32


class Undefined(Normal):
    """A potential without a slope."""

    def value(self, params, x):
        return super().value(params, x)[0], np.full_like(x[0], np.nan)


class Falling(Normal):
    """A potential without a bottom."""

    def value(self, params, x):
        return -(x[0] ** 4).sum(axis=1), -4 * x[0] ** 3


def test_divergence_is_an_error_that_names_the_remedy():
    rng, start = stream(0).rows(7), State((np.ones((7, 3)),))
    with pytest.raises(
        DivergenceError, match="in all 7 chains.*Lower the size of steps"
    ):
        HMC(Normal(), step_size=1e3).step(rng, PRECISIONS, start)
    with pytest.raises(DivergenceError, match="weights are too large"):
        HMC(Undefined()).adapted(rng, PRECISIONS, start, 20)
    with pytest.raises(DivergenceError, match="can be normalized"):
        HMC(Falling()).step(rng, None, start, 50)
    wrong = np.ones((7, 3))
    wrong[2, 1] = np.nan
    with pytest.raises(DivergenceError, match="1 chains are at states without a fin"):
        HMC(Normal()).step(rng, PRECISIONS, State((wrong,)))


def test_one_chain_that_diverges_stays_where_it_was():
    far = np.ones((7, 3))
    far[3] = 1e6
    # Off by so much, rounding is more than the energy of the others.
    start = State((far,))
    precision = np.where(np.arange(7)[:, None] == 3, 1e8, PRECISIONS)
    state, info = HMC(Normal(), jitter=0).step(stream(0).rows(7), precision, start)
    assert info.acceptance[3] == 0
    np.testing.assert_array_equal(state.x[0][3], far[3])
    assert info.acceptance.sum() == 6


def test_only_real_blocks_have_slopes():
    bits, _ = random_machine(ALL["rbm"], seed=0)
    with pytest.raises(ValueError, match="Block 0 must have real units"):
        Marginal(bits)
    hidden = layered([[Softmax(3)], [Gaussian(2)]])
    with pytest.raises(ValueError, match="not be of the last color"):
        Marginal(hidden, block=1)
    energy, _, _ = made("gaussian")
    with pytest.raises(ValueError, match="clamp none"):
        HMC(Marginal(energy), clamp=(None, True))
