import numpy as np
import pytest

from skdgm._kernels.nets.steps import RMSPropStep, rmsprop
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("l1, l2", [(0.0, 0.0), (0.3, 0.2)])
def test_rmsprop(dtype, l1, l2):
    rng = np.random.default_rng(0)
    theta, u, s, g = rng.normal(size=(4, 41)).astype(dtype)
    s, theta[5] = abs(s), 0.0
    rate, momentum, rho, delta = (dtype(x) for x in (0.1, 0.8, 0.9, 1e-3))
    grad = g - dtype(l1) * np.sign(theta) - dtype(l2) * theta
    s_after = rho * s + (1 - rho) * grad**2
    u_after = momentum * u + rate * grad / (np.sqrt(s_after) + delta)
    found = theta.copy(), u.copy(), s.copy()
    step = RMSPropStep(rate, momentum, rho, delta, dtype(l1), dtype(l2))
    rmsprop(*found, g, step, 3, 40)
    before, after = (theta, u, s), (theta + u_after, u_after, s_after)
    for numbers, old, new in zip(found, before, after):
        np.testing.assert_allclose(
            numbers[3:40], new[3:40], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
        )
        np.testing.assert_array_equal(numbers[[0, 2, 40]], old[[0, 2, 40]])
