"""Log-likelihood of a normal distribution, maximised in closed form.

Where entries are missing, the distribution is fitted by expectation maximisation [1]_:
each step takes the expected moments of complete rows, given the observed entries.

References
----------
.. [1] Dempster, Laird and Rubin (1977). Maximum likelihood from incomplete data via the
   EM algorithm. JRSS B.
.. [2] Chan, Golub and LeVeque (1983). Algorithms for computing the sample variance.
   The American Statistician.
"""

from typing import NamedTuple

import numpy as np

from skdgm.autoregressive._density import ChainObjective
from skdgm.autoregressive._linear_chain import given_seen, patterns
from skdgm.nets import NetState
from skdgm.optim import piecewise


class Moments(NamedTuple):
    """Moments of complete rows: the sum of their weights, of shape (1,), their mean,
    and their covariance, without Bessel's correction."""

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    def with_others(self, others):
        """Moments of the union of two sets of rows [2]_."""
        total = self.weight + others.weight
        share, gap = others.weight / total, others.mean - self.mean
        between = share * (1 - share) * np.outer(gap, gap)
        within = self.covariance + share * (others.covariance - self.covariance)
        return Moments(total, self.mean + share * gap, within + between)


class NormalObjective(ChainObjective):
    """Log-likelihood of a normal distribution, maximised by one step an epoch.

    The optimiser state is the moments of all rows of the last fit and of each pass
    since. The penalty is divided among all of them.
    """

    # Moments of two sets of rows are no mean of theirs.
    LOCAL = None

    def start(self):
        """Initial state: independent standardised columns, no rows."""
        return NetState(self.model.init(None, self.rows.dtype), self._nothing)

    def resume(self, state):
        """State to continue from; unchanged."""
        return state

    def draw(self, table, number):
        """Batches of an epoch: a single one, of all distinct rows and their weights."""
        return [(table.index, table.weight)]

    def step(self, state, batch, clock):
        """One step of expectation maximisation, exact without missing entries; a batch
        are row numbers and their weights."""
        moments = self._expected(state.params, *batch)
        if clock.n_epochs is None:
            # A pass of partial_fit brings more rows; epochs of a fit repeat the same.
            moments = state.optimiser.with_others(moments)
        penalty = piecewise(self.options.alpha, clock) / moments.weight[0]
        params = []
        for member in self.model.members:
            own = np.ix_(member.order, member.order)
            fitted = moments.mean[member.order], moments.covariance[own], penalty
            params.append(member.solved(*fitted, self.rows.dtype))
        return NetState(tuple(params), moments)

    @property
    def _nothing(self):
        """Moments of no rows."""
        n = self.rows.shape[1]
        return Moments(np.zeros(1), np.zeros(n), np.zeros((n, n)))

    def _expected(self, params, index, weight):
        """Expected moments of rows, given their observed entries."""
        member, joint, found = self.model.members[0], None, self._nothing
        for block in self.rows.blocks(len(index)):
            v, w = self.rows.take(index[block]).astype(np.float64), weight[block]
            spread = 0.0
            if np.isnan(v).any():
                joint = joint or member.moments(member.placed(params[0]))
                v, spread = self._completed(v, w, *joint)
            total = w.sum()
            mean = w @ v / total
            gap = v - mean
            covariance = ((gap * w[:, None]).T @ gap + spread) / total
            found = found.with_others(Moments(np.full(1, total), mean, covariance))
        return found

    def _completed(self, v, weight, mean, covariance):
        """Rows with missing entries at their means, and their summed covariances."""
        place, v = self.model.members[0].place, v.copy()
        mean, covariance = mean[place], covariance[np.ix_(place, place)]
        more = np.zeros_like(covariance)
        for rows, missing in patterns(v):
            if missing.any():
                center, spread, _ = given_seen(mean, covariance, v[rows], missing)
                v[np.ix_(rows, missing)] = center
                more[np.ix_(missing, missing)] += weight[rows].sum() * spread
        return v, more
