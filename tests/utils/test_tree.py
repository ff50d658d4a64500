from typing import NamedTuple

import numpy as np

from skdgm.utils.tree import copy, leaves, tree_map


class Pair(NamedTuple):
    a: object
    b: object


TREE = Pair((np.ones(2), np.zeros(3)), np.full(1, 5.0))


def test_map_keeps_the_shape():
    doubled = tree_map(np.add, TREE, TREE)
    assert isinstance(doubled, Pair)
    assert isinstance(doubled.a, tuple)
    np.testing.assert_array_equal(doubled.a[0], [2, 2])
    np.testing.assert_array_equal(doubled.b, [10])


def test_leaves_in_order():
    assert [leaf.size for leaf in leaves(TREE)] == [2, 3, 1]


def test_copy_owns_its_arrays():
    other = copy(TREE)
    other.a[0][:] = 7
    assert TREE.a[0][0] == 1
