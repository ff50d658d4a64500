r"""How a normal distribution is learned: from its moments, in closed form.

Where entries are missing, by expectation maximisation [1]_: moments are those that are
expected of whole rows, given what is seen of them.

References
----------
.. [1] Dempster, Laird and Rubin (1977). Maximum likelihood from incomplete data via the
   EM algorithm. JRSS B.
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
    square : ndarray of shape (n_columns, n_columns)
        The mean of products.
    """

    weight: np.ndarray
    mean: np.ndarray
    square: np.ndarray

    def with_others(self, weight, mean, square):
        """Moments of more rows; of the same again they stay what they are."""
        total = self.weight + weight
        share = weight / total
        return Moments(
            total,
            self.mean + share * (mean - self.mean),
            self.square + share * (square - self.square),
        )


class NormalTrainer(Trainer):
    """Takes one step an epoch; parameters are those of :class:`Trainer`."""

    def start(self, dtype):
        """A state that has learned nothing but that columns are standardised."""
        n = self.rows.shape[1]
        self.before = Moments(np.zeros(1), np.zeros(n), np.zeros((n, n)))
        return State(self.model.init(None, dtype), self.before)

    def resume(self, state):
        """A state that goes on."""
        self.before = state.moved
        return state

    def draw(self, table, number):
        """All rows at once."""
        return [(table.index, table.weight)]

    def step(self, state, batch, clock):
        """The best parameters, given what is expected of what is missing."""
        moments = self.before.with_others(*self._expected(state.params, *batch))
        penalty = staircase(self.recipe.alpha, clock) / moments.weight[0]
        covariance = moments.square - np.outer(moments.mean, moments.mean)
        params = []
        for member in self.model.members:
            own = np.ix_(member.order, member.order)
            fitted = moments.mean[member.order], covariance[own], penalty
            params.append(member.solved(*fitted, self.rows.dtype))
        return State(tuple(params), moments)

    def _expected(self, params, index, weight):
        """Weight and moments of rows, as they would be if they were whole."""
        n, member = self.rows.shape[1], self.model.members[0]
        known = None
        total, square = np.zeros(n), np.zeros((n, n))
        for block in self.rows.blocks(len(index)):
            v, w = self.rows.take(index[block]).astype(np.float64), weight[block]
            if np.isnan(v).any():
                known = known or member.moments(member.placed(params[0]))
                v, more = self._completed(v, w, *known)
                square += more
            total += w @ v
            square += (v * w[:, None]).T @ v
        weight = weight.sum()
        return np.full(1, weight), total / weight, square / weight

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
