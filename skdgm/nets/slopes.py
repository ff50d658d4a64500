r"""The slopes of a function's arguments, from the slope of its value.

.. math:: \bar\theta = \left(\frac{\partial f}{\partial \theta}\right)^\top \bar f

by reverse accumulation [1]_, on the tape that HIPS autograd [2]_ keeps.

References
----------
.. [1] Linnainmaa (1976). Taylor expansion of the accumulated rounding error. BIT.
.. [2] Maclaurin, Duvenaud and Adams (2015). Autograd: effortless gradients in NumPy.
   ICML AutoML workshop.
"""

import numpy as np
from autograd.core import VJPNode
from autograd.extend import Box
from autograd.tracer import new_box, toposort

from skdgm.utils.tree import tree_map

# How deep in gradients of gradients: never in any. Autograd's own count is one for
# all threads.
_LEVEL = 0


def pull_back(function, params, slope_of):
    """A function's value, and the slopes of its parameters.

    The gradient of a mean of rows is that of their losses with a slope of 1 / n each;
    with minus this, what is learned from it goes downhill.

    Parameters
    ----------
    function : callable
        ``function(params)`` is an array, made by autograd's functions.
    params : tuple
        A tree of arrays. Unlike autograd's own tuples, of which each gradient would be
        added to zeros for all of them, it costs nothing.
    slope_of : callable
        ``slope_of(value)``, an array of the value's shape and type.

    Returns
    -------
    value : ndarray
    slopes : tuple
        A tree like the parameters.
    """
    boxes = tree_map(lambda leaf: new_box(leaf, _LEVEL, VJPNode.new_root()), params)
    end = function(boxes)
    if not isinstance(end, Box):
        return end, tree_map(np.zeros_like, params)
    roots, value = {}, end._value
    slopes = {end._node: slope_of(value)}
    for node in toposort(end._node):
        slope = slopes.pop(node)
        if not node.parents:
            roots[node] = slope
        for parent, part in zip(node.parents, node.vjp(slope)):
            slopes[parent] = slopes[parent] + part if parent in slopes else part

    def of(leaf, box):
        return roots[box._node] if box._node in roots else np.zeros_like(leaf)

    return value, tree_map(of, params, boxes)
