"""Training states whose arrays are parts of a few vectors.

An update of a small net takes most of its time to go from array to array. Parameters,
optimiser state, averages and gradients are therefore joined to two vectors each, one
for matrices, to which penalties apply, and one for other arrays. Kernels compute each
number separately, so that results are the same.
"""

from typing import Any

import numpy as np

from skdgm.optim.refinements import Penalised
from skdgm.utils.tree import ALIGNMENT, leaves, tree_map, zeros


class Joined:
    """Parameters, optimiser state and perhaps average, trees of arrays of one dtype, as
    vectors; its attributes of these names are copies whose arrays are parts of them."""

    def __init__(self, params, optimiser, mean=()):
        self._mean: Any = None
        self.mean = ()
        self._params, self.params = join(params)
        self._grads, grads = join(params)
        self._parts = leaves(grads)
        self._optimiser, self.optimiser = _joined(optimiser)
        if mean:
            self._mean, self.mean = _joined(mean)

    def step(self, solver, grads, **rule):
        """Update parameters and optimiser state, in place, by gradients, a tree like
        the parameters; weights, which are matrices, are penalised."""
        for own, grad in zip(self._parts, leaves(grads), strict=True):
            own[...] = grad
        weights, others = self._grads
        solver.step(self._params, self._optimiser, (Penalised(weights), others), **rule)

    def average(self):
        """Include the parameters in the average, if there is one."""
        if self._mean is not None:
            self._mean.update(self._params)


def join(tree):
    """Copy a tree's arrays, of one dtype, into a vector of all matrices and a vector of
    all other arrays. Each array begins at a cache line, with zeros between. Returns
    both, and the tree of their parts."""
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
        own = vectors[leaf.ndim != 2][start : start + leaf.size].reshape(leaf.shape)
        own[...] = leaf
        return own

    return vectors, tree_map(part, tree)


def _joined(state):
    """Vectors of trees like the parameters, and the state made of their parts; numbers
    of updates are shared."""
    if not (hasattr(state, "t") or hasattr(state, "s")):
        return join(state)
    both = [(p, p) if isinstance(p, np.ndarray) else join(p) for p in state]
    return tuple(type(state)(*parts) for parts in zip(*both))
