import numpy as np
import pytest

from skdgm.belief._directed import Directed, ascent, descent
from skdgm.distributions import Gaussian
from skdgm.utils.random import stream
from tests.belief.enumeration import bits
from tests.numerical import assert_means, assert_trees, numerical_gradient
from tests.reference import random_machine

BELOW = {"binary": 3, "real": Gaussian(3)}


def random_layer(below, seed=0):
    energy, recognition = random_machine([[below], [2]], seed, scale=0.5)
    _, generative = random_machine([[below], [2]], seed + 1, scale=0.5)
    return Directed(energy, recognition, generative)


@pytest.fixture(params=BELOW)
def layer(request):
    return random_layer(BELOW[request.param])


def values(layer, n):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(n, 3))
    return x if layer.energy.has_real_units else (x > 0).astype(float)


def test_wake_follows_the_likelihood_of_what_is_below(layer):
    # Of real units the model's side is drawn.
    n, error = (40_000, 0.06) if layer.energy.has_real_units else (1, 1e-8)
    for x, h in zip(values(layer, 4), bits(2)):

        def log_p(params, x=x, h=h):
            return layer._replace(generative=params).log_conditional(x[None], h[None])

        exact = numerical_gradient(lambda p: log_p(p)[0], layer.generative)
        pair = np.tile(x, (n, 1)), np.tile(h, (n, 1))
        grad = layer.wake(*pair, True, stream(0).rows(n))
        assert_trees(grad, exact, atol=error)


def test_wake_in_expectation_follows_the_bound():
    layer = random_layer(3)
    x, states = values(layer, 1), bits(2)
    field = layer.up(x)
    q = np.exp((states * field - np.logaddexp(0, field)).sum(axis=1))
    assert q.sum() == pytest.approx(1)

    def expected(params):
        changed = layer._replace(generative=params)
        return q @ changed.log_conditional(np.tile(x, (4, 1)), states)

    exact = numerical_gradient(expected, layer.generative)
    found = [layer.wake(x, h[None], True, stream(0).rows(1)) for h in states]
    for number in range(2):
        own = sum(w * grad.units[number] for w, grad in zip(q, found))
        np.testing.assert_allclose(own, exact.units[number], atol=1e-8)
    W = sum(w * np.asarray(grad.couplings[0]) for w, grad in zip(q, found))
    np.testing.assert_allclose(W, exact.couplings[0], atol=1e-8)


def test_sleep_follows_the_likelihood_of_what_is_above(layer):
    x, h = values(layer, 1), np.array([[1.0, 0.0]])

    def log_q(params):
        eta = layer._replace(recognition=params).up(x)
        return (h * eta - np.logaddexp(0, eta)).sum()

    exact = numerical_gradient(log_q, layer.recognition)
    grad = layer.sleep(x, h)
    np.testing.assert_allclose(grad.couplings[0], exact.couplings[0], atol=1e-8)
    np.testing.assert_allclose(grad.units[1], exact.units[1], atol=1e-8)
    # Nothing else is learned, precisions neither.
    for part in np.atleast_2d(grad.units[0]):
        np.testing.assert_array_equal(part, 0)


def test_what_is_missing_has_no_part(layer):
    x, h = values(layer, 4), bits(2)
    held = np.array([True, False, True])
    held = np.tile(held, (4, 1))
    one, other = x.copy(), x.copy()
    other[~held] = 0.3
    for changed in (one, other):
        grads = [layer.wake(part, h, held, stream(0).rows(4)) for part in (x, changed)]
        assert_trees(*grads)
        log_p = [layer.log_conditional(part, h, held) for part in (x, changed)]
        np.testing.assert_array_equal(*log_p)
    np.testing.assert_allclose(np.asarray(grads[0].couplings[0])[1], 0, atol=1e-12)
    # Of all that is known it is the whole.
    whole = layer.log_conditional(x, h)
    np.testing.assert_allclose(layer.log_conditional(x, h, held | True), whole)


def test_draws_go_up_and_down():
    layers, n = [random_layer(3), random_layer(2, seed=7)], 20_000
    x = np.tile([1.0, 0.0, 1.0], (n, 1))
    states = ascent(layers, x, stream(0).rows(n))
    assert [state.shape for state in states] == [(n, 3), (n, 2), (n, 2)]
    assert_means(states[1], layers[0].units[1].mean(layers[0].up(x[:1]))[0])
    back, mean = descent(layers, states[2], stream(1).rows(n))
    assert [state.shape for state in back] == [(n, 3), (n, 2), (n, 2)]
    assert_means(np.asarray(back[0]) - mean, 0.0)
