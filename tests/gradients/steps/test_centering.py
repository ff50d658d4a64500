import numpy as np
import pytest

from skdgm.couplings import Contrast
from skdgm.distributions import Gaussian
from skdgm.energies import Params
from skdgm.gradients.steps import centering
from skdgm.gradients.steps.natural import natural
from skdgm.utils.tree import tree_map
from tests.numerical import arrays, assert_trees, numerical_gradient, observed
from tests.reference import ALL, Enumeration, random_machine

NAMES = ["rbm", "dbm", "blocks", "gaussian", "classifier", "real-classifier", "mixture"]


def made(name):
    energy, params = random_machine(ALL[name], seed=4)
    truth = Enumeration(ALL[name], params)
    data = observed(truth, 5, blocks=len(ALL[name][0]), seed=1)
    offsets = tuple(np.random.default_rng(2).random(len(var)) for var in truth.var)
    return energy, params, truth, data, offsets


def update(energy, params, truth, data, offsets):
    """The centered update, of the exact gradient."""
    plain = truth.likelihood_gradient(*data)
    grad = Params(plain.units, tuple(map(Contrast.of, plain.couplings)))
    return natural(energy, params, centering.center(energy, params, grad, offsets))


def shifted(truth, params, T, sign):
    """Biases of the plain energy from those of the centered one (sign -1), or the
    other way round, where T are offsets of the statistics."""
    own = [unit.mean if isinstance(unit, tuple) else unit for unit in params.units]
    for (i, j), W in zip(truth.links, params.couplings):
        own[i] = own[i] + sign * W @ T[j]
        own[j] = own[j] + sign * W.T @ T[i]
    units = (
        unit._replace(mean=bias) if isinstance(unit, tuple) else bias
        for unit, bias in zip(params.units, own)
    )
    return Params(tuple(units), params.couplings)


@pytest.mark.parametrize("name", NAMES)
def test_is_the_gradient_of_the_centered_parameters(name):
    energy, params, truth, data, offsets = made(name)
    T = [
        np.exp(own.log_precision) * offset if isinstance(unit, Gaussian) else offset
        for unit, own, offset in zip(energy.units, params.units, offsets)
    ]
    centered = shifted(truth, params, T, 1)

    def likelihood(centered):
        plain = shifted(truth, centered, T, -1)
        return Enumeration(truth.layers, plain).log_likelihood(*data)

    slope = numerical_gradient(likelihood, centered)
    # Divided by precisions in the centered parameters already.
    slope = Params(slope.units, tuple(map(Contrast.of, slope.couplings)))
    slope = natural(energy, params, slope)
    slope = Params(slope.units, tuple(map(np.asarray, slope.couplings)))
    # A step along it, in the parameters of the plain energy, in which it is linear.
    ahead = tree_map(np.add, centered, slope)
    step = tree_map(np.subtract, shifted(truth, ahead, T, -1), params)
    found = update(energy, params, truth, data, offsets)
    assert_trees(found, step, atol=1e-7)


def flipped(tree):
    """Updates of a machine in which units' zeros and ones are called differently."""
    (b, c), (W,) = tree
    return Params((-b - W.sum(axis=1), -c - W.sum(axis=0)), (W,))


def test_does_not_depend_on_what_is_called_one():
    energy, params, truth, (v,), offsets = made("rbm")
    other = Enumeration(truth.layers, flipped(params))
    assert other.log_prob({0: 1 - v[0]}) == pytest.approx(truth.log_prob({0: v[0]}))
    found = update(energy, params, truth, [v], offsets)
    mirrored = tuple(1 - offset for offset in offsets)
    there = update(energy, flipped(params), other, [1 - v], mirrored)
    found = Params(found.units, tuple(map(np.asarray, found.couplings)))
    assert_trees(there, flipped(found), atol=1e-12)
    # Unlike the plain gradient.
    plain, there = truth.likelihood_gradient(v), other.likelihood_gradient(1 - v)
    gaps = [abs(a - b).max() for a, b in zip(arrays(there), arrays(flipped(plain)))]
    assert min(gaps) > 0.01


def test_offsets_follow_the_means():
    offsets = np.zeros(2, np.float32), np.ones(3, np.float32)
    rng = np.random.default_rng(0)
    data, model = (
        tuple(rng.random((n, k)).astype(np.float32) for k in (2, 3)) for n in (5, 7)
    )
    by_data = centering.running_means(offsets, data)
    by_both = centering.running_means(offsets, data, model)
    for old, a, b, x, y in zip(offsets, by_data, by_both, data, model):
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_allclose(a, 0.99 * old + 0.01 * x.mean(axis=0), rtol=1e-6)
        middle = (x.mean(axis=0) + y.mean(axis=0)) / 2
        np.testing.assert_allclose(b, 0.99 * old + 0.01 * middle, rtol=1e-6)


@pytest.mark.parametrize("name", ["rbm", "dbm"])
def test_fields_at_offsets_stay_where_weights_step(name):
    energy, params, truth, _, offsets = made(name)
    before = shifted(truth, params, offsets, 1)
    weights = tree_map(np.copy, params.couplings)
    for W in params.couplings:
        W += np.random.default_rng(3).normal(size=W.shape)
    centering.recenter(energy, params, weights, offsets)
    assert_trees(shifted(truth, params, offsets, 1).units, before.units)
