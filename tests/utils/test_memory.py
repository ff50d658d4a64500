import numpy as np
import pytest

from skdgm.utils import memory
from skdgm.utils.tree import copy


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 32)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_begin_where_lines_do(shape, dtype):
    array = memory.zeros(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % memory.ALIGNMENT == 0
    assert not array.any()


def test_so_do_copies_of_trees():
    X = np.arange(12.0).reshape(3, 4)
    (found,) = copy((X.T,))
    np.testing.assert_array_equal(found, X.T)
    assert found.ctypes.data % memory.ALIGNMENT == 0
    assert not np.shares_memory(found, X)
