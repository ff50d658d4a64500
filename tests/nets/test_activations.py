import numpy as np
import pytest

from skdgm.nets import dense, vjp
from skdgm.nets.primitives import ACTIVATIONS, activate, max_out
from tests.nets.recipes import assert_slopes, numbers
from tests.suites import DTYPES

FORMULAS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "softplus": lambda z: np.log(1 + np.exp(z)),
}


def layer(dtype=np.float64):
    shapes = (5, 4), (4, 3), (3,)
    return tuple(numbers(*s, dtype=dtype, seed=i) for i, s in enumerate(shapes))


def parts(function, *params):
    """A function's value, and the grads of its sum."""
    value, grads = vjp(lambda params: function(*params), params, np.ones_like)
    return value, *grads


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_are_those_of_the_formula(name):
    x, W, b = layer()
    z = x @ W + b
    expected, before = FORMULAS[name](z), z.copy()
    np.testing.assert_allclose(activate(z, name), expected, rtol=1e-12)
    np.testing.assert_allclose(dense(x, W, b, name), expected, rtol=1e-12)
    np.testing.assert_array_equal(z, before)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_of_activations(name):
    assert_slopes(lambda params: activate(params[0], name), (2 * numbers(5, 4),))
    assert_slopes(lambda params: dense(*params, name), layer())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_types_are_kept(dtype, name):
    found = parts(lambda *params: activate(dense(*params, name), name), *layer(dtype))
    assert {part.dtype for part in found} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_fields(dtype):
    z = np.array([[-1e4, 1e4]], dtype)
    for name, expected in [
        ("softplus", [[[0, 1e4]], [[0, 1]]]),
        ("leaky_relu", [[[-100, 1e4]], [[0.01, 1]]]),
    ]:
        found = parts(lambda z, name=name: activate(z, name), z)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_max_out_takes_the_largest_of_neighbors():
    z = numbers(5, 6)
    y = max_out(z, 3)
    np.testing.assert_array_equal(y[:, 0], z[:, :3].max(axis=1))
    np.testing.assert_array_equal(y[:, 1], z[:, 3:].max(axis=1))
    np.testing.assert_array_equal(max_out(z, 1), z)


@pytest.mark.parametrize("n_pieces", [1, 2, 3])
def test_slopes_of_max_out(n_pieces):
    assert_slopes(lambda params: max_out(params[0], n_pieces), (numbers(5, 6),))


@pytest.mark.parametrize("dtype", DTYPES)
def test_of_equal_pieces_one_learns(dtype):
    z = np.array([[1, 1, 0, 2, 2, 2], [0, 3, 3, 0, 0, 4]], dtype)
    y, grad = parts(lambda z: max_out(z, 3), z)
    np.testing.assert_array_equal(y, [[1, 2], [3, 4]])
    np.testing.assert_array_equal(grad, [[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 1]])
    assert y.dtype == grad.dtype == dtype
