r"""Optimizers: stochastic gradient ascent with momentum, Adam and RMSProp.

Objectives are maximized, so all steps go uphill. With the gradient g by a parameter
:math:`\theta` at update t, they are

sgd
    .. math:: u \leftarrow \mu u + \epsilon g, \qquad \theta \leftarrow \theta + u

adam
    scales steps by running moments of the gradient [1]_,

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
       s \leftarrow \beta_2 s + (1 - \beta_2) g^2, \qquad
       \theta \leftarrow \theta + \epsilon \, \frac{m / (1 - \beta_1^t)}
       {\sqrt{s / (1 - \beta_2^t)} + \delta}

rmsprop
    scales steps by the gradient's recent size [2]_,

    .. math:: s \leftarrow \rho s + (1 - \rho) g^2, \qquad
       u \leftarrow \mu u + \epsilon \, \frac{g}{\sqrt{s} + \delta}, \qquad
       \theta \leftarrow \theta + u

References
----------
.. [1] Kingma and Ba (2015). Adam: a method for stochastic optimization. ICLR.
.. [2] Tieleman and Hinton (2012). Lecture 6.5: RMSProp. Coursera: Neural networks for
   machine learning.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from skdgm._kernels.nets.steps import AdamStep, RMSPropStep
from skdgm._kernels.nets.steps import adam as adam_kernel
from skdgm._kernels.nets.steps import rmsprop as rmsprop_kernel
from skdgm.utils.threading.parallel import run
from skdgm.utils.tree import tree_map

BETA_1, BETA_2, RHO, DELTA = 0.9, 0.999, 0.9, 1e-8
# Cost of one entry, in multiply-adds.
_WORK = 10


class Optimizer(NamedTuple):
    r"""Optimizer of a tree of parameters.

    Parameters
    ----------
    init : callable
        ``init(params)`` returns the optimizer state before the first update.
    step : callable
        ``step(params, state, grad, *, rate, momentum, l1=0.0, l2=0.0)`` updates
        parameters and optimizer state, trees of arrays, in place. Leaves of the
        gradient are arrays, or objects with methods ``ascend`` (for ``sgd``) and
        ``apply`` (for the others), such as :class:`~skdgm.optim.Penalized`. Penalties
        apply to such leaves only, from whose gradient l1 sign(theta) + l2 theta is
        subtracted. The momentum of Adam is :math:`\beta_1`, and its ``step`` also takes
        ``beta_2``.
    """

    init: Callable
    step: Callable


class AdamState(NamedTuple):
    """Running means of gradients and of squared gradients, trees like the parameters,
    and the number of updates, (1,), float64."""

    m: tuple
    s: tuple
    t: np.ndarray


class RMSPropState(NamedTuple):
    """Velocities and running means of squared gradients, trees like the parameters."""

    u: tuple
    s: tuple


def zeros_like(params):
    """Tree of zeros like the parameters, such as initial velocities."""
    return tree_map(np.zeros_like, params)


def _init_adam(params):
    return AdamState(zeros_like(params), zeros_like(params), np.zeros(1))


def _init_rmsprop(params):
    return RMSPropState(zeros_like(params), zeros_like(params))


def _step_sgd(params, velocity, grad, *, rate, momentum=0.0, l1=0.0, l2=0.0):
    rule = {"rate": rate, "momentum": momentum, "l1": l1, "l2": l2}
    for theta, u, g in _together(params, velocity, grad):
        if hasattr(g, "ascend"):
            g.ascend(theta, u, **rule)
        else:
            u *= theta.dtype.type(momentum)
            u += theta.dtype.type(rate) * g
            theta += u


def _step_adam(
    params, state, grad, *, rate, momentum=BETA_1, beta_2=BETA_2, l1=0.0, l2=0.0
):
    state.t[0] += 1
    rate, delta = corrected(rate, momentum, state.t[0], beta_2)
    step = AdamStep(rate, momentum, beta_2, delta, l1, l2)
    _walk(adam_kernel, step, params, state.m, state.s, grad)


def corrected(rate, momentum, t, beta_2=BETA_2):
    """Rate and delta of Adam's update t, or of an array of updates, that include the
    bias correction, so that steps are rate * m / (sqrt(s) + delta)."""
    size = np.sqrt(1 - beta_2**t)
    return rate * size / (1 - momentum**t), DELTA * size


def _step_rmsprop(params, state, grad, *, rate, momentum=0.0, l1=0.0, l2=0.0):
    step = RMSPropStep(rate, momentum, RHO, DELTA, l1, l2)
    _walk(rmsprop_kernel, step, params, state.u, state.s, grad)


sgd = Optimizer(zeros_like, _step_sgd)
adam = Optimizer(_init_adam, _step_adam)
rmsprop = Optimizer(_init_rmsprop, _step_rmsprop)


def _together(params, velocity, grad):
    """Iterate over the leaves of trees with the structure of the gradient."""
    if hasattr(grad, "ascend") or not isinstance(grad, tuple):
        yield params, velocity, grad
        return
    for leaves, velocities, grads in zip(params, velocity, grad, strict=True):
        yield from _together(leaves, velocities, grads)


def _walk(kernel, step, params, first, second, grad):
    """Update trees of parameters and optimizer state in place by a kernel.

    ``kernel(theta, first, second, grad, step, start, stop)`` updates entries ``start``
    to ``stop`` of flat arrays. A leaf of the gradient may have a
    method ``apply(params, state, rule)``, which applies the update and penalties in one
    pass.
    """
    if hasattr(grad, "apply"):
        grad.apply(params, (first, second), _rule(kernel, step))
    elif isinstance(grad, tuple):
        for leaf, m, s, g in zip(params, first, second, grad, strict=True):
            _walk(kernel, step, params=leaf, first=m, second=s, grad=g)
    else:
        grad = grad.astype(params.dtype, copy=False)
        rule = _rule(kernel, step._replace(l1=0.0, l2=0.0))
        rule(params, (first, second), grad)


def _rule(kernel, step):
    def move(theta, moments, grad):
        # Reshaping a non-contiguous array would update a copy.
        for array in (theta, *moments):
            assert array.flags.c_contiguous
        flat, flat_grad = theta.reshape(-1), grad.reshape(-1)
        first, second = (moment.reshape(-1) for moment in moments)
        real_step = type(step)._make(map(theta.dtype.type, step))
        n, work = theta.size, _WORK * theta.size
        run(kernel, flat, first, second, flat_grad, real_step, n=n, work=work)

    return move
