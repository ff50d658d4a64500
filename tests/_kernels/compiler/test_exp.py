import numpy as np
import pytest

from skdgm._kernels.compiler.exp import exp
from skdgm._kernels.compiler.jit import kernel
from tests.suites import DTYPES


@kernel
def exponentials(x, out):
    for i in range(len(x)):
        out[i] = exp(x[i])


@pytest.mark.parametrize("dtype", DTYPES)
def test_to_two_units_of_the_last_place(dtype):
    x = np.linspace(-80, 80, 4001).astype(dtype)
    out = np.empty_like(x)
    exponentials(x, out)
    exact = np.exp(x.astype(np.longdouble))
    assert (abs(out / exact - 1) <= 2 * np.finfo(dtype).eps).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_beyond_the_range_it_stays_finite_and_positive(dtype):
    x = np.array([-1e30, -np.inf, np.inf, 1e30], dtype)
    out = np.empty_like(x)
    exponentials(x, out)
    assert np.isfinite(out).all()
    assert (out > 0).all()
    assert (out[:2] < 1e-37).all()
    assert (out[2:] > 1e37).all()
