"""Fourier features and minibatch features: values, gradients and tangents."""

import numpy as np
import pytest

from skdgm.nets.adversarial.minibatch import minibatch
from skdgm.nets.adversarial.tangents import gradient_penalty
from skdgm.nets.fourier_features import fourier, waves
from skdgm.nets.layers import dense, serial
from skdgm.nets.tape import vjp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3))
WHICH = np.array([0, 2])


def assert_gradient(function, x, n=20):
    weight = RNG.normal(size=function(x).shape)
    _, (found,) = vjp(lambda p: function(p[0]), (x,), lambda _: weight)
    for _ in range(n):
        way = RNG.normal(size=x.shape)
        up, down = (function(x + s * 1e-6 * way) for s in (1, -1))
        slope = ((up - down) * weight).sum() / 2e-6
        np.testing.assert_allclose((found * way).sum(), slope, rtol=1e-5, atol=1e-7)


def test_waves_are_sines_and_cosines():
    y = waves(X, WHICH, 2)
    np.testing.assert_array_equal(y[:, :3], X)
    own = X[:, WHICH]
    expected = [np.sin(own), np.sin(2 * own) / 2, np.cos(own), np.cos(2 * own) / 2]
    np.testing.assert_allclose(y[:, 3:], np.hstack(expected))
    assert fourier(WHICH, 2).init(None, 3, float)[0] == y.shape[1]
    assert_gradient(lambda x: waves(x, WHICH, 3), X)


def test_penalties_through_waves():
    net = serial(fourier(WHICH, 2), dense(5, "tanh"), dense(1))
    _, params, statistics = net.init(np.random.default_rng(1), 3, np.float64)

    def penalty(params):
        return gradient_penalty(net, params, statistics, X, 0.0)

    def slow(params):
        def value(x):
            return net.apply(params, statistics, x)[0][:, 0]

        moves = 1e-4 * np.eye(3)
        slopes = [(value(X + m) - value(X - m)) / 2e-4 for m in moves]
        return np.square(slopes).sum(axis=0)

    np.testing.assert_allclose(penalty(params), slow(params), rtol=1e-5)
    _, grads = vjp(penalty, params, np.ones_like)
    W, way = params[1].W, RNG.normal(size=params[1].W.shape)

    def moved(step):
        own = params[0], params[1]._replace(W=W + step * way), params[2]
        return slow(own).sum()

    slope = (moved(1e-4) - moved(-1e-4)) / 2e-4
    np.testing.assert_allclose((grads[1].W * way).sum(), slope, rtol=1e-4)


def test_minibatch_features_tell_likeness():
    def features(x, T):
        return minibatch(2).apply((T,), (), x, train=True)[0]

    T = RNG.normal(size=(3, 10))
    y = features(X, T)
    M = (X @ T).reshape(6, 2, 5)
    for i in range(6):
        others = [j for j in range(6) if j != i]
        gaps = np.abs(M[i] - M[others]).sum(axis=2)
        np.testing.assert_allclose(y[i, 3:], np.exp(-gaps).mean(axis=0))
    assert_gradient(lambda x: features(x, T), X)
    assert_gradient(lambda t: features(X, t), T)
    alike = features(np.repeat(X[:1], 4, axis=0), T)
    np.testing.assert_allclose(alike[:, 3:], 1)
    assert (features(X[:1], T)[:, 3:] == 0).all()


def test_minibatch_features_have_no_penalty():
    net = serial(minibatch(2), dense(1))
    _, params, statistics = net.init(np.random.default_rng(1), 3, np.float64)
    with pytest.raises(ValueError, match="rows depend on each other"):
        vjp(lambda p: gradient_penalty(net, p, statistics, X), params, np.ones_like)
