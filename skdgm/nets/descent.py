"""A step downhill for a tree of layers, by any of the optimisers.

Only weights, which are matrices, are subject to penalties: what adds up, scales or
shifts is not.
"""

from skdgm.optim import Penalised, adam, rmsprop, sgd

SOLVERS = {"adam": adam, "sgd": sgd, "rmsprop": rmsprop}


def descend(solver, params, memory, slopes, **rule):
    """Move params and the optimiser's memory, in place.

    Parameters
    ----------
    solver : str
    params, memory, slopes : tuple
        Slopes are minus a loss's: optimisers go uphill.
    **rule
        ``rate``, ``momentum`` and the penalty ``l2``.
    """
    SOLVERS[solver].step(params, memory, _penalised(slopes), **rule)


def _penalised(slopes):
    if not isinstance(slopes, tuple):
        return Penalised(slopes) if slopes.ndim == 2 else slopes
    parts = [_penalised(part) for part in slopes]
    return type(slopes)(*parts) if hasattr(slopes, "_fields") else tuple(parts)
