import numpy as np
import pytest

from skdgm.nets import beside, dense, masked, pick, vjp
from tests.nets.recipes import assert_slopes, numbers

INDEX = np.array([3, 0, 4])


def test_slopes():
    x, other, mask = (
        numbers(4, 5),
        numbers(4, 2, seed=1),
        1.0 * (numbers(4, 5, seed=2) > 0),
    )
    assert_slopes(lambda params: masked(params[0], mask), (x,))
    assert_slopes(lambda params: pick(params[0], INDEX), (x,))
    assert_slopes(lambda params: beside(*params), (x, other))
    assert_slopes(lambda params: beside(x, params[0]), (other,))
    assert_slopes(lambda params: beside(params[0], other), (x,))


def test_slopes_of_what_is_used_twice():
    x = numbers(4, 5)

    def function(params):
        return beside(pick(params[0], INDEX), pick(params[0], INDEX[::-1]))

    assert_slopes(function, (x,))


def test_values():
    x, mask = numbers(4, 5), numbers(4, 5, seed=2) > 0
    found = masked(x, mask.astype(x.dtype))
    np.testing.assert_array_equal(found, np.where(mask, x, 0))
    np.testing.assert_array_equal(pick(x, INDEX), x[:, INDEX])
    np.testing.assert_array_equal(beside(x, -x), np.hstack([x, -x]))


def test_what_is_masked_does_not_learn():
    x, W, mask = numbers(6, 4), numbers(4, 5, seed=1), numbers(4, 5, seed=2) > 0

    def function(params):
        return dense(x, masked(params[0], mask * 1.0), np.zeros(5), "tanh")

    _, (grad,) = vjp(function, (W,), np.ones_like)
    assert not grad[~mask].any()
    assert grad[mask].all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_are_kept(dtype):
    x = numbers(4, 5, dtype=dtype)
    for function in (
        lambda params: masked(params[0], np.ones_like(x)),
        lambda params: pick(params[0], INDEX),
        lambda params: beside(params[0], params[0]),
    ):
        value, (grad,) = vjp(function, (x,), np.ones_like)
        assert value.dtype == grad.dtype == dtype
        assert grad.flags.c_contiguous
