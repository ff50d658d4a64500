"""Ensemble of chains, one for each order of the columns."""

from typing import Any

import numpy as np

from skdgm.autoregressive._balance import counts, shifts
from skdgm.autoregressive._filling import conditioned, fill, rounds
from skdgm.nets import nll
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp
from skdgm.utils.tree import leaves, tree_map

# Number of particles of each incomplete row in training and in monitoring.
_N_TRAINING_PARTICLES, _N_MONITORING_PARTICLES = 4, 8
# Random streams of members, and of choices of a member or a particle.
_MEMBER, _CHOICE = addresses.ENSEMBLE[:2]


class ChainEnsemble:
    r"""Ensemble of K chains, whose density is the mean of their densities.

    .. math:: p(x) = \frac1K \sum_{k=1}^K p_k(x)

    ``conditionals`` are distributions of the columns in the data's order, and
    ``n_draws`` is the number of particles of each incomplete row. If members have
    ``shared`` parameters, each update trains one member, in turn.
    """

    # Conditionals given arbitrary columns are particle estimates.
    any_subset = False

    fill, conditioned = fill, conditioned

    def __init__(self, conditionals, members, n_draws, shared=False):
        self.conditionals, self.members = conditionals, members
        self.n_draws, self.shared = n_draws, shared
        self.n_orders, first = len(members), members[0]
        self.normal = first.normal
        self.width = max(first.n_inputs, first.n_outputs, first.n_units)
        self.n_features = first.n_features * (1 if shared else len(members))

    def init(self, rng, dtype):
        """Draw initial parameters: one tree for each member, or a single tree if
        shared."""
        if not self.shared:
            return tuple(_initial([m], rng, dtype) for m in self.members)
        return (_initial(self.members, rng, dtype),)

    def prepare(self, params, v, rng, number):
        """Prepare rows for :meth:`forward` in the update ``number``. For each member to
        be trained (one member if parameters are shared), returns its number, the rows
        in its order, and the rows with drawn missing entries, which are conditioned on
        and not predicted."""
        turns = [number % self.n_orders] if self.shared else range(self.n_orders)
        return [(k, *self._completed(params, v, k, rng.fold(k))) for k in turns]

    def forward(self, params, prepared):
        """Negative log-likelihood of each row, summed over the members to be trained,
        and ()."""
        total = 0.0
        for k, ordered, complete in prepared:
            member, member_params = self.member(params, k)
            out = member.apply(member_params, member.conditionals.inputs(complete))
            total = total + nll(out, (), ordered, member.conditionals)
        return total, ()

    def _completed(self, params, v, k, rng):
        """Rows in a member's order, and rows with drawn missing entries."""
        member, member_params = self.member(params, k)
        ordered = member.ordered(v)
        rows = np.flatnonzero(np.isnan(ordered).any(axis=1))
        if not rows.size:
            return ordered, ordered
        streams, complete = rng.rows(len(v)).take(rows), ordered.copy()
        completed = member.filled(
            member_params, ordered[rows], streams, _N_TRAINING_PARTICLES
        )
        complete[rows] = completed.drawn(streams.fold(_CHOICE))
        return ordered, complete

    def balanced(self, params, blocks):
        """Parameters with biases calibrated by :mod:`skdgm.autoregressive._balance` on
        blocks, which are tuples of rows, their weights and random streams. Missing
        entries are drawn, and do not count."""
        totals: list[Any] = [0.0] * len(params)
        for v, weight, rng in blocks:
            for k in range(self.n_orders):
                member, member_params = self.member(params, k)
                _, complete = self._completed(params, v, k, rng.fold(k))
                inputs = member.conditionals.inputs(complete)
                out = member.apply(member_params, inputs)
                out = np.ascontiguousarray(out[:, member.outputs_back])
                sums = counts(self.conditionals, out, v, weight)
                tree_number = 0 if self.shared else k
                totals[tree_number] = totals[tree_number] + np.concatenate(sums)
        return tuple(map(self._shifted, params, totals))

    def _shifted(self, params, total):
        ends = np.cumsum([self.conditionals.n_inputs.sum(), self.members[0].n_outputs])
        counted, excess, known = np.split(total, ends)
        shift = shifts(self.conditionals, counted, excess, known)
        return self.members[0].shifted(params, shift.astype(leaves(params)[0].dtype))

    def monitoring_loss(self, params, v, rng):
        """Negative log-likelihood of each row under the ensemble, in nats."""
        log_p = [
            self.log_likelihood(
                params, v, k, rng.fold(_MEMBER, k), _N_MONITORING_PARTICLES
            )
            for k in range(self.n_orders)
        ]
        return -log_mean_exp(np.stack(log_p))[0]

    def log_likelihood(self, params, v, k, rng, n_draws=None):
        """Log-likelihood of each row under member k, (n_rows,), float64, in nats.
        Incomplete rows have estimates by ``n_draws`` particles; None: the ensemble's
        number."""
        return self._scored("log_likelihood", params, v, k, rng, n_draws)

    def log_p(self, params, v, k, rng, n_draws=None):
        """Log probability of each entry given the previous entries under member k, 0 if
        missing, in nats: (n_rows, n_columns) in the data's order; see
        :meth:`log_likelihood`."""
        scores = self._scored("log_p", params, v, k, rng, n_draws)
        return scores[:, self.members[k].place]

    def _scored(self, method, params, v, k, rng, n_draws):
        """Score complete rows by a method of a member, and incomplete rows by
        particles."""
        member, member_params = self.member(params, k)
        ordered = member.ordered(v)
        incomplete = np.isnan(ordered).any(axis=1)
        if not incomplete.any():
            return getattr(member, method)(member_params, ordered)
        scores = np.empty(len(v) if method == "log_likelihood" else v.shape)
        if not incomplete.all():
            scores[~incomplete] = getattr(member, method)(
                member_params, ordered[~incomplete]
            )
        listed = n_draws is None

        def score(rows, rng, n):
            completed = member.filled(member_params, ordered[rows], rng, n, listed)
            scores[rows] = getattr(completed, method)
            return np.minimum(completed.effective, n * completed.near_share)

        rounds(self, score, np.flatnonzero(incomplete), rng, n_draws)
        return scores

    def features(self, params, v):
        """Last hidden layers of the members given the whole row, concatenated."""
        n, parts = (1 if self.shared else self.n_orders), []
        for k in range(n):
            member, member_params = self.member(params, k)
            parts.append(member.features(member_params, member.ordered(v)))
        return np.concatenate(parts, axis=1)

    def sampled(self, params, v, rng):
        """Draw missing entries conditional on the previous entries, each row with a
        random member. Rows without known entries become exact samples of the ensemble.
        """
        v, chosen = v.copy(), rng.fold(_CHOICE).uniform(1)[:, 0] * self.n_orders
        for k in range(self.n_orders):
            rows = np.flatnonzero(chosen.astype(np.intp) == k)
            if rows.size:
                member, member_params = self.member(params, k)
                ordered, streams = member.ordered(v[rows]), rng.take(rows)
                drawn = member.drawn(member_params, ordered, streams)
                v[rows] = drawn[:, member.place]
        return v

    def member(self, params, k):
        """Member k, and its parameters in its own order of columns."""
        member = self.members[k]
        return member, member.placed(params[0 if self.shared else k])


def _initial(members, rng, dtype):
    """Initial parameters shared by members; weights that no mask permits are zero."""
    params, masks = members[0].init(rng, dtype), [m.allowed() for m in members]
    if not masks[0]:
        return params

    def limited(leaf, *masks):
        return leaf * np.maximum.reduce(masks).astype(dtype)

    return tree_map(limited, params, *masks)
