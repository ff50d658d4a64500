import numpy as np

from skdgm.optim import sgd


def test_momentum_by_hand():
    params, grad = (np.zeros(2), (np.ones(1),)), (np.array([1.0, -2.0]), (np.ones(1),))
    velocity = sgd.init(params)
    sgd.step(params, velocity, grad, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(params[0], [0.1, -0.2])
    sgd.step(params, velocity, grad, rate=0.1, momentum=0.5)
    np.testing.assert_allclose(velocity[0], [0.15, -0.3])
    np.testing.assert_allclose(params[0], [0.25, -0.5])
    np.testing.assert_allclose(params[1][0], [1.25])


def test_types_are_kept():
    params = (np.zeros(3, dtype=np.float32),)
    sgd.step(params, sgd.init(params), (np.ones(3, dtype=np.float32),), rate=0.1)
    assert params[0].dtype == np.float32


class Follows:
    """A gradient that knows how to be followed."""

    def ascend(self, theta, u, **rule):
        theta += rule["rate"]
        self.rule = rule


def test_a_gradient_may_follow_itself():
    params = np.zeros(2), (np.zeros(3),)
    grad = np.ones(2), (Follows(),)
    rule = {"rate": 0.5, "momentum": 0.1, "l1": 0.2, "l2": 0.3}
    sgd.step(params, sgd.init(params), grad, **rule)
    np.testing.assert_allclose(params[0], 0.5)
    np.testing.assert_allclose(params[1][0], 0.5)
    assert grad[1][0].rule == rule
