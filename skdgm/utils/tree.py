"""Parameters are nested tuples of arrays; these functions walk them."""

import numpy as np

from skdgm.utils import memory


def tree_map(function, tree, *others):
    """Apply a function to the corresponding leaves of trees of one shape."""
    if not isinstance(tree, tuple):
        return function(tree, *others)
    children = [
        tree_map(function, *branches) for branches in zip(tree, *others, strict=True)
    ]
    return type(tree)(*children) if hasattr(tree, "_fields") else tuple(children)


def astype(tree, dtype=None):
    """A tree of arrays of another type, if one is given."""
    return tree_map(lambda leaf: leaf.astype(dtype or leaf.dtype, copy=False), tree)


def leaves(tree):
    """The arrays of a tree, in order."""
    if not isinstance(tree, tuple):
        return [tree]
    return [leaf for branch in tree for leaf in leaves(branch)]


def copy(tree):
    """A tree with its own arrays."""
    return tree_map(
        lambda leaf: memory.copy(leaf) if isinstance(leaf, np.ndarray) else leaf.copy(),
        tree,
    )
