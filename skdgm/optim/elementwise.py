"""Elementwise optimiser steps with two arrays of optimiser state per parameter."""

from skdgm.utils.parallel import run

# Cost of one entry, in multiply-adds.
_WORK = 10


def walk(kernel, numbers, params, first, second, grad, *, l1=0.0, l2=0.0):
    """Update parameters and optimiser state in place by a kernel.

    Parameters
    ----------
    kernel : callable
        ``kernel(theta, first, second, grad, *numbers, l1, l2, start, stop)`` updates
        entries ``start`` to ``stop`` of flat arrays; ``grad`` is the gradient.
    numbers : tuple of float
        Hyperparameters of the kernel.
    params, first, second, grad : tuple
        Trees of one shape: parameters, optimiser state, gradient. A leaf of the
        gradient may be an object with a method ``follow(params, state, rule)``, which
        applies the update in one pass over the parameters.
    l1, l2 : float
        Penalties, applied only to parameters whose gradient has ``follow``.
    """
    if hasattr(grad, "follow"):
        grad.follow(params, (first, second), _rule(kernel, numbers, l1, l2))
    elif isinstance(grad, tuple):
        for branch in zip(params, first, second, grad, strict=True):
            walk(kernel, numbers, *branch, l1=l1, l2=l2)
    else:
        grad = grad.astype(params.dtype, copy=False)
        _rule(kernel, numbers, 0.0, 0.0)(params, first, second, grad)


def _rule(kernel, numbers, l1, l2):
    def move(theta, first, second, grad):
        # Reshaping a non-contiguous array would update a copy of it.
        for part in (theta, first, second):
            assert part.flags.c_contiguous
        flat = [part.reshape(-1) for part in (theta, first, second, grad)]
        real = [theta.dtype.type(number) for number in (*numbers, l1, l2)]
        run(kernel, *flat, *real, n=theta.size, work=_WORK * theta.size)

    return move
