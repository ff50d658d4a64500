"""Training states whose arrays are views of a few vectors.

Updates of a small net spend most of their time on the loop over arrays. Parameters,
optimizer state, averages and gradients are therefore stored in two vectors each: one
for matrices, to which penalties apply, and one for other arrays. Results do not change.
"""

from typing import Any

import numpy as np

from skdgm.optim.refinements import Penalized
from skdgm.utils.tree import ALIGNMENT, leaves, tree_map, zeros


class FlatParameters:
    """Parameters, optimizer state and optional average, trees of arrays of one dtype,
    in vectors. Attributes of these names are trees of views of the vectors."""

    def __init__(self, params, optimizer, mean=()):
        self._mean: Any = None
        self.mean = ()
        self._params, self.params = join(params)
        self._grads, grads = join(params)
        self._parts = leaves(grads)
        self._optimizer, self.optimizer = _joined(optimizer)
        if mean:
            self._mean, self.mean = _joined(mean)

    def step(self, solver, grads, **rule):
        """Update parameters and optimizer state, in place, by gradients, a tree like
        the parameters. Penalties apply to matrices."""
        for view, grad in zip(self._parts, leaves(grads), strict=True):
            view[...] = grad
        weights, others = self._grads
        solver.step(self._params, self._optimizer, (Penalized(weights), others), **rule)

    def average(self):
        """Include the parameters in the average, if there is one."""
        if self._mean is not None:
            self._mean.update(self._params)


def join(tree):
    """Copy a tree's arrays, of one dtype, into a vector for matrices and a vector for
    other arrays. Returns both vectors and the tree of views. Arrays are aligned to
    cache lines, with zeros in between."""
    arrays = leaves(tree)
    dtype = np.result_type(*arrays)
    line, sizes, starts = ALIGNMENT // dtype.itemsize, [0, 0], []
    for array in arrays:
        group = array.ndim != 2
        starts.append(sizes[group])
        sizes[group] += -(-array.size // line) * line
    vectors, number = tuple(zeros((size,), dtype) for size in sizes), iter(starts)

    def part(leaf):
        start = next(number)
        view = vectors[leaf.ndim != 2][start : start + leaf.size].reshape(leaf.shape)
        view[...] = leaf
        return view

    return vectors, tree_map(part, tree)


def _joined(state):
    """Vectors of trees like the parameters, and the state made of views; counts of
    updates are shared."""
    if not (hasattr(state, "t") or hasattr(state, "s")):
        return join(state)
    pairs = [(p, p) if isinstance(p, np.ndarray) else join(p) for p in state]
    return tuple(map(type(state)._make, zip(*pairs)))
