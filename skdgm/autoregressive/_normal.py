"""Maximum likelihood of a normal distribution in closed form, or by expectation
maximization if entries are missing."""

import numpy as np

from skdgm.autoregressive._density import ChainObjective
from skdgm.autoregressive.normal_moments import (
    NormalMoments,
    best_shrinkage,
    expected_moments,
    folds_of,
)
from skdgm.nets import NetState
from skdgm.optim import piecewise
from skdgm.training import AUTO


class NormalObjective(ChainObjective):
    """Log-likelihood of a normal distribution, maximized by one step per epoch.

    The optimizer state has the moments of all rows of the last fit and of later calls
    of ``partial_fit``. The penalty is divided by their total weight.
    """

    # Moments of two sets of rows cannot be averaged.
    LOCAL = None

    def start(self):
        """Initial state: independent standardized columns, and no rows."""
        return NetState(
            self.model.init(None, self.rows.dtype),
            NormalMoments.of_no_rows(self.rows.shape[1]),
        )

    def resume(self, state):
        """Return the state unchanged."""
        return state

    def draw(self, table, number):
        """Single batch of an epoch: all distinct rows and their weights."""
        return [(table.index, table.weight)]

    def step(self, state, batch, clock):
        """One step of expectation maximization, exact without missing entries; a batch
        is a pair of row numbers and their weights."""
        index, weight = batch
        first = self.model.members[0]

        def joint():
            mean, covariance = first.moments(first.placed(state.params[0]))
            return mean[first.place], covariance[np.ix_(first.place, first.place)]

        # Calls of partial_fit add rows; epochs of a fit repeat the same rows.
        goes_on = clock.n_epochs is None and state.optimizer.weight[0] > 0
        earlier = state.optimizer if goes_on else None
        if self.options.alpha == AUTO:
            folds = [
                expected_moments(self.rows, part, weight_of_part, joint)
                for part, weight_of_part in folds_of(index, weight)
            ]
            moments, penalty = NormalMoments.union(folds), 0.0
            amount = best_shrinkage(folds, _shrunk, earlier=earlier)
        else:
            moments, amount = expected_moments(self.rows, index, weight, joint), 0.0
            total = moments.weight[0] + (0 if earlier is None else earlier.weight[0])
            penalty = piecewise(self.options.alpha, clock) / total
        if earlier is not None:
            moments = earlier.with_others(moments)
        shrunk = _shrunk(moments.covariance, amount)
        params = []
        for member in self.model.members:
            mean = moments.mean[member.order]
            covariance = shrunk[np.ix_(member.order, member.order)]
            params.append(member.solved(mean, covariance, penalty, self.rows.dtype))
        return NetState(tuple(params), moments)


def _shrunk(covariance, amount):
    """Covariance with covariances of different columns shrunk to 0."""
    return (1 - amount) * covariance + amount * np.diag(np.diag(covariance))
