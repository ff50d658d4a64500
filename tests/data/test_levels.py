"""Gray levels between 0 and 1."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skdgm import GAN, GMMN
from skdgm.data.levels import levels_per_unit, on_levels, sampled
from skdgm.training import canonical
from skdgm.utils.rows import Rows

RNG = np.random.default_rng(0)
DIGITS = load_digits().data[:200]


def found(X):
    table = canonical(Rows(np.asarray(X), np.asarray(X).dtype))
    return levels_per_unit(table, sampled(table)[0])


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("n_levels", [2, 16, 100, 255])
def test_numbers_of_levels(n_levels, dtype):
    levels = RNG.integers(0, n_levels + 1, (400, 9)) / n_levels
    levels[0, :3] = 0, 1 / n_levels, np.nan
    assert found(levels.astype(dtype)) == n_levels
    assert found((levels + 1e-4 * RNG.random((400, 9))).astype(dtype)) == 0
    assert found(RNG.random((400, 9)).astype(dtype)) == 0
    assert found(RNG.integers(0, 2, (40, 9)).astype(dtype)) == 0


def test_values_on_levels():
    x = np.array([0, 0.25, np.nan, 0.3])
    np.testing.assert_array_equal(on_levels(x, 4.0), [True, True, True, False])
    np.testing.assert_array_equal(on_levels(x, 1.0), [True, False, True, False])


@pytest.mark.parametrize("kind", [GAN, GMMN])
@pytest.mark.parametrize("top", [1, 15, 16])
def test_draws_of_gray_pixels_are_levels(kind, top):
    """Pixels that are multiples of a fraction, but not the same with noise."""
    X = (DIGITS if top != 15 else np.minimum(DIGITS, 15)) / top
    model = kind(n_iter=1, random_state=0).fit(X)
    drawn = model.sample(20, random_state=0) * top
    np.testing.assert_allclose(drawn, np.rint(drawn), atol=1e-5)
    assert len(np.unique(np.rint(drawn))) > 3
    if top == 1:
        return
    noise = X * (1 - 1e-3 * RNG.random(X.shape))
    drawn = kind(n_iter=1, random_state=0).fit(noise).sample(20, random_state=0) * top
    assert (np.abs(drawn - np.rint(drawn)) > 1e-3).any()


def test_later_rows_may_have_no_levels():
    gan = GAN(n_iter=1, random_state=0).partial_fit(DIGITS / 16)
    gan.partial_fit(DIGITS / 16)
    drawn = gan.sample(9, random_state=0) * 16
    np.testing.assert_array_equal(drawn, np.rint(drawn))
    gan.partial_fit(RNG.random(DIGITS.shape))
    drawn = gan.sample(9, random_state=0) * 16
    assert (drawn != np.rint(drawn)).any()
