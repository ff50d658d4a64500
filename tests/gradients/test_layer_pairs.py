import numpy as np
import pytest
from scipy.special import expit, softmax

from skdgm.distributions import Gaussian, Softmax, one_hot
from skdgm.energies import tiled
from skdgm.gradients import layer_pair
from skdgm.utils.lists import Lists
from skdgm.utils.random import stream
from tests.numerical import assert_means
from tests.reference import Enumeration, random_machine

N = 20_000


@pytest.mark.parametrize("tiles", [False, True])
@pytest.mark.parametrize("gains", [(1.0, 2.0), (2.0, 1.0), (2.0, 2.0)])
def test_phases_are_those_of_doubled_conditionals(gains, tiles):
    layers = [[4], [3]]
    energy, params = random_machine(layers, seed=0)
    (b, c), (W,) = params
    truth = Enumeration(layers, params)
    _, h = (np.unique(x, axis=0) for x in truth.x)
    down, up = gains
    v = np.array([1.0, 0.0, 1.0, 1.0])
    data = np.tile(v, (N, 1))
    x = (Lists.pack(data, binary=True) if tiles else data, None)
    given = energy, tiled(params) if tiles else params, x, (True, None)
    phases, *_ = layer_pair(stream(0).rows(1), *given, 1, gains)
    on = expit(c + up * v @ W)
    np.testing.assert_allclose(phases.data[1], np.tile(on, (N, 1)))
    p_h = np.prod(np.where(h == 1, on, 1 - on), axis=1)
    back = expit(b + down * h @ W.T)
    assert_means(phases.model[0], p_h @ back)
    after = expit(c + up * np.asarray(phases.model[0]) @ W)
    np.testing.assert_allclose(phases.model[1], after)


def test_a_label_hears_once_what_the_layer_beside_it_hears_twice():
    layers = [[3, Softmax(2)], [2]]
    energy, params = random_machine(layers, seed=0)
    (b, d, c), (W, U) = params
    h = np.unique(Enumeration(layers, params).x[2], axis=0)
    v, y = np.array([1.0, 0.0, 1.0]), np.array([0.0, 1.0])
    x = np.tile(v, (N, 1)), one_hot(np.ones(N, int), 2, np.float64), None
    given = energy, params, x, (True, True, None), 1, (2.0, 1.0, 1.0)
    phases, *_ = layer_pair(stream(0).rows(1), *given)
    on = expit(c + v @ W + y @ U)
    np.testing.assert_allclose(phases.data[2], np.tile(on, (N, 1)))
    p_h = np.prod(np.where(h == 1, on, 1 - on), axis=1)
    assert_means(phases.model[0], p_h @ expit(b + 2 * h @ W.T))
    assert_means(np.asarray(phases.model[1]), p_h @ softmax(d + h @ U.T, axis=1))


def test_real_units_hear_twice_as_much():
    energy, params = random_machine([[Gaussian(2)], [3]], seed=0)
    own, W = params.units[0], params.couplings[0]
    v = np.tile([0.3, -1.0], (N, 1))
    given = energy, params, (v, None), (True, None)
    phases, *_ = layer_pair(stream(0).rows(1), *given, 1, (1.0, 2.0))
    on = expit(params.units[1] + 2 * (np.exp(own.log_precision) * v[0]) @ W)
    np.testing.assert_allclose(phases.data[1], np.tile(on, (N, 1)))
    assert_means(phases.model[0], own.mean + on @ W.T)
