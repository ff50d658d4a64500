import numpy as np
import pytest

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.compiler.log import log
from tests.suites import DTYPES


@kernel
def logarithms(x, out):
    for i in range(len(x)):
        out[i] = log(x[i])


@pytest.mark.parametrize("dtype", DTYPES)
def test_to_a_unit_of_the_last_place(dtype):
    x = np.exp(np.linspace(-80, 80, 4001)).astype(dtype)
    x = np.concatenate([x, np.linspace(0.9, 1.1, 2001).astype(dtype)])
    out = np.empty_like(x)
    logarithms(x, out)
    exact = np.log(x.astype(np.longdouble))
    assert (abs(out - exact) <= np.spacing(abs(exact).astype(dtype))).all()
    assert (out[x == 1] == 0).all()
