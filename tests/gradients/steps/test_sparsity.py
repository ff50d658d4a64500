import numpy as np
import pytest

from skdgm.distributions import Gaussian
from skdgm.energies import Params, contrast
from skdgm.gradients.steps import sparsity
from skdgm.inference import mean_field
from skdgm.utils.tree import tree_map
from tests.numerical import assert_trees, clamped, numerical_gradient
from tests.reference import random_machine

P, COST = 0.1, 0.7


def field(layers, params, v, block):
    """What a block above a bottom layer of one block is told, written out."""
    own, W = params.units[0], params.couplings[block - 1]
    T = np.exp(own.log_precision) * v if isinstance(layers[0][0], Gaussian) else v
    return params.units[block] + T @ W


@pytest.mark.parametrize("layers", [[[4], [3]], [[Gaussian(2)], [3, 2]]])
def test_is_the_derivative_of_the_cross_entropy(layers):
    energy, params = random_machine(layers, seed=3)
    v = np.random.default_rng(0).random(energy.units[0].size)

    def cross_entropy(params):
        total = 0.0
        for block in energy.colors[1]:
            q = 1 / (1 + np.exp(-field(layers, params, v, block)))
            total -= (P * np.log(q) + (1 - P) * np.log(1 - q)).sum()
        return total

    x, clamp = clamped(energy, np.tile(v, (5, 1)))
    x, _ = mean_field(energy, params, x, clamp)
    # Running means that have come to rest.
    activity = tuple(x[block][0] for block in energy.colors[1])
    penalized, after = sparsity.penalize(energy, x, activity, P, COST)
    assert_trees(after, activity, atol=1e-12)
    numeric = numerical_gradient(lambda p: -COST * cross_entropy(p), params)
    assert_trees(contrast(energy, params, penalized, x), numeric, atol=1e-8)


def test_activity_is_a_running_mean():
    energy, _ = random_machine([[2], [3], [2], [1]], seed=0)
    rng = np.random.default_rng(0)
    x = tuple(rng.random((6, n)).astype(np.float32) for n in (2, 3, 2, 1))
    activity = tuple(np.full(n, 0.5, np.float32) for n in (3, 2, 1))
    penalized, after = sparsity.penalize(energy, x, activity, (P, 0.3, 0.7), COST)
    for block, old, new, p in zip((1, 2, 3), activity, after, (P, 0.3, 0.7)):
        expected = 0.9 * old + 0.1 * x[block].mean(axis=0)
        np.testing.assert_allclose(new, expected, rtol=1e-6)
        added = COST * (p - new) * np.ones((6, 1))
        np.testing.assert_allclose(penalized[block] - x[block], added, atol=1e-6)
        assert penalized[block].dtype == new.dtype == np.float32
    assert penalized[0] is x[0]


@pytest.mark.exhaustive
def test_brings_units_to_the_target():
    # Without data of another kind, units go where they are wanted.
    energy, params = random_machine([[4], [3]], seed=3)
    v = (np.random.default_rng(0).random((50, 4)) < 0.5).astype(float)
    activity = (np.full(3, 0.5),)
    for _ in range(2000):
        x, clamp = clamped(energy, v)
        x, _ = mean_field(energy, params, x, clamp)
        penalized, activity = sparsity.penalize(energy, x, activity, P, COST)
        grad = contrast(energy, params, penalized, x)
        grad = Params(grad.units, tuple(map(np.asarray, grad.couplings)))
        params = tree_map(lambda own, slope: own + 0.1 * slope, params, grad)
    np.testing.assert_allclose(x[1].mean(axis=0), P, atol=0.01)
