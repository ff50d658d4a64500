"""Maximum likelihood of a normal distribution in closed form, or by expectation
maximization if entries are missing."""

import numpy as np

from skdgm.autoregressive._density import ChainObjective
from skdgm.autoregressive.normal_moments import (
    CHOICES,
    NormalMoments,
    best_shrinkage,
    expected_moments,
    folds_of_rows,
    lacking,
)
from skdgm.nets import NetState
from skdgm.optim import piecewise
from skdgm.training import AUTO

# Smallest share of covariances that remains.
_MIN_SHARE = 0.01


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

        is_auto, prior, penalty = self.options.alpha == AUTO, state.optimizer.prior, 0.0
        if is_auto and self._chooses(state, weight, clock):
            moments, prior = self._with_prior(index, weight, joint)
        else:
            moments = expected_moments(self.rows, index, weight, joint)
        if clock.n_epochs is None:
            # Calls of partial_fit add rows; epochs of a fit repeat the same rows.
            moments = state.optimizer.with_others(moments)
        shrunk = moments.covariance
        if is_auto:
            shrunk = _shrunk(shrunk, prior / (prior + moments.weight))
        else:
            penalty = piecewise(self.options.alpha, clock) / moments.weight[0]
        params = []
        for member in self.model.members:
            mean = moments.mean[member.order]
            covariance = shrunk[np.ix_(member.order, member.order)]
            params.append(member.solved(mean, covariance, penalty, self.rows.dtype))
        return NetState(tuple(params), moments._replace(prior=prior))

    @staticmethod
    def _chooses(state, weight, clock):
        """Return whether to choose the shrinkage by this batch: in the first epochs, as
        the current distribution later determines missing entries, and in calls of
        ``partial_fit`` with more rows than before."""
        if clock.n_epochs is None:
            return weight.sum() > state.optimizer.weight[0]
        return clock.epoch < CHOICES or not state.optimizer.weight[0]

    def _with_prior(self, index, weight, joint):
        """Moments of rows, and the cross-validated prior of their covariances."""
        *folds, outliers = (
            expected_moments(self.rows, part, weight_of_part, joint)
            for part, weight_of_part in folds_of_rows(self.rows, index, weight)
        )
        moments = NormalMoments.union([*folds, outliers])
        amount = best_shrinkage(folds, _safe)
        return moments, moments.weight * amount / max(1 - amount, _MIN_SHARE)


def _safe(covariance, amount):
    """Shrunk covariance for rows in which a column may vary more."""
    return _shrunk(covariance, amount) + lacking(covariance)


def _shrunk(covariance, amount):
    """Covariance with covariances of different columns shrunk to 0."""
    return (1 - amount) * covariance + amount * np.diag(np.diag(covariance))
