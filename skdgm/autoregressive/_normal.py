"""Log-likelihood of a normal distribution, maximised in closed form: by expectation
maximisation where entries are missing."""

import numpy as np

from skdgm.autoregressive._density import ChainObjective
from skdgm.autoregressive.normal_moments import NormalMoments, expected_moments
from skdgm.nets import NetState
from skdgm.optim import piecewise


class NormalObjective(ChainObjective):
    """Log-likelihood of a normal distribution, maximised by one step an epoch.

    The optimiser state is the moments of all rows of the last fit and of each pass
    since. The penalty is divided among all of them.
    """

    # Moments of two sets of rows are no mean of theirs.
    LOCAL = None

    def start(self):
        """Initial state: independent standardised columns, no rows."""
        return NetState(
            self.model.init(None, self.rows.dtype),
            NormalMoments.of_no_rows(self.rows.shape[1]),
        )

    def resume(self, state):
        """State to continue from; unchanged."""
        return state

    def draw(self, table, number):
        """Batches of an epoch: a single one, of all distinct rows and their weights."""
        return [(table.index, table.weight)]

    def step(self, state, batch, clock):
        """One step of expectation maximisation, exact without missing entries; a batch
        is a pair of row numbers and their weights."""
        index, weight = batch
        first = self.model.members[0]

        def joint():
            mean, covariance = first.moments(first.placed(state.params[0]))
            return mean[first.place], covariance[np.ix_(first.place, first.place)]

        moments = expected_moments(self.rows, index, weight, joint)
        if clock.n_epochs is None:
            # A pass of partial_fit brings more rows; epochs of a fit repeat the same.
            moments = state.optimiser.with_others(moments)
        penalty = piecewise(self.options.alpha, clock) / moments.weight[0]
        params = []
        for member in self.model.members:
            mean = moments.mean[member.order]
            covariance = moments.covariance[np.ix_(member.order, member.order)]
            params.append(member.solved(mean, covariance, penalty, self.rows.dtype))
        return NetState(tuple(params), moments)
