import numpy as np
import pytest

from skdgm.partition import ais, bracket
from skdgm.samplers import gibbs
from skdgm.utils.random import stream
from tests.reference import (
    MACHINES,
    MIXED,
    Enumeration,
    random_machine,
    some_moments,
)

SHAPES = [[[8], [5]], [[5], [8]], [[6], [6]], [[4], [4], [4]], [[3, 3], [4], [2]]]


@pytest.mark.parametrize("seed", range(20))
def test_both_sides_within_three_standard_errors(seed):
    layers = SHAPES[seed % len(SHAPES)]
    energy, params = random_machine(layers, seed, scale=0.5 + seed / 10)
    truth = Enumeration(layers, params)
    means = tuple(truth.mean(i) for i in range(len(energy.units)))
    base = energy.base(params, means)
    up = ais.forward(stream(seed), energy, params, base, n_chains=400, n_betas=400)
    start = gibbs.State(truth.draw(400, seed))
    down = ais.reverse(stream(seed), energy, params, base, start, n_betas=400)
    for estimate in (up, down):
        assert abs(estimate.log_Z - truth.log_Z) < 3 * estimate.se
        assert 1 <= estimate.ess <= 400
    log_Z, se = bracket.settle(up, down)
    assert abs(log_Z - truth.log_Z) < 3 * se


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", MIXED)
def test_real_units_and_labels(name, seed):
    energy, params = random_machine(MIXED[name], seed)
    truth = Enumeration(MIXED[name], params)
    base = energy.base(params, some_moments(energy))
    up = ais.forward(stream(seed), energy, params, base, n_chains=400, n_betas=100)
    start = gibbs.State(truth.draw(400, seed))
    down = ais.reverse(stream(seed), energy, params, base, start, n_betas=100)
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
        up = ais.forward(stream(seed), energy, params, base, n_chains=2, n_betas=4)
        start = gibbs.State(truth.draw(2, seed))
        down = ais.reverse(stream(seed), energy, params, base, start, n_betas=4)
        ups.append(up.log_Z - truth.log_Z)
        downs.append(down.log_Z - truth.log_Z)
    for errors, sign in ((ups, -1), (downs, 1)):
        assert sign * np.mean(errors) > 3 * np.std(errors) / np.sqrt(60)


def test_the_weights_average_to_the_ratio():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=3)
    truth = Enumeration(layers, params)
    base = energy.base(params, (None, None))
    up = ais.forward(stream(0), energy, params, base, n_chains=20000, n_betas=5)
    ratio = np.exp(up.log_w + base[1] - truth.log_Z)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(20000)


def test_temperatures():
    betas = ais.betas(50)
    assert betas[0] == 0.0
    assert betas[-1] == 1.0
    assert (np.diff(betas) > 0).all()
    assert (np.diff(betas, 2) < 0).all()


def test_single_precision_is_enough():
    energy, params = random_machine([[8], [6]], seed=1)
    base = energy.base(params, (None, None))
    single = type(params)(
        tuple(b.astype(np.float32) for b in params.units),
        tuple(W.astype(np.float32) for W in params.couplings),
    )
    a = ais.forward(stream(0), energy, params, base, 200, 200)
    b = ais.forward(
        stream(0), energy, single, energy.base(single, (None, None)), 200, 200
    )
    assert abs(a.log_Z - b.log_Z) < 3 * np.hypot(a.se, b.se)
