"""Gradient descent steps for trees of layers, by any of the optimisers.

Penalties apply to weights, which are matrices, and not to biases, gains and shifts.
"""

from skdgm.optim import Penalised, adam, rmsprop, sgd

SOLVERS = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}


def descend(solver, params, optimiser, grads, **rule):
    """Update parameters and optimiser state in place.

    Parameters
    ----------
    solver : {"adam", "sgd", "rmsprop"}
    params, optimiser : tuple
        Parameters and optimiser state.
    grads : tuple
        Minus the gradient of the loss, a tree like ``params``: optimisers ascend.
    **rule
        ``rate``, ``momentum`` and the penalty ``l2``, as in :mod:`skdgm.optim`.
    """
    SOLVERS[solver].step(params, optimiser, _penalised(grads), **rule)


def _penalised(grads):
    if not isinstance(grads, tuple):
        return Penalised(grads) if grads.ndim == 2 else grads
    parts = [_penalised(part) for part in grads]
    return type(grads)(*parts) if hasattr(grads, "_fields") else tuple(parts)
