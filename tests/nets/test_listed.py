import numpy as np
import pytest

from skdgm.nets import Layer, dense, listed, vjp
from skdgm.nets.primitives import Listed
from tests.numerical import assert_trees


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("grey", [False, True])
def test_a_layer_of_lists_is_one_of_arrays(dtype, grey):
    rng = np.random.default_rng(0)
    x = (rng.random((20, 70)) < 0.15).astype(dtype)
    x *= rng.random(x.shape).astype(dtype) if grey else 1
    params = Layer(*(rng.normal(size=s).astype(dtype) for s in ((70, 33), (33,))))
    assert isinstance(listed(x), Listed)

    def pulled(form):
        return vjp(lambda p: dense(form, *p, "tanh"), params, np.ones_like)

    found, expected = pulled(listed(x)), pulled(x)
    assert_trees(found, expected, rtol=1e-4, atol=1e-4)
    assert {part.dtype for part in (found[0], *found[1])} == {np.dtype(dtype)}


def test_dense_batches_stay_arrays():
    x = np.ones((3, 4))
    assert listed(x) is x
