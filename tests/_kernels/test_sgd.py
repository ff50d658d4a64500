import numpy as np
import pytest

from skdgm._kernels.nets.steps import GradientStep, sgd
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("l1, l2", [(0.0, 0.0), (0.3, 0.2)])
def test_sgd(dtype, l1, l2):
    theta, u, g = np.random.default_rng(0).normal(size=(3, 41)).astype(dtype)
    theta[5] = 0.0
    rate, momentum, l1, l2 = (dtype(x) for x in (0.1, 0.9, l1, l2))
    u_after = momentum * u + rate * (g - l1 * np.sign(theta) - l2 * theta)
    found = theta.copy(), u.copy()
    sgd(*found, g, GradientStep(rate, momentum, l1, l2), 3, 40)
    for numbers, old, new in zip(found, (theta, u), (theta + u_after, u_after)):
        np.testing.assert_allclose(
            numbers[3:40], new[3:40], rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
        )
        np.testing.assert_array_equal(numbers[[0, 2, 40]], old[[0, 2, 40]])
