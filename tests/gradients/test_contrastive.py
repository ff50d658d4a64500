import numpy as np
import pytest

from skdgm.gradients import cd, pcd
from skdgm.samplers import gibbs
from skdgm.utils.random import stream
from skdgm.utils.tree import tree_map
from tests.reference import MACHINES, Enumeration, random_machine

N = 20000


def data(energy, n_distinct, missing, seed=0):
    rng = np.random.default_rng(seed)
    v = (rng.random((n_distinct, energy.units[0].size)) < 0.5).astype(float)
    v[rng.random(v.shape) < missing] = np.nan
    return v


def clamp_to(energy, v):
    held = ~np.isnan(v)
    rest = len(energy.units) - 1
    x = [np.where(held, v, 0.5)]
    x += [np.full((len(v), u.size), 0.5) for u in energy.units[1:]]
    return tuple(x), (True if held.all() else held, *(None,) * rest)


def assert_close(grad, exact, tolerance):
    for a, b in zip(arrays(grad), arrays(exact), strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance)


def arrays(grad):
    return [np.asarray(part) for part in grad.units + grad.couplings]


# A statistic lies in [0, 1], so its mean over N rows has a standard error of at most
# 0.5 / sqrt(N); two such means are subtracted.
FIVE_SE = 5 * np.sqrt(2) * 0.5 / np.sqrt(N)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("name", ["rbm", "wide-rbm"])
def test_many_steps_give_the_likelihood_gradient(name, missing):
    layers = MACHINES[name]
    energy, params = random_machine(layers, seed=4)
    v = data(energy, 8, missing)
    exact = Enumeration(layers, params).likelihood_gradient(v)
    x, clamp = clamp_to(energy, np.repeat(v, N // 8, axis=0))
    grad, _ = cd(stream(0), energy, params, x, clamp, n_steps=50)
    assert_close(grad, exact, FIVE_SE)
    chains = gibbs.init(stream(1).rows(N), energy, params.units)
    grad, _ = pcd(stream(2), energy, params, x, clamp, 50, chains)
    assert_close(grad, exact, FIVE_SE)


def test_persistent_chains_reach_the_model_a_step_at_a_time():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=4)
    x, clamp = clamp_to(energy, data(energy, 8, 0.0))
    exact = Enumeration(layers, params).likelihood_gradient(x[0])
    chains = gibbs.init(stream(1).rows(N), energy, params.units)
    for number in range(50):
        grad, chains = pcd(stream(2, number), energy, params, x, clamp, 1, chains)
    assert_close(grad, exact, FIVE_SE)


def test_cd_1_is_zero_in_expectation_at_the_data_distribution():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=4)
    v = Enumeration(layers, params).draw(N, seed=3)[0]
    x, clamp = clamp_to(energy, v)
    grad, _ = cd(stream(0), energy, params, x, clamp, n_steps=1)
    assert_close(grad, tree_map(np.zeros_like, params), FIVE_SE)


def test_positive_phase_is_exact_for_complete_rows():
    layers = MACHINES["rbm"]
    energy, params = random_machine(layers, seed=4)
    truth = Enumeration(layers, params)
    x, clamp = clamp_to(energy, data(energy, 8, 0.0))
    chains = gibbs.init(stream(1).rows(5), energy, params.units)
    grad, chains = pcd(stream(2), energy, params, x, clamp, 1, chains)
    # Only the negative term is left when the exact positive one is taken away.
    positive = tree_map(
        np.add, truth.likelihood_gradient(x[0]), truth.statistics(truth.p)
    )
    negative = tree_map(np.subtract, positive, grad)
    np.testing.assert_allclose(negative.units[0], chains.x[0].mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_deep_machines_by_persistent_chains(missing):
    # With weak couplings mean field is nearly exact, and so is the gradient.
    layers = MACHINES["dbm"]
    energy, params = random_machine(layers, seed=5, scale=0.1)
    v = data(energy, 8, missing)
    exact = Enumeration(layers, params).likelihood_gradient(v)
    x, clamp = clamp_to(energy, np.repeat(v, N // 8, axis=0))
    chains = gibbs.init(stream(1).rows(N), energy, params.units)
    grad, _ = pcd(stream(2), energy, params, x, clamp, 30, chains)
    assert_close(grad, exact, FIVE_SE)


def test_same_address_same_gradient():
    energy, params = random_machine(MACHINES["rbm"], seed=4)
    x, clamp = clamp_to(energy, data(energy, 8, 0.3))
    a, _ = cd(stream(7), energy, params, x, clamp, 3)
    b, _ = cd(stream(7), energy, params, x, clamp, 3)
    assert_close(a, b, 0.0)


def test_types_are_kept():
    energy, params = random_machine(MACHINES["rbm"], seed=4)
    params = tree_map(lambda a: a.astype(np.float32), params)
    x, clamp = clamp_to(energy, data(energy, 8, 0.3).astype(np.float32))
    x = tuple(part.astype(np.float32) for part in x)
    grad, chains = cd(stream(7), energy, params, x, clamp, 2)
    assert {leaf.dtype for leaf in arrays(grad)} == {np.dtype(np.float32)}
    assert {leaf.dtype for leaf in chains.x} == {np.dtype(np.float32)}
