"""Functions of trees (nested tuples of arrays, such as parameters), and aligned arrays.

Aligned arrays begin at a cache line boundary. Otherwise each 128-byte line that kernels
read would span an additional cache line and take half as long again to read.
"""

from collections.abc import Callable
from math import prod
from typing import Any, TypeVar

import numpy as np

Tree = TypeVar("Tree")

# Bytes of two cache lines, which are often fetched together.
ALIGNMENT = 128


def tree_map(function: Callable, tree: Tree, *others: Any) -> Tree:
    """Apply a function to corresponding leaves of trees with the same structure, which
    the result also has; ValueError if tuples have different lengths."""
    if not isinstance(tree, tuple):
        return function(tree, *others)
    if others:
        branches = zip(tree, *others, strict=True)
        children = [tree_map(function, *branch) for branch in branches]
    else:
        children = [tree_map(function, branch) for branch in tree]
    # Constructors of named tuples are several times as slow.
    return tuple.__new__(type(tree), children)


def astype(tree: Tree, dtype: Any = None) -> Tree:
    """Convert all arrays of a tree to ``dtype``, unless it is None."""
    if dtype is None:
        return tree
    return tree_map(lambda leaf: leaf.astype(dtype, copy=False), tree)


def leaves(tree: Any) -> list:
    """List of the leaves of a tree, depth first."""
    if not isinstance(tree, tuple):
        return [tree]
    return [leaf for branch in tree for leaf in leaves(branch)]


def copy(tree: Tree) -> Tree:
    """Copy a tree and its arrays; copies of NumPy arrays are aligned in memory."""
    return tree_map(
        lambda leaf: aligned(leaf) if isinstance(leaf, np.ndarray) else leaf.copy(),
        tree,
    )


def overwrite(old: Any, tree: Any) -> bool:
    """Copy the arrays of a tree into those of an older copy; return whether all shapes
    and types match. Some arrays may have changed if the result is False."""
    if type(old) is not type(tree):
        return False
    if isinstance(tree, tuple):
        return len(old) == len(tree) and all(map(overwrite, old, tree))
    if not isinstance(tree, np.ndarray):
        return hasattr(tree, "copy_to") and tree.copy_to(old)
    if old.shape != tree.shape or old.dtype != tree.dtype:
        return False
    old[...] = tree
    return True


def zeros(shape, dtype):
    """Allocate an aligned array of zeros."""
    return _aligned(np.zeros, shape, dtype)


def empty(shape, dtype):
    """Allocate an aligned array without initialization."""
    return _aligned(np.empty, shape, dtype)


def _aligned(allocate, shape, dtype):
    dtype, n = np.dtype(dtype), prod(shape)
    buffer = allocate(n * dtype.itemsize + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start : start + n * dtype.itemsize].view(dtype).reshape(shape)


def aligned(array):
    """Copy an array into aligned memory."""
    out = empty(array.shape, array.dtype)
    out[...] = array
    return out
