import numpy as np
import pytest

from skdgm._kernels.machines import bernoulli as kernels
from skdgm.distributions import Bernoulli, draw
from skdgm.utils.random import stream
from tests._kernels.oracles import TOLERANCE, sigmoid
from tests.suites import DTYPES


def fields(dtype, n_units=37):
    return np.random.default_rng(0).normal(0, 6, (9, n_units)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_mean(dtype):
    eta = fields(dtype)
    out = np.zeros_like(eta)
    kernels.mean(eta, out, 2, 7)
    np.testing.assert_allclose(
        out[2:7], sigmoid(eta[2:7]), rtol=4 * np.finfo(dtype).eps
    )
    assert not out[:2].any()
    assert not out[7:].any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_draws_are_those_of_the_addressed_stream_bit_for_bit(dtype):
    mean = sigmoid(fields(dtype))
    rng = stream(5).rows(np.array([3, 2**63, 8, 0, 1, 99, 12, 2**40, 7], np.uint64))
    expected = rng.uniform(mean.shape[1], dtype) < mean
    np.testing.assert_array_equal(np.asarray(draw(mean, rng)), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_certain_units(dtype):
    mean = np.tile(np.array([0, 1, 0, 1], dtype), (5, 1))
    np.testing.assert_array_equal(draw(mean, stream(0).rows(5)), mean)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropping_is_by_the_addressed_stream_bit_for_bit(dtype):
    x, out = fields(dtype), np.zeros((9, 37), dtype)
    rng, threshold = stream(5).rows(np.arange(9, dtype=np.uint64) ** 5), 2**30
    stays = rng.bits(37) >= np.uint32(threshold)
    how = np.uint64(rng.root), rng.ids, np.uint32(threshold), dtype(1.5)
    kernels.drop(x, *how, out, 2, 7)
    np.testing.assert_array_equal(out[2:7], (x * stays * dtype(1.5))[2:7])
    assert not out[:2].any()
    assert not out[7:].any()
    assert 0.6 < stays.mean() < 0.9


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_units", [1, 2, 37, 2500])
def test_log_partition(dtype, n_units):
    eta = fields(dtype, n_units)
    expected = np.logaddexp(0, eta.astype(np.float64)).sum(axis=1)
    found = Bernoulli(n_units).log_partition(eta)
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype])
    extreme = np.full((1, n_units), 1e4, dtype)
    found = Bernoulli(n_units).log_partition(extreme)
    np.testing.assert_allclose(found, n_units * 1e4, rtol=1e-7)


def test_unknowns_are_passed_on():
    eta = np.array([[0.0, np.nan]])
    assert np.isnan(Bernoulli(2).log_partition(eta)[0])
