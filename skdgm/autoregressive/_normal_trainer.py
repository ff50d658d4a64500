r"""How a normal distribution is learned: from its moments, in closed form.

Where entries are missing, by expectation maximisation [1]_: moments are those that are
expected of whole rows, given what is seen of them.

References
----------
.. [1] Dempster, Laird and Rubin (1977). Maximum likelihood from incomplete data via the
   EM algorithm. JRSS B.
.. [2] Chan, Golub and LeVeque (1983). Algorithms for computing the sample variance.
   The American Statistician.
"""

from typing import NamedTuple

import numpy as np

from skdgm.autoregressive._linear_chain import given_seen, patterns
from skdgm.autoregressive._trainer import State, Trainer
from skdgm.optim import staircase


class Moments(NamedTuple):
    """Of whole rows.

    Parameters
    ----------
    weight : ndarray of shape (1,)
    mean : ndarray of shape (n_columns,)
    covariance : ndarray of shape (n_columns, n_columns)
        Of rows as they are, without Bessel's correction.
    """

    weight: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    def with_others(self, others):
        """Moments of these rows and of others, together [2]_."""
        total = self.weight + others.weight
        share, gap = others.weight / total, others.mean - self.mean
        between = share * (1 - share) * np.outer(gap, gap)
        within = self.covariance + share * (others.covariance - self.covariance)
        return Moments(total, self.mean + share * gap, within + between)


class NormalTrainer(Trainer):
    """Takes one step an epoch; parameters are those of :class:`Trainer`.

    A state remembers the moments of all rows that it was learned from: those of the
    last fit, and of each pass since. Penalties are shared by all of them.
    """

    def start(self, dtype):
        """A state that has learned nothing but that columns are standardised."""
        return State(self.model.init(None, dtype), self._nothing)

    def resume(self, state):
        """A state that goes on."""
        return state

    def draw(self, table, number):
        """All rows at once."""
        return [(table.index, table.weight)]

    def step(self, state, batch, clock):
        """The best parameters, given what is expected of what is missing."""
        moments = self._expected(state.params, *batch)
        if clock.n_epochs is None:
            # A pass is over more rows; epochs of a fit are all over the same.
            moments = state.moved.with_others(moments)
        penalty = staircase(self.recipe.alpha, clock) / moments.weight[0]
        params = []
        for member in self.model.members:
            own = np.ix_(member.order, member.order)
            fitted = moments.mean[member.order], moments.covariance[own], penalty
            params.append(member.solved(*fitted, self.rows.dtype))
        return State(tuple(params), moments)

    @property
    def _nothing(self):
        """Moments of no rows."""
        n = self.rows.shape[1]
        return Moments(np.zeros(1), np.zeros(n), np.zeros((n, n)))

    def _expected(self, params, index, weight):
        """Moments of rows, as they would be if they were whole."""
        member, known, found = self.model.members[0], None, self._nothing
        for block in self.rows.blocks(len(index)):
            v, w = self.rows.take(index[block]).astype(np.float64), weight[block]
            spread = 0.0
            if np.isnan(v).any():
                known = known or member.moments(member.placed(params[0]))
                v, spread = self._completed(v, w, *known)
            total = w.sum()
            mean = w @ v / total
            gap = v - mean
            covariance = ((gap * w[:, None]).T @ gap + spread) / total
            found = found.with_others(Moments(np.full(1, total), mean, covariance))
        return found

    def _completed(self, v, weight, mean, covariance):
        """Rows with what is expected of them, and the sum of its covariances."""
        place, v = self.model.members[0].place, v.copy()
        mean, covariance = mean[place], covariance[np.ix_(place, place)]
        more = np.zeros_like(covariance)
        for rows, missing in patterns(v):
            if missing.any():
                center, spread, _ = given_seen(mean, covariance, v[rows], missing)
                v[np.ix_(rows, missing)] = center
                more[np.ix_(missing, missing)] += weight[rows].sum() * spread
        return v, more
