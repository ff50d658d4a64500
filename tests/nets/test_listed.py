import numpy as np
import pytest

from skdgm.nets import Layer, dense, lists_if_sparse, vjp
from skdgm.utils.lists import Lists
from tests.numerical import assert_trees
from tests.suites import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("gray", [False, True])
def test_a_layer_of_lists_is_one_of_arrays(dtype, gray):
    rng = np.random.default_rng(0)
    x = (rng.random((20, 70)) < 0.15).astype(dtype)
    x *= rng.random(x.shape).astype(dtype) if gray else 1
    params = Layer(*(rng.normal(size=s).astype(dtype) for s in ((70, 33), (33,))))
    assert isinstance(lists_if_sparse(x), Lists)

    def pulled(form):
        return vjp(lambda p: dense(form, *p, "tanh"), params, np.ones_like)

    found, expected = pulled(lists_if_sparse(x)), pulled(x)
    assert_trees(found, expected, rtol=1e-4, atol=1e-4)
    assert {part.dtype for part in (found[0], *found[1])} == {np.dtype(dtype)}


def test_dense_batches_stay_arrays():
    x = np.ones((3, 4))
    assert lists_if_sparse(x) is x


def test_columns_of_a_larger_array():
    x = np.eye(12)[:, 2:8]
    assert isinstance(lists_if_sparse(x), Lists)
    np.testing.assert_array_equal(np.asarray(lists_if_sparse(x)), x)


def test_what_is_traced_keeps_its_gradient():
    x, W, b = np.eye(8), np.ones((8, 3)), np.zeros(3)
    slope = vjp(lambda x: dense(lists_if_sparse(x), W, b, "identity"), x, np.ones_like)[
        1
    ]
    np.testing.assert_array_equal(slope, np.full_like(x, 3))
