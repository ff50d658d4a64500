"""Blocks of units, beside plain NumPy."""

import numpy as np
import pytest

from skdgm._kernels.machines.pooled import draw, log_partition, mean
from tests._kernels.oracles import TOLERANCE
from tests.suites import DTYPES

SHAPES = [(4, 6, 3, 2, 3), (2, 2, 1, 1, 1), (1, 4, 5, 1, 2)]


def blocks(x, shape):
    """Units of each block in the last axis."""
    height, width, maps, rows, columns = shape
    x = x.reshape(-1, height // rows, rows, width // columns, columns, maps)
    x = x.transpose(0, 1, 3, 5, 2, 4)
    return x.reshape(*x.shape[:4], rows * columns)


@pytest.mark.exhaustive(default=["float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_kernels_are_softmaxes_with_an_off_state(shape, dtype):
    rng, size = np.random.default_rng(0), np.prod(shape[:3])
    eta = rng.normal(0, 3, (5, size)).astype(dtype)
    total = 1 + np.exp(blocks(eta.astype(float), shape)).sum(axis=-1)
    p, log_Z, x = np.empty_like(eta), np.empty(5), np.empty_like(eta)
    mean(eta, shape, p, 0, 5)
    log_partition(eta, shape, log_Z, 0, 5)
    expected = np.exp(blocks(eta.astype(float), shape)) / total[..., None]
    np.testing.assert_allclose(blocks(p, shape), expected, TOLERANCE[dtype])
    exact = np.log(total).reshape(5, -1).sum(axis=1)
    np.testing.assert_allclose(log_Z, exact, TOLERANCE[dtype])
    n_blocks = total[0].size
    uniform = rng.random((5, n_blocks)).astype(dtype)
    draw(p, uniform.copy(), shape, x, 0, 5)
    upto = blocks(p, shape).cumsum(axis=-1)
    u = uniform.reshape(total.shape)[..., None]
    first = np.concatenate([np.zeros_like(u), upto[..., :-1]], axis=-1)
    np.testing.assert_array_equal(blocks(x, shape), (u >= first) & (u < upto))
