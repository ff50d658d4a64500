import numpy as np
import pytest

from skdgm._kernels.nets.steps import AdamStep, adam
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("l1, l2", [(0.0, 0.0), (0.3, 0.2)])
def test_adam(dtype, l1, l2):
    rng = np.random.default_rng(0)
    theta, m, s, g = rng.normal(size=(4, 41)).astype(dtype)
    s, theta[5] = abs(s), 0.0
    rate, beta_1, beta_2, delta = (dtype(x) for x in (0.1, 0.9, 0.99, 1e-3))
    grad = g - dtype(l1) * np.sign(theta) - dtype(l2) * theta
    m_after = beta_1 * m + (1 - beta_1) * grad
    s_after = beta_2 * s + (1 - beta_2) * grad**2
    theta_after = theta + rate * m_after / (np.sqrt(s_after) + delta)
    found = theta.copy(), m.copy(), s.copy()
    step = AdamStep(rate, beta_1, beta_2, delta, dtype(l1), dtype(l2))
    adam(*found, g, step, 3, 40)
    before, after = (theta, m, s), (theta_after, m_after, s_after)
    for numbers, old, new in zip(found, before, after):
        np.testing.assert_allclose(numbers[3:40], new[3:40], rtol=TOLERANCE[dtype])
        np.testing.assert_array_equal(numbers[[0, 2, 40]], old[[0, 2, 40]])
