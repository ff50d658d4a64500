"""Gradient descent steps for trees of layers, by any of the optimisers.

Penalties apply to weights, which are matrices, and not to biases, gains and shifts.
"""

from skdgm.optim import Penalised, adam, rmsprop, sgd

SOLVERS = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}


def descend(solver, params, memory, slopes, **rule):
    """Update parameters and optimiser state in place.

    Parameters
    ----------
    solver : {"adam", "sgd", "rmsprop"}
    params, memory : tuple
        Parameters and optimiser state.
    slopes : tuple
        Minus the gradient of the loss, a tree like ``params``: optimisers ascend.
    **rule
        ``rate``, ``momentum`` and the penalty ``l2``, as in :mod:`skdgm.optim`.
    """
    SOLVERS[solver].step(params, memory, _penalised(slopes), **rule)


def _penalised(slopes):
    if not isinstance(slopes, tuple):
        return Penalised(slopes) if slopes.ndim == 2 else slopes
    parts = [_penalised(part) for part in slopes]
    return type(slopes)(*parts) if hasattr(slopes, "_fields") else tuple(parts)
