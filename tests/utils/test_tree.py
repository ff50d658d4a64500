import platform
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from skdgm.utils import counts, tree
from skdgm.utils.lists import Lists
from skdgm.utils.tree import copy, leaves, overwrite, tree_map
from tests.suites import DTYPES


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


def test_copies_are_overwritten_where_all_fits():
    old, new = copy(TREE), TREE._replace(a=(np.full(2, 3.0), np.ones(3)))
    assert overwrite(old, new)
    assert old.a[0] is not new.a[0]
    np.testing.assert_array_equal(old.a[0], [3, 3])
    for other in TREE._replace(b=np.arange(7.0)), TREE._replace(b=()), tuple(TREE):
        assert not overwrite(copy(TREE), other)
    assert not overwrite((), TREE)


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 32)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_begin_where_lines_do(shape, dtype):
    array = tree.zeros(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % tree.ALIGNMENT == 0
    assert not array.any()


def test_so_do_copies_of_trees():
    X = np.arange(12.0).reshape(3, 4)
    (found,) = tree.copy((X.T,))
    np.testing.assert_array_equal(found, X.T)
    assert found.ctypes.data % tree.ALIGNMENT == 0
    assert not np.shares_memory(found, X)


FAULTS = """
import resource, numpy as np
from skdgm.training.loop import hold

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        parts = [np.ones(600_000, np.float32) for _ in range(4)]
        del parts
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
given_back = faults()
hold()
faults()
print(given_back, faults())
"""


@pytest.mark.exhaustive
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others have other rules")
def test_what_is_freed_is_kept():
    """Pages are not asked for again."""
    run = [sys.executable, "-c", FAULTS]
    found = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    given_back, kept = map(int, found.split())
    assert kept < max(20, 0.1 * given_back)


def test_machines_have_memory(monkeypatch):
    assert counts.physical() is None or counts.physical() > 2**28
    monkeypatch.delattr(counts.os, "sysconf", raising=False)
    assert counts.physical() is None


def test_lists_are_overwritten():
    X = np.array([[0, 1.5, 0], [2, 0, 3]])
    old = (Lists.pack(np.ones((2, 3))), np.zeros(2))
    assert overwrite(old, (Lists.pack(X), np.ones(2)))
    np.testing.assert_array_equal(np.asarray(old[0]), X)
    np.testing.assert_array_equal(old[1], [1, 1])
    for other in Lists.pack(X[:1]), Lists.pack(np.ones((2, 3)), binary=True):
        assert not overwrite(old, (other, old[1]))
