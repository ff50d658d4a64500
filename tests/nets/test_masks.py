"""Masks: who sees whom, and weights that do not learn."""

import numpy as np
import pytest

from skdgm.nets import by_degrees, masked, masked_dense, vjp
from tests.nets.recipes import assert_slopes, numbers
from tests.suites import DTYPES


def test_values_and_slopes():
    x, mask = numbers(4, 5), numbers(4, 5, seed=2) > 0
    np.testing.assert_array_equal(masked(x, mask * 1.0), np.where(mask, x, 0))
    assert_slopes(lambda params: masked(params[0], mask * 1.0), (x,))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_masked_does_not_learn(dtype):
    x, mask = numbers(6, 4, dtype=dtype), numbers(4, 5, seed=2) > 0
    net = masked_dense(mask, "tanh")
    n_outputs, params, statistics = net.init(np.random.default_rng(0), 4, dtype)
    assert n_outputs == 5

    def function(params):
        return net.apply(params, statistics, x)[0]

    value, grad = vjp(function, params, np.ones_like)
    assert value.dtype == grad.W.dtype == dtype
    assert grad.W.flags.c_contiguous
    assert not grad.W[~mask].any()
    assert grad.W[mask].all()


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("degrees", [[], [[0, 1, 2]], [[0, 0, 1, 2, 2], [1, 2]]])
def test_outputs_see_the_columns_before_them(degrees, direct):
    of_inputs, of_outputs = np.array([0, 0, 1, 2, 3]), np.array([0, 1, 2, 2, 3])
    degrees = [np.array(part) for part in degrees]
    *below, top = by_degrees(of_inputs, degrees, of_outputs, direct)
    paths = np.eye(len(of_inputs), dtype=int)
    for mask in below:
        paths = paths @ mask
    if degrees and direct:
        paths = np.concatenate([paths, np.eye(len(of_inputs), dtype=int)], axis=1)
    seen = (paths @ top) > 0
    before = of_inputs[:, None] < of_outputs
    assert not seen[~before].any()
    if direct or not degrees:
        assert seen[before].all()
