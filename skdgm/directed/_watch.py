"""Monitoring of losses and of the variance of the gradient."""

import numpy as np

from skdgm.nets import vjp
from skdgm.nets.objective import NetWatch
from skdgm.optim import Clock
from skdgm.utils.tree import copy, leaves

# Batch number beyond those of all epochs.
_BEYOND = 2**31


class GradientWatch(NetWatch):
    """Monitor that also measures the variance of the gradient: ``variances``, one per
    epoch."""

    MEMORY = (*NetWatch.MEMORY, "variances")

    def __init__(self, objective, table, held_out, state):
        self.variances = []
        super().__init__(objective, table, held_out, state)

    def __call__(self, state):
        """Measure the variance; return both losses."""
        self.variances.append(variance(self.objective, state, self.monitored))
        return super().__call__(state)


def variance(objective, state, index):
    r"""Variance of the gradient of a batch of rows, summed over the parameters of the
    model.

    .. math:: \frac{1}{K - 1} \sum_k \lVert g_k - \bar g \rVert^2

    The gradients of K independent draws use the same random numbers in each call. The
    state does not change.
    """
    options = objective.options
    batch, n = index[: options.batch_size], options.gradient_draws
    draws = []
    for k in range(n):
        # Chains change in place.
        before = state._replace(statistics=copy(state.statistics))
        update = objective.prepare(before, batch, Clock(0, None, _BEYOND + k, n))
        _, grads = vjp(
            lambda params, update=update: objective.forward(params, update)[0],
            state.params,
            lambda out: np.full_like(out, -1 / len(out)),
        )
        draws.append([part.astype(np.float64) for part in leaves(grads.model)])
    return float(sum(np.var(part, axis=0, ddof=1).sum() for part in zip(*draws)))
