import numpy as np
import pytest

from skdgm.distributions import Softmax
from skdgm.partition import ais, ladder
from skdgm.partition.estimate import combined
from skdgm.partition.ladder import quadratic
from skdgm.samplers import State
from skdgm.utils.random import stream
from tests.reference import (
    MACHINES,
    MIXED,
    Enumeration,
    random_machine,
    some_moments,
)

SHAPES = [[[8], [5]], [[5], [8]], [[6], [6]], [[4], [4], [4]], [[3, 3], [4], [2]]]


@pytest.mark.exhaustive(default=["4"])
@pytest.mark.parametrize("seed", range(0, 20, 4))
def test_both_sides_within_three_standard_errors(seed):
    layers = SHAPES[seed % len(SHAPES)]
    energy, params = random_machine(layers, seed, scale=0.5 + seed / 10)
    truth = Enumeration(layers, params)
    means = tuple(truth.mean(i) for i in range(len(energy.units)))
    base = energy.base(params, means)
    up = ais.forward(
        stream(seed), energy, params, base, n_chains=200, betas=quadratic(200)
    )
    start = State(truth.draw(200, seed))
    down = ais.reverse(stream(seed), energy, params, base, start, betas=quadratic(200))
    for estimate in (up, down):
        assert abs(estimate.log_Z - truth.log_Z) < 3 * estimate.se
        assert 1 <= estimate.ess <= 200
    log_Z, se = combined(up, down)
    assert abs(log_Z - truth.log_Z) < 3 * se


@pytest.mark.parametrize("name", MIXED)
def test_real_units_and_labels(name):
    energy, params = random_machine(MIXED[name], seed=0)
    truth = Enumeration(MIXED[name], params)
    base = energy.base(params, some_moments(energy))
    up = ais.forward(
        stream(0), energy, params, base, n_chains=400, betas=quadratic(100)
    )
    start = State(truth.draw(400, seed=0))
    down = ais.reverse(stream(0), energy, params, base, start, betas=quadratic(100))
    for estimate in (up, down):
        assert abs(estimate.log_Z - truth.log_Z) < 3 * estimate.se < 0.3
        assert estimate.ess > 50


def test_few_temperatures_err_on_their_own_sides():
    layers = [[8], [6]]
    energy, params = random_machine(layers, seed=0, scale=2.0)
    truth = Enumeration(layers, params)
    base = energy.base(params, (np.full(8, 0.5), np.full(6, 0.5)))
    ups, downs = [], []
    for seed in range(60):
        up = ais.forward(
            stream(seed), energy, params, base, n_chains=2, betas=quadratic(4)
        )
        start = State(truth.draw(2, seed))
        down = ais.reverse(
            stream(seed), energy, params, base, start, betas=quadratic(4)
        )
        ups.append(up.log_Z - truth.log_Z)
        downs.append(down.log_Z - truth.log_Z)
    for errors, sign in ((ups, -1), (downs, 1)):
        assert sign * np.mean(errors) > 3 * np.std(errors) / np.sqrt(60)


def test_the_weights_average_to_the_ratio():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=3)
    truth = Enumeration(layers, params)
    base = energy.base(params, (None, None))
    up = ais.forward(
        stream(0), energy, params, base, n_chains=20000, betas=quadratic(5)
    )
    ratio = np.exp(up.log_w - truth.log_Z)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(20000)


def adapted(energy, params, base, n_betas=100):
    return ladder.adaptive(stream(0), energy, params, base, 50, n_betas)


@pytest.mark.parametrize("name", ["linear", "quadratic", "sigmoid"])
def test_temperatures(name):
    betas = getattr(ladder, name)(50)
    assert (betas[0], betas[-1], len(betas)) == (0.0, 1.0, 50)
    steps = np.diff(betas)
    assert (steps > 0).all()
    closest = {"linear": steps, "quadratic": steps[-1:], "sigmoid": steps[[0, -1]]}
    np.testing.assert_allclose(closest[name], steps.min())


@pytest.mark.parametrize("layers", [[[8], [6]], [[4, Softmax(3)], [5]]], ids=str)
def test_adaptive_temperatures_share_the_variance(layers):
    energy, params = random_machine(layers, seed=0, scale=3.0)
    base = energy.base(params, (None,) * len(energy.units))
    betas = adapted(energy, params, base)
    assert (betas[0], betas[-1], len(betas)) == (0.0, 1.0, 100)
    assert (np.diff(betas) > 0).all()

    def unevenness(betas):
        trace = []
        ais.upwards(stream(1).rows(400), energy, params, base, betas, trace)
        spread = np.diff(trace, axis=0, prepend=0.0).std(axis=1)
        return spread.std() / spread.mean()

    assert unevenness(betas) < 0.5 * unevenness(ladder.linear(100))


def test_without_couplings_there_is_nothing_to_adapt_to():
    energy, params = random_machine([[3], [2]], seed=0)
    base = energy.base(params, (None, None))
    params = params._replace(couplings=(0 * params.couplings[0],))
    betas = adapted(energy, params, base)
    np.testing.assert_array_equal(betas, ladder.quadratic(100))


@pytest.mark.exhaustive(default=["10", "2"])
@pytest.mark.parametrize("n_betas", [2, 10, 300])
def test_conservative_probabilities_are_too_low_on_average(n_betas):
    layers = [[6], [5]]
    energy, params = random_machine(layers, seed=2, scale=2.0)
    truth = Enumeration(layers, params)
    base, x = energy.base(params, (None, None)), truth.draw(1, seed=0)
    n_chains = 4000
    start = State(tuple(np.repeat(part, n_chains, axis=0) for part in x))
    betas = ladder.quadratic(n_betas)
    found = ais.conservative(
        stream(1).rows(n_chains), energy, params, base, start, betas
    )
    exactly = truth.log_prob({0: x[0][0]})
    weight = np.exp(found - exactly)
    # The expectation is a probability under chains that have not quite arrived.
    error = np.log(weight).mean()
    assert error < 4 * np.log(weight).std() / np.sqrt(n_chains)
    if n_betas == 300:
        assert abs(weight.mean() - 1) < 0.05


def test_single_precision_is_enough():
    energy, params = random_machine([[8], [6]], seed=1)
    base = energy.base(params, (None, None))
    single = type(params)(
        tuple(b.astype(np.float32) for b in params.units),
        tuple(W.astype(np.float32) for W in params.couplings),
    )
    a = ais.forward(stream(0), energy, params, base, 200, quadratic(200))
    b = ais.forward(
        stream(0),
        energy,
        single,
        energy.base(single, (None, None)),
        200,
        quadratic(200),
    )
    assert abs(a.log_Z - b.log_Z) < 3 * np.hypot(a.se, b.se)
