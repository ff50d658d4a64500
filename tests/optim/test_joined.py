import numpy as np
import pytest

from skdgm.nets import Layer
from skdgm.optim import FlatParameters, Mean, Penalized, adam, rmsprop, sgd
from skdgm.optim.flat_parameters import join
from skdgm.utils.tree import leaves, tree_map
from tests.numerical import assert_trees
from tests.suites import DTYPES

SOLVERS = {"sgd": sgd, "adam": adam, "rmsprop": rmsprop}
RULE = {"rate": 0.1, "momentum": 0.8, "l2": 0.3}


def tree(seed, dtype=np.float32):
    rng = np.random.default_rng(seed)
    layers = [Layer(rng.normal(size=(5, n)), rng.normal(size=n)) for n in (3, 70)]
    parts = (*layers, (), rng.normal(size=0), rng.normal(size=(2, 2, 2)))
    return tree_map(lambda leaf: leaf.astype(dtype), parts)


def penalized(leaf):
    """A gradient by a matrix, to which penalties apply; others as they are."""
    return Penalized(leaf) if leaf.ndim == 2 else leaf


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_steps_are_those_of_trees(solver, dtype):
    params = tree(0, dtype)
    optimizer, mean = solver.init(params), Mean.of(params)
    joined = FlatParameters(params, solver.init(params), Mean.of(params))
    for seed in range(1, 4):
        grads = tree(seed, dtype)
        solver.step(params, optimizer, tree_map(penalized, grads), **RULE)
        mean.update(params)
        joined.step(solver, grads, **RULE)
        joined.average()
    close = {"rtol": 1e-6 if dtype == np.float32 else 1e-13}
    assert_trees(joined.params, params, **close)
    assert_trees(joined.optimizer, optimizer, **close)
    assert_trees(joined.mean, mean, **close)
    assert type(joined.optimizer) is type(optimizer)


def test_without_an_average():
    joined = FlatParameters(tree(0), sgd.init(tree(0)))
    joined.step(sgd, tree(1), **RULE)
    joined.average()
    assert joined.mean == ()


def test_arrays_are_copied_to_places_of_their_own():
    params = tree(0)
    vectors, parts = join(params)
    assert_trees(parts, params, rtol=0)
    for own, leaf in zip(leaves(parts), leaves(params), strict=True):
        assert own.dtype == np.float32
        assert not np.shares_memory(own, leaf)
        assert not own.size or own.ctypes.data % 128 == 0
    matrices = sum(leaf.size for leaf in leaves(params) if leaf.ndim == 2)
    assert np.count_nonzero(vectors[0]) == matrices
    parts[0].W[...] = 7
    assert np.count_nonzero(vectors[0] == 7) == params[0].W.size
