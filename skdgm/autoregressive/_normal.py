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
        return NetState(
            self.model.init(None, self.rows.dtype), nothing(self.rows.shape[1])
        )

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

    def _expected(self, params, index, weight):
        """Expected moments of rows, given their observed entries."""
        member = self.model.members[0]

        def joint():
            mean, covariance = member.moments(member.placed(params[0]))
            return mean[member.place], covariance[np.ix_(member.place, member.place)]

        return expected(self.rows, index, weight, joint)


def expected(rows, index, weight, joint):
    """Expected :class:`Moments` of the rows at an index, with weights, given their
    observed entries; ``joint()`` returns the mean and covariance of the distribution
    of the missing ones, and is called once at most."""
    found, normal = nothing(rows.shape[1]), None
    for block in rows.blocks(len(index)):
        v, w = rows.take(index[block]).astype(np.float64), weight[block]
        spread = 0.0
        if np.isnan(v).any():
            normal = normal or joint()
            v, spread = _completed(v, w, *normal)
        total = w.sum()
        mean = w @ v / total
        gap = v - mean
        covariance = ((gap * w[:, None]).T @ gap + spread) / total
        found = found.with_others(Moments(np.full(1, total), mean, covariance))
    return found


def nothing(n_columns):
    """Moments of no rows."""
    return Moments(np.zeros(1), np.zeros(n_columns), np.zeros((n_columns, n_columns)))


def _completed(v, weight, mean, covariance):
    """Rows with missing entries at their means, and their summed covariances."""
    v, more = v.copy(), np.zeros_like(covariance)
    for rows, missing in patterns(v):
        if missing.any():
            center, spread, _ = given_seen(mean, covariance, v[rows], missing)
            v[np.ix_(rows, missing)] = center
            more[np.ix_(missing, missing)] += weight[rows].sum() * spread
    return v, more
