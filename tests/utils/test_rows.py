import numpy as np
import pytest
import scipy.sparse as sp

from skdgm.utils.rows import Rows, floating_type


@pytest.mark.parametrize("convert", [np.asarray, sp.csr_array])
def test_take_is_dense_typed_and_clipped(convert):
    X = np.array([[0.0, 2.0], [1.0, 0.5], [0.0, 0.0]])
    part = Rows(convert(X), np.float32, (0, 1)).take(np.array([1, 0]))
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, [[1, 0.5], [0, 1]])


def test_take_does_not_copy_what_is_right_already():
    X = np.zeros((10, 3))
    assert np.shares_memory(Rows(X, np.float64).take(slice(2, 5)), X)


def test_missing_values_survive_clipping():
    X = np.array([[np.nan, 3.0]])
    np.testing.assert_array_equal(
        Rows(X, np.float64, (0, 1)).take(slice(None)), [[np.nan, 1]]
    )


def test_blocks_cover_the_rows(monkeypatch):
    monkeypatch.setattr("skdgm.utils.rows.BLOCK_ENTRIES", 10)
    rows = Rows(np.zeros((23, 4)), np.float64)
    assert np.concatenate([np.arange(23)[b] for b in rows.blocks()]).size == 23
    assert [b.stop - b.start for b in rows.blocks(5)] == [2, 2, 1]


@pytest.mark.parametrize(
    "dtype, expected",
    [(np.float64, np.float64), (np.float32, np.float32), (bool, np.float32)]
    + [(t, np.float32) for t in (np.float16, np.uint8, np.int64)],
)
def test_floating_type(dtype, expected):
    assert floating_type(np.dtype(dtype)) == expected
