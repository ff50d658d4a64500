import autograd.numpy as anp
import numpy as np
from joblib import Parallel, delayed

from skdgm.nets import Layer, vjp
from tests.numerical import assert_trees, numerical_gradient

RNG = np.random.default_rng(0)
PARAMS = (RNG.normal(size=3), Layer(RNG.normal(size=(3, 2)), RNG.normal(size=2)))


def wound(params):
    """Uses parameters more than once, and on ways of different length."""
    a, (W, b) = params
    c = anp.tanh(anp.dot(a, W) + b)
    return c * b + anp.sum(a**2) * anp.exp(-c)


def test_slopes_are_central_differences():
    grad = np.array([2.0, -0.5])
    value, grads = vjp(wound, PARAMS, lambda value: grad)
    np.testing.assert_array_equal(value, wound(PARAMS))
    expected = numerical_gradient(lambda p: grad @ wound(p), PARAMS)
    assert_trees(grads, expected, rtol=1e-7)
    assert isinstance(grads[1], Layer)


def test_what_is_not_used_has_no_slope():
    used, (W, b) = PARAMS
    _, grads = vjp(lambda params: 2 * params[0], PARAMS, np.ones_like)
    assert_trees(grads, (np.full_like(used, 2), (0 * W, 0 * b)))
    value, grads = vjp(lambda params: used, PARAMS, np.ones_like)
    assert value is used
    assert_trees(grads, (0 * used, (0 * W, 0 * b)))


def test_a_parameter_that_is_the_value():
    _, (grad, _) = vjp(lambda params: params[0], PARAMS, np.ones_like)
    np.testing.assert_array_equal(grad, np.ones(3))


def test_threads_do_not_meet():
    expected = vjp(wound, PARAMS, np.ones_like)[1]
    jobs = [delayed(vjp)(wound, PARAMS, np.ones_like) for _ in range(50)]
    for _, grads in Parallel(n_jobs=4, backend="threading")(jobs):
        assert_trees(grads, expected, rtol=0)
