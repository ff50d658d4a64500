"""Initial parameters of energies of real columns, and products with pooling."""

import numpy as np
import pytest

from skdgm.energies.covariance import Covariance, times
from skdgm.energies.spike_slab import SpikeSlab

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n_factors, n_covariance", [(3, 3), (4, 2), (6, 3), (5, 2)])
def test_factors_begin_in_groups_of_units(n_factors, n_covariance):
    P = Covariance(3).initial(RNG, 2, n_factors, n_covariance).P
    groups = P.argmax(axis=1)
    np.testing.assert_array_equal(groups, np.sort(groups))
    assert set(groups) == set(range(n_covariance))
    assert np.ptp(np.bincount(groups)) <= 1
    rest = P - np.eye(n_covariance)[groups]
    assert ((rest >= 0) & (rest < 0.01)).all()
    assert (n_factors == n_covariance) == (not rest.any())


@pytest.mark.parametrize("n, k, expected", [(8, 32, 0.0), (8, 8, -1.0), (2, 512, 3.0)])
def test_many_spikes_begin_on(n, k, expected):
    found = SpikeSlab(n).initial(RNG, k)
    biases = [leaf for leaf in found if np.shape(leaf) == (k,)]
    assert any((leaf == expected).all() for leaf in biases)


@pytest.mark.parametrize(
    "P",
    [
        np.eye(3),
        np.diag([1.0, 2, 1]),
        np.diag([2.0, 3, 0.5]),
        RNG.random((3, 2)),
        np.eye(3)[[1, 0, 2]],
    ],
)
def test_products_with_pooling(P):
    x = RNG.normal(size=(4, 3))
    np.testing.assert_allclose(times(x, P), x @ P)
