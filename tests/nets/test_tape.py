"""Operators of traced arrays beside differences, and beside autograd."""

import autograd
import numpy as np
import pytest

from skdgm.nets import dense, vjp
from skdgm.nets.tape import Traced, traced_leaves
from tests.nets.recipes import assert_slopes, numbers

COLUMN, ROW, NUMBER = numbers(3, 1, seed=1), numbers(4, seed=2), numbers(1, seed=3)[0]
OPERATORS = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("other", [numbers(3, 4, seed=4), COLUMN, ROW, NUMBER, 2.5])
def test_slopes_of_operators_with_repeated_operands(name, other):
    x, operator = numbers(3, 4), OPERATORS[name]
    assert_slopes(lambda params: operator(params[0], other), (x,))
    assert_slopes(lambda params: operator(other, params[0]), (x,))
    if not isinstance(other, float):
        assert_slopes(lambda params: operator(*params), (x, other))
        assert_slopes(lambda params: operator(*params[::-1]), (x, other))


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_slopes_of_sums(axis, keepdims):
    x = numbers(2, 3, 4)
    assert_slopes(lambda params: params[0].sum(axis=axis, keepdims=keepdims), (x,))


def test_slopes_of_shapes_and_signs():
    x = numbers(2, 6)
    assert_slopes(lambda params: -params[0].reshape(3, 4), (x,))
    assert_slopes(lambda params: params[0].reshape((4, -1)) * numbers(4, 3), (x,))


def test_operators_record_the_nodes_of_this_tape():
    (x,) = traced_leaves((numbers(3, 4),))
    made = x + 1, 1 + x, np.float32(2) * x, numbers(4) - x, x.sum(), -x, x.reshape(12)
    assert all(type(box) is Traced for box in made)


def test_the_rest_is_autograds():
    x = numbers(3, 4)

    def function(x):
        return ((x / 2) ** 2 @ x.T)[0] * x[:, 1].max()

    _, (own,) = vjp(lambda params: function(params[0]), (x,), np.ones_like)
    expected = autograd.grad(lambda x: function(x).sum())(x)
    np.testing.assert_allclose(own, expected, rtol=1e-12)


def test_slopes_of_a_matrix_that_is_used_several_times():
    W, b = numbers(4, 4, seed=1), numbers(4, seed=2)

    def twice(params):
        x, (W, b) = params
        hidden = dense(x, W, b, "tanh")
        return dense(hidden, W, b, "logistic") + W[0] * W.sum()

    assert_slopes(twice, (numbers(3, 4), (W, b)))
    assert_slopes(lambda params: twice((numbers(3, 4), params)), (W, b))


def test_primitives_on_autograds_own_tape():
    x, W, b = numbers(3, 4), numbers(4, 4, seed=1), numbers(4, seed=2)

    def total(W):
        return (dense(dense(x, W, b, "tanh"), W, b, "identity") * 2 + W[0]).sum()

    _, (own,) = vjp(lambda params: total(params[0]), (W,), np.ones_like)
    np.testing.assert_allclose(autograd.grad(total)(W), own, rtol=1e-12)


@pytest.mark.parametrize("name", OPERATORS)
def test_gradients_keep_the_type(name):
    x, y = (numbers(3, 4, dtype=np.float32, seed=seed) for seed in range(2))
    _, grads = vjp(lambda params: OPERATORS[name](*params), (x, y), np.ones_like)
    assert {grad.dtype for grad in grads} == {np.dtype(np.float32)}
