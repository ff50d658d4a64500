r"""Vector-Jacobian products by reverse accumulation, on a tape of autograd's nodes.

.. math:: \bar\theta = \left(\frac{\partial f}{\partial \theta}\right)^\top \bar f

Gradients accumulate from outputs backwards [1]_, as those of HIPS autograd [2]_ do,
and by the same rules (``defvjp``); functions of autograd's and primitives of ours
combine. With small nets as much time goes to keeping the tape as to arithmetic, so it
is kept plainly: primitives look for traced arguments only, and nodes are listed in
order as they arise, which need not be sorted afterwards.

References
----------
.. [1] Linnainmaa (1976). Taylor expansion of the accumulated rounding error. BIT.
.. [2] Maclaurin, Duvenaud and Adams (2015). Autograd: effortless gradients in NumPy.
   ICML AutoML workshop.
"""

from functools import wraps

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
import numpy as np
from autograd.core import SparseObject, VJPNode, primitive_vjps
from autograd.extend import Box
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import getval

from skdgm.utils.tree import tree_map

# Autograd's trace level. It is constant, as gradients are never nested; autograd's own
# counter is shared by all threads.
_LEVEL = 0


class Node(VJPNode):
    """Value on the tape, with the gradient by it once that is known; ``tape`` is the
    list of all nodes that derive from parameters, in the order in which they arose."""

    __slots__ = ["grad", "tape"]

    def __init__(self, value, fun, args, kwargs, argnums, parents):
        self.parents, self.grad = parents, None
        self.vjp = primitive_vjps[fun](argnums, value, args, kwargs)
        self.tape = parents[0].tape
        self.tape.append(self)


def primitive(function):
    """Function of arrays whose gradient ``defvjp`` or ``defvjp_argnums`` defines.

    As autograd's, but arrays must be positional arguments.
    """

    @wraps(function)
    def traced(*args, **kwargs):
        argnums = [n for n, arg in enumerate(args) if type(arg) is ArrayBox]
        if not argnums:
            return function(*args, **kwargs)
        values, parents = list(args), []
        for number in argnums:
            box = args[number]
            values[number] = box._value
            parents.append(box._node)
        value = function(*values, **kwargs)
        node = type(parents[0])(value, traced, values, kwargs, argnums, parents)
        return ArrayBox(value, box._trace, node)

    return traced


def vjp(function, params, vector_of):
    r"""Value of a differentiable ``function(params)``, and its product with a vector,
    :math:`\bar\theta`: a tree like the parameters, with zeros for parameters without
    influence.

    The gradient of a mean over n rows is the product with a vector of 1 / n, as
    ``vector_of(value)`` returns it; with minus this, ascent decreases the mean. Leaves
    are traced one by one: with autograd's own tuples, each leaf's gradient would be
    added to zeros for the whole tree.
    """
    boxes = traced_leaves(params)
    end = function(boxes)
    return getval(end), pulled_back(end, boxes, vector_of)


def traced_leaves(params):
    """Parameters on a new tape, a tree like ``params``."""
    tape = []

    def root(leaf):
        node = Node.__new__(Node)
        node.parents, node.grad, node.tape = (), None, tape
        return ArrayBox(leaf, _LEVEL, node)

    return tree_map(root, params)


def pulled_back(end, boxes, vector_of):
    """Vector-Jacobian product of a value by parameters on its tape; see :func:`vjp`."""
    if isinstance(end, Box):
        tape, end._node.grad = end._node.tape, vector_of(end._value)
        while tape:
            node = tape.pop()
            # Nodes on which the value does not depend have no gradient.
            if node.grad is None:
                continue
            for parent, part in zip(node.parents, node.vjp(node.grad)):
                if isinstance(part, SparseObject):  # Some entries, by index.
                    part = part.mut_add(part.vs.zeros())
                parent.grad = part if parent.grad is None else parent.grad + part
            node.grad = node.vjp = None

    def of(box):
        grad = box._node.grad
        return np.zeros_like(box._value) if grad is None else grad

    return tree_map(of, boxes)
