"""Functions of trees: nested tuples of arrays, such as parameters."""

import numpy as np

from skdgm.utils import memory


def tree_map(function, tree, *others):
    """Apply a function to the corresponding leaves of trees of the same structure.

    Parameters
    ----------
    function : callable
        Function of as many leaves as there are trees.
    tree : tuple or leaf
    *others : tuple or leaf
        Trees of the same structure.

    Returns
    -------
    tree : tuple or leaf
        Tree of the same structure and the same types of tuples.

    Raises
    ------
    ValueError
        Tuples have different lengths.
    """
    if not isinstance(tree, tuple):
        return function(tree, *others)
    children = [
        tree_map(function, *branches) for branches in zip(tree, *others, strict=True)
    ]
    return type(tree)(*children) if hasattr(tree, "_fields") else tuple(children)


def astype(tree, dtype=None):
    """Convert all arrays of a tree to ``dtype``; without one they stay as they are."""
    return tree_map(lambda leaf: leaf.astype(dtype or leaf.dtype, copy=False), tree)


def leaves(tree):
    """List of the leaves of a tree, depth first."""
    if not isinstance(tree, tuple):
        return [tree]
    return [leaf for branch in tree for leaf in leaves(branch)]


def copy(tree):
    """Copy a tree and its arrays; copies of NumPy arrays are aligned in memory."""
    return tree_map(
        lambda leaf: memory.copy(leaf) if isinstance(leaf, np.ndarray) else leaf.copy(),
        tree,
    )
