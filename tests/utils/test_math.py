import numpy as np
import pytest
from scipy.special import expit

from skdgm.utils.math import logit, sigmoid, softplus

FAR = np.array([-1e4, -800, -90, -30, -1, 0, 1e-8, 1, 30, 90, 800, 1e4])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agree_with_scipy_without_warning(dtype):
    x = FAR.astype(dtype)
    eps = np.finfo(dtype).eps
    tiny = np.finfo(dtype).tiny
    np.testing.assert_allclose(sigmoid(x), expit(x), rtol=8 * eps, atol=tiny)
    np.testing.assert_allclose(softplus(x), np.logaddexp(0, x), rtol=8 * eps, atol=eps)
    assert sigmoid(x).dtype == softplus(x).dtype == dtype


def test_logit_inverts_sigmoid():
    p = np.array([1e-12, 0.2, 0.5, 0.999])
    np.testing.assert_allclose(sigmoid(logit(p)), p)
