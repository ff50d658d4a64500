"""Bits and categories side by side, with NumPy."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, logsumexp, softmax

from skdgm.distributions import Sites
from skdgm.utils.random import stream
from tests.numerical import assert_means

UNIT = Sites((3, 0, 2, 4))
ETA = np.random.default_rng(0).normal(size=(5, UNIT.size))
SITES = slice(0, 3), slice(3, 4), slice(4, 6), slice(6, 10)


def test_means_and_sums():
    found, log_Z = UNIT.mean(ETA), np.zeros(5)
    for site in SITES:
        own = ETA[:, site]
        if own.shape[1] == 1:
            np.testing.assert_allclose(found[:, site], expit(own), rtol=1e-9)
            log_Z += np.logaddexp(0, own[:, 0])
        else:
            np.testing.assert_allclose(found[:, site], softmax(own, axis=1), rtol=1e-9)
            log_Z += logsumexp(own, axis=1)
    np.testing.assert_allclose(UNIT.log_partition(ETA), log_Z, rtol=1e-9)


def test_draws():
    rows = np.repeat(ETA[:2], 1500, axis=0)
    drawn, mean = UNIT.sample(rows, stream(0).rows(3000))
    drawn = np.asarray(drawn).reshape(2, 1500, -1)
    np.testing.assert_allclose(np.asarray(mean)[::1500], UNIT.mean(ETA[:2]), rtol=1e-9)
    for own, eta in zip(drawn, ETA):
        for site in SITES:
            if site.stop - site.start > 1:
                assert (own[:, site].sum(axis=1) == 1).all()
                expected = np.exp(log_softmax(eta[site]))
            else:
                expected = expit(eta[site])
            assert_means(own[:, site], expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_numbers_of_either_sign(dtype):
    for size in -4000, 4000:
        eta = (ETA + size).astype(dtype)
        found = UNIT.mean(eta)
        assert np.isfinite(UNIT.log_partition(eta)).all()
        for site in SITES:
            own = eta[:, site].astype(float)
            one_bit = own.shape[1] == 1
            expected = expit(own) if one_bit else softmax(own, axis=1)
            np.testing.assert_allclose(found[:, site], expected, rtol=1e-6, atol=1e-30)
