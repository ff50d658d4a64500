r"""Vector-Jacobian products by reverse accumulation, on a tape of autograd's nodes.

.. math:: \bar\theta = \left(\frac{\partial f}{\partial \theta}\right)^\top \bar f

Gradients accumulate from outputs backwards [1]_, as in HIPS autograd [2]_ and by the
same rules (``defvjp``), so that autograd's functions and our primitives can be
combined. In small nets, recording the tape takes as much time as arithmetic. This tape
is therefore simple: primitives check for traced arguments only, and nodes are appended
in the order of computation, which needs no topological sort. Operators of
:class:`Traced` arrays take a fourth of the time of autograd's.

References
----------
.. [1] Linnainmaa (1976). Taylor expansion of the accumulated rounding error. BIT.
.. [2] Maclaurin, Duvenaud and Adams (2015). Autograd: effortless gradients in NumPy.
   ICML AutoML workshop.
"""

from functools import wraps
from typing import NamedTuple

import autograd.numpy  # noqa: F401  Registers NumPy arrays with autograd.
import numpy as np
from autograd.core import (
    SparseObject,
    VJPNode,
    VSpace,
    primitive_vjps,
    sparse_object_types,
    vspace,
)
from autograd.extend import Box
from autograd.numpy.numpy_boxes import ArrayBox
from autograd.tracer import getval

from skdgm.utils.products import matmul
from skdgm.utils.tree import tree_map

# Autograd's trace level, constant because gradients are never nested. Autograd's own
# counter is shared by all threads.
_LEVEL = 0


class Node(VJPNode):
    """Value on the tape, with its gradient in the backward pass. ``tape`` lists all
    nodes that depend on parameters, in order of computation."""

    __slots__ = ["factors", "grad", "tape"]

    def __init__(self, value, fun, args, kwargs, argnums, parents):
        self.record(parents, primitive_vjps[fun](argnums, value, args, kwargs))

    def record(self, parents, back):
        """Append the node to the tape of its parents. ``back(grad)`` returns a gradient
        for each of them."""
        self.parents, self.vjp, self.grad, self.factors = parents, back, None, None
        self.tape = parents[0].tape
        self.tape.append(self)

    def add(self, grad):
        """Add a gradient, an array or one of autograd's or our objects."""
        if type(grad) is Factors:
            if self.factors is None:
                self.factors = []
            self.factors.append(grad)
            return
        if isinstance(grad, SparseObject):  # Some entries, by index.
            grad = grad.mut_add(grad.vs.zeros())
        self.grad = grad if self.grad is None else self.grad + grad

    @property
    def total(self):
        """Sum of the gradients; None without any."""
        if self.factors is None:
            return self.grad
        factors, *others = self.factors
        if others:
            factors = Factors._make(map(np.concatenate, zip(*self.factors)))
        return factors.product() if self.grad is None else factors.mut_add(self.grad)


class Factors(NamedTuple):
    """Gradient by a matrix that multiplies rows x, (n_rows, n_below): the product of
    the transposed x and ``delta``, (n_rows, n_above). The rows of all uses of a
    matrix, as in the steps of a sequence, are joined for one product."""

    x: np.ndarray
    delta: np.ndarray

    def product(self):
        """The gradient, (n_below, n_above)."""
        return matmul(self.x.T, self.delta)

    def mut_add(self, grad):
        """Sum of a gradient and this one; autograd calls it on its own tape."""
        return grad + self.product()


# Autograd adds such objects to gradients by ``mut_add``.
sparse_object_types.add(Factors)
VSpace.register(Factors, lambda factors: vspace(factors.product()))


class Traced(ArrayBox):
    """Array, or number, that depends on parameters.

    It has the common operators of arrays, with gradients as in autograd, which defines
    all others.
    """

    __slots__ = ()

    def __neg__(self):
        return _recorded(-self._value, [self], lambda grad: (-grad,))

    def __add__(self, other):
        return _binary(np.add, self, other)

    def __radd__(self, other):
        return _binary(np.add, other, self)

    def __sub__(self, other):
        return _binary(np.subtract, self, other)

    def __rsub__(self, other):
        return _binary(np.subtract, other, self)

    def __mul__(self, other):
        return _binary(np.multiply, self, other)

    def __rmul__(self, other):
        return _binary(np.multiply, other, self)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if ufunc in _BACK and method == "__call__" and not kwargs:
            first, second = inputs
            return _binary(ufunc, first, second)
        return super().__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def reshape(self, *shape):
        """The same entries in another shape."""
        before = self._value.shape
        reshaped = self._value.reshape(*shape)
        return _recorded(reshaped, [self], lambda grad: (grad.reshape(before),))

    def sum(self, axis=None, keepdims=False):
        """Sum over axes."""
        x, shape = self._value, self._value.shape

        def back(grad):
            if axis is not None and not keepdims:
                grad = np.expand_dims(grad, axis)
            spread = np.empty(shape, grad.dtype)
            spread[...] = grad
            return (spread,)

        return _recorded(x.sum(axis=axis, keepdims=keepdims), [self], back)


Box.types.add(Traced)

# Gradients by both operands x and y, given the gradient by the result.
_BACK = {
    np.add: (lambda grad, x, y: grad, lambda grad, x, y: grad),
    np.subtract: (lambda grad, x, y: grad, lambda grad, x, y: -grad),
    np.multiply: (lambda grad, x, y: grad * y, lambda grad, x, y: grad * x),
}


def _binary(ufunc, first, second):
    """Result of an operator, of which at least one operand is traced."""
    boxes, pulls, values = [], [], []
    for operand, pull in zip((first, second), _BACK[ufunc]):
        if isinstance(operand, ArrayBox):
            boxes.append(operand)
            pulls.append(pull)
            operand = operand._value
        values.append(operand)
    x, y = values
    result = ufunc(x, y)

    def back(grad):
        return [
            _summed_to(box._value, pull(grad, x, y)) for box, pull in zip(boxes, pulls)
        ]

    return _recorded(result, boxes, back)


def _summed_to(value, grad):
    """Gradient by an operand, summed over the axes along which it was repeated."""
    shape = value.shape
    if grad.shape == shape:
        return grad
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    ones = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return grad.sum(axis=ones, keepdims=True) if ones else grad


def _recorded(value, boxes, back):
    node = Node.__new__(Node)
    node.record([box._node for box in boxes], back)
    return Traced(value, _LEVEL, node)


def primitive(function):
    """Mark a function of arrays whose gradient ``defvjp`` or ``defvjp_argnums``
    defines. It replaces autograd's decorator, but arrays must be positional
    arguments."""

    @wraps(function)
    def traced(*args, **kwargs):
        argnums = [n for n, arg in enumerate(args) if isinstance(arg, ArrayBox)]
        if not argnums:
            return function(*args, **kwargs)
        values, boxes = list(args), [args[n] for n in argnums]
        for number, box in zip(argnums, boxes):
            values[number] = box._value
        parents = [box._node for box in boxes]
        value = function(*values, **kwargs)
        node = type(parents[0])(value, traced, values, kwargs, argnums, parents)
        if type(node) is Node:
            return Traced(value, _LEVEL, node)
        # A node of autograd's own tape, whose operators are autograd's.
        return ArrayBox(value, boxes[-1]._trace, node)

    return traced


def vjp(function, params, vector_of):
    """Value of a differentiable ``function(params)``, and its vector-Jacobian product.

    The product is a tree like the parameters, with zeros for parameters without
    influence. ``vector_of(value)`` returns the vector: 1 / n for the gradient of a mean
    over n rows, and -1 / n for ascent that decreases the mean. Leaves are traced one by
    one. With autograd's own tuples, the gradient of each leaf would be added to zeros
    for the whole tree.
    """
    boxes = traced_leaves(params)
    end = function(boxes)
    return getval(end), pulled_back(end, boxes, vector_of)


def traced_leaves(params):
    """Parameters on a new tape, a tree like ``params``."""
    tape = []

    def root(leaf):
        node = Node.__new__(Node)
        node.parents, node.grad, node.factors, node.tape = (), None, None, tape
        return Traced(leaf, _LEVEL, node)

    return tree_map(root, params)


def pulled_back(end, boxes, vector_of):
    """Vector-Jacobian product of a value by parameters on its tape; see :func:`vjp`."""
    if isinstance(end, Box):
        tape, end._node.grad = end._node.tape, vector_of(end._value)
        while tape:
            node = tape.pop()
            total = node.total
            # Nodes on which the value does not depend have no gradient.
            if total is None:
                continue
            for parent, grad in zip(node.parents, node.vjp(total)):
                parent.add(grad)
            node.grad = node.factors = node.vjp = None

    def of(box):
        grad = box._node.total
        return np.zeros_like(box._value) if grad is None else grad

    return tree_map(of, boxes)
