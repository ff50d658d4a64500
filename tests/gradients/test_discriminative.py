import numpy as np
import pytest

from skdgm.couplings import Weights
from skdgm.distributions import Softmax
from skdgm.energies import contrast, plain, tiled
from skdgm.gradients import discriminative, pcd, weighted_sum
from skdgm.inference import mean_field
from skdgm.optim import sgd
from skdgm.samplers import Gibbs
from skdgm.utils.random import stream
from skdgm.utils.tree import copy, tree_map
from tests.numerical import arrays, assert_trees, numerical_gradient
from tests.reference import MIXED, Enumeration, random_machine

LAYERS = {
    "classifier": MIXED["classifier"],
    "real-classifier": MIXED["real-classifier"],
    "several-blocks": [[2, Softmax(3), 1], [2, 2]],
}
LABELED = np.array([True, True, False, True, False, True, True])
FORMS = {"arrays": lambda p: p, "tiles": tiled}


def made(name, form="arrays"):
    """A machine, the layers it has, and rows of data with the hidden units' means."""
    layers = LAYERS[name]
    energy, params = random_machine(layers, seed=5)
    drawn = Enumeration(layers, params).draw(len(LABELED), seed=1)
    even = energy.colors[0]
    x = tuple(
        (u.pack(part) if form == "tiles" else part) if i in even else None
        for i, (u, part) in enumerate(zip(energy.units, drawn))
    )
    params = FORMS[form](params)
    clamp = tuple(True if i in even else None for i in range(len(x)))
    x, _ = mean_field(energy, params, x, clamp)
    return energy, params, layers, x, clamp


def log_conditional(layers, params, x):
    """Log p(y | rest) over labeled rows, by the number of rows."""
    truth, total = Enumeration(layers, params), 0.0
    for row in np.flatnonzero(LABELED):
        given = {i: np.asarray(x[i])[row] for i in range(len(layers[0]))}
        without = {i: value for i, value in given.items() if i != 1}
        total += truth.log_prob(given) - truth.log_prob(without)
    return total / len(LABELED)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LAYERS)
def test_is_the_derivative_of_the_labels_log_probability(name, form):
    energy, params, layers, x, _ = made(name, form)
    grad = discriminative(energy, params, x, 1, LABELED)
    numeric = numerical_gradient(lambda p: log_conditional(layers, p, x), plain(params))
    assert_trees(grad, numeric, atol=1e-8)


@pytest.mark.parametrize("name", LAYERS)
def test_tiles_follow_it(name):
    energy, params, _, x, _ = made(name, "tiles")
    grad = discriminative(energy, params, x, 1, LABELED)
    moved = copy(params)
    sgd.step(moved, sgd.init(params), grad, rate=0.5)
    for part, before, slope in zip(moved.couplings, params.couplings, grad.couplings):
        assert isinstance(part, Weights)
        np.testing.assert_allclose(part.W, before.W + 0.5 * np.asarray(slope))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", LAYERS)
def test_joined_with_the_generative_gradient(name, form):
    energy, params, _, x, clamp = made(name, form)
    grad = discriminative(energy, params, x, 1, LABELED)
    chains = Gibbs(energy).init(stream(1).rows(5), params.units)
    phases, *_ = pcd(stream(2), Gibbs(energy), params, x, clamp, 1, chains)
    generative = contrast(energy, params, *phases)
    found = weighted_sum(grad, generative, 0.3)
    assert type(found) is type(grad)
    parts = zip(arrays(grad), arrays(generative))
    assert_trees(found, [a + 0.3 * b for a, b in parts], atol=1e-12)
    # What has the same rows below is not multiplied out.
    assert len(found.couplings[0].x) == len(LABELED)


def test_no_labels_no_gradient():
    energy, params, _, x, _ = made("real-classifier")
    grad = discriminative(energy, params, x, 1, np.zeros(len(LABELED), bool))
    assert_trees(grad, tree_map(np.zeros_like, params), atol=1e-12)


def test_types_are_kept():
    energy, params, _, x, _ = made("real-classifier")
    params, x = (
        tree_map(lambda part: np.asarray(part, np.float32), tree)
        for tree in (params, x)
    )
    grad = discriminative(energy, params, x, 1, LABELED)
    made_of = arrays(weighted_sum(grad, grad, np.float64(0.5)))
    assert {part.dtype for part in made_of} == {np.dtype(np.float32)}
