"""Corruptions have the probabilities that they are documented to have."""

from types import SimpleNamespace

import numpy as np
import pytest

from skdgm.autoencoder._corruption import BatchStreams, Corruption
from skdgm.utils.random import stream
from tests.numerical import assert_means

N, AMOUNT = 6000, 0.3
# A real column, bits, and a column of three categories, of which some are missing.
ROW = np.array([0.7, 1.0, 2.0], np.float32)
COLUMNS = SimpleNamespace(sizes=np.array([1, 1, 3]), coded=np.array([0, 0, 1], bool))


def _corrupted(kind, amount=AMOUNT, of_one=False, mixed=True):
    output = SimpleNamespace(
        kind="mixed" if mixed else "categorical", inputs=lambda v, share: v
    )
    domain = SimpleNamespace(bits=lambda columns: [1])
    corruption = Corruption(
        kind, amount, output=output, share=None, domain=domain, columns=COLUMNS
    )
    v = np.tile(ROW, (N, 1))
    v[::3] = np.nan
    rng = BatchStreams(stream(0), N) if of_one else stream(0).rows(N)
    found = corruption(v, rng)
    assert found.dtype == np.float32
    return v, found


@pytest.mark.parametrize("of_one", [False, True], ids=["streams of rows", "a batch"])
@pytest.mark.parametrize("mixed", [True, False])
def test_salt_and_pepper(of_one, mixed):
    v, found = _corrupted("salt-and-pepper", of_one=of_one, mixed=mixed)
    np.testing.assert_array_equal(np.isnan(v), np.isnan(found))
    found = found[~np.isnan(v[:, 0])]
    values = [[-2, 2], [0, 1], [0, 1, 2]] if mixed else [[0], [0], [0, 1, 2]]
    for own, usual, column in zip(values, ROW, found.T):
        for value in own:
            share = AMOUNT / len(own) + (1 - AMOUNT) * (value == usual)
            assert_means(column == value, share, 5)
        assert np.isin(column, [*own, usual]).all()


@pytest.mark.parametrize("of_one", [False, True], ids=["streams of rows", "a batch"])
def test_masks_and_noise(of_one):
    v, found = _corrupted("masking", of_one=of_one)
    known = ~np.isnan(v[:, 0])
    assert np.isnan(found[~known]).all()
    assert_means(np.isnan(found[known]), AMOUNT, 5)
    left = ~np.isnan(found)
    np.testing.assert_array_equal(found[left], v[left])
    # Entries are hit by themselves.
    both = np.isnan(found[known, 0]) & np.isnan(found[known, 1])
    assert_means(both, AMOUNT**2, 5)
    v, found = _corrupted("gaussian", of_one=of_one)
    noise = (found - v)[known] / AMOUNT
    assert_means(np.concatenate([noise, noise**2], axis=1), np.repeat([0, 1], 3), 5)


@pytest.mark.parametrize("kind", ["masking", "salt-and-pepper", "gaussian"])
def test_nothing_is_corrupted_by_none(kind):
    np.testing.assert_array_equal(*_corrupted(kind, 0.0))
