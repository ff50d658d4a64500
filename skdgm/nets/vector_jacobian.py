r"""Vector-Jacobian products by reverse-mode differentiation.

.. math:: \bar\theta = \left(\frac{\partial f}{\partial \theta}\right)^\top \bar f

by reverse accumulation [1]_, on the tape of HIPS autograd [2]_.

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

# Autograd's trace level. It is constant, as gradients are never nested; autograd's own
# counter is shared by all threads.
_LEVEL = 0


def vjp(function, params, vector_of):
    r"""Value of a function, and a vector-Jacobian product by its parameters.

    The gradient of a mean over n rows is the product with a vector of 1 / n; with minus
    this, ascent along the result decreases the mean.

    Parameters
    ----------
    function : callable
        ``function(params)`` returns an array, computed by autograd's functions.
    params : tuple
        Tree of arrays. Its leaves are traced one by one: with autograd's own tuples,
        each leaf's gradient would be added to zeros for the whole tree.
    vector_of : callable
        ``vector_of(value)`` returns the vector, of the shape and dtype of the value.

    Returns
    -------
    value : ndarray
    grads : tuple
        The product :math:`\bar\theta`, a tree like the parameters; zeros for those that
        the value does not depend on.
    """
    boxes = tree_map(lambda leaf: new_box(leaf, _LEVEL, VJPNode.new_root()), params)
    end = function(boxes)
    if not isinstance(end, Box):
        return end, tree_map(np.zeros_like, params)
    roots, value = {}, end._value
    grads = {end._node: vector_of(value)}
    for node in toposort(end._node):
        grad = grads.pop(node)
        if not node.parents:
            roots[node] = grad
        for parent, part in zip(node.parents, node.vjp(grad)):
            grads[parent] = grads[parent] + part if parent in grads else part

    def of(leaf, box):
        return roots[box._node] if box._node in roots else np.zeros_like(leaf)

    return value, tree_map(of, params, boxes)
