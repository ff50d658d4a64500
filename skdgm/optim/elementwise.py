"""Steps that are taken number by number, with two numbers of memory for each."""

import numpy as np

from skdgm.utils.parallel import run

# What a number costs, in multiply-adds.
_WORK = 10


def walk(kernel, numbers, params, first, second, grad, *, l1=0.0, l2=0.0):
    """Move params and what is remembered of them, in place, by a kernel.

    Parameters
    ----------
    kernel : callable
        ``kernel(theta, first, second, slope, *numbers, l1, l2, start, stop)``.
    numbers : tuple of float
    params, first, second, grad : tuple
        Trees of one shape. A gradient may know how to be followed by itself, in one
        pass over the parameters; these, and only these, are subject to penalties.
    """
    if hasattr(grad, "follow"):
        grad.follow(params, (first, second), _rule(kernel, numbers, l1, l2))
    elif isinstance(grad, tuple):
        for branch in zip(params, first, second, grad, strict=True):
            walk(kernel, numbers, *branch, l1=l1, l2=l2)
    else:
        slope = grad.astype(params.dtype, copy=False)
        _rule(kernel, numbers, 0.0, 0.0)(params, first, second, slope)


def _rule(kernel, numbers, l1, l2):
    def move(theta, first, second, slope):
        # Of others a copy would learn.
        assert all(part.flags.c_contiguous for part in (theta, first, second))
        flat = [np.reshape(part, -1) for part in (theta, first, second, slope)]
        real = [theta.dtype.type(number) for number in (*numbers, l1, l2)]
        run(kernel, *flat, *real, n=theta.size, work=_WORK * theta.size)

    return move
