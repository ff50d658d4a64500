"""Ensemble of chains, one for each order of the columns."""

import numpy as np

from skdgm.autoregressive._balance import counts, shifts
from skdgm.autoregressive._filling import conditioned, fill, rounds
from skdgm.nets import nll
from skdgm.utils import addresses
from skdgm.utils.math import log_mean_exp
from skdgm.utils.tree import leaves, tree_map

# Particles for each incomplete row, in training and in monitoring.
_LEARN, _WATCH = 4, 8
# Random streams of each member, and of the choice of a member or a particle.
_MEMBER, _CHOICE = addresses.ENSEMBLE[:2]


class ChainEnsemble:
    r"""Ensemble of K chains, whose density is the mean of theirs.

    .. math:: p(x) = \frac1K \sum_{k=1}^K p_k(x)

    ``conditionals`` are distributions of the columns in the data's order; ``n_draws``
    is the number of particles for each incomplete row. If members have ``shared``
    parameters, each update trains one of them, in turn.
    """

    # Conditionals on any columns are estimates by particles.
    takes_any = False

    fill, conditioned = fill, conditioned

    def __init__(self, conditionals, members, n_draws, shared=False):
        self.conditionals, self.members = conditionals, members
        self.n_draws, self.shared = n_draws, shared
        self.n_orders, first = len(members), members[0]
        self.normal = first.normal
        self.width = max(first.n_inputs, first.n_outputs, first.n_units)
        self.n_features = first.n_features * (1 if shared else len(members))

    def init(self, rng, dtype):
        """Draw initial parameters: one tree for each member, or a single one if they
        are shared."""
        if not self.shared:
            return tuple(_initial([m], rng, dtype) for m in self.members)
        return (_initial(self.members, rng, dtype),)

    def prepare(self, params, v, rng, number):
        """Rows in the form that :meth:`forward` needs, for the update of a number: for
        each member to be trained, one of those with shared parameters, its number, the
        rows in its order, and the same with missing entries drawn, which are
        conditioned on and not predicted."""
        turns = [number % self.n_orders] if self.shared else range(self.n_orders)
        return [(k, *self._completed(params, v, k, rng.fold(k))) for k in turns]

    def forward(self, params, prepared):
        """Negative log-likelihood of each row, summed over the members to be trained,
        and ()."""
        total = 0.0
        for k, ordered, whole in prepared:
            member, member_params = self.member(params, k)
            out = member.apply(member_params, member.conditionals.inputs(whole))
            total = total + nll(out, (), ordered, member.conditionals)
        return total, ()

    def _completed(self, params, v, k, rng):
        """Rows in a member's order, and the same with missing entries drawn."""
        member, member_params = self.member(params, k)
        ordered = member.ordered(v)
        rows = np.flatnonzero(np.isnan(ordered).any(axis=1))
        if not rows.size:
            return ordered, ordered
        streams, whole = rng.rows(len(v)).take(rows), ordered.copy()
        completed = member.filled(member_params, ordered[rows], streams, _LEARN)
        whole[rows] = completed.drawn(streams.fold(_CHOICE))
        return ordered, whole

    def balanced(self, params, blocks):
        """Parameters with biases as of :mod:`skdgm.autoregressive._balance`, by the
        complete rows of blocks, pairs of rows and their weights."""
        totals = [0.0] * len(params)
        for v, weight in blocks:
            whole = ~np.isnan(v).any(axis=1)
            v, weight = v[whole], weight[whole]
            for k in range(self.n_orders) if whole.any() else ():
                member, member_params = self.member(params, k)
                inputs = member.conditionals.inputs(member.ordered(v))
                out = member.apply(member_params, inputs)
                out = np.ascontiguousarray(out[:, member.outputs_back])
                sums = counts(self.conditionals, out, v, weight)
                place = 0 if self.shared else k
                totals[place] = totals[place] + np.concatenate(sums)
        return tuple(
            tree if np.ndim(total) == 0 else self._shifted(tree, total)
            for tree, total in zip(params, totals)
        )

    def _shifted(self, params, total):
        ends = np.cumsum([self.conditionals.n_inputs.sum(), self.members[0].n_outputs])
        counted, excess, known = np.split(total, ends)
        shift = shifts(self.conditionals, counted, excess, known)
        return self.members[0].shifted(params, shift.astype(leaves(params)[0].dtype))

    def watched(self, params, v, rng):
        """Negative log-likelihood of each row under the ensemble, in nats."""
        log_p = [
            self.log_likelihood(params, v, k, rng.fold(_MEMBER, k), _WATCH)
            for k in range(self.n_orders)
        ]
        return -log_mean_exp(np.stack(log_p))[0]

    def log_likelihood(self, params, v, k, rng, n_draws=None):
        """Log-likelihood of each row under member k, (n_rows,) in float64, in nats; of
        rows with missing entries an estimate by ``n_draws`` particles, or as many as
        the ensemble has."""
        return self._scored("log_likelihood", params, v, k, rng, n_draws)

    def log_p(self, params, v, k, rng, n_draws=None):
        """Log probability of each entry given the entries before it by member k, 0 if
        missing, in nats: (n_rows, n_columns) in the data's order; see
        :meth:`log_likelihood`."""
        scores = self._scored("log_p", params, v, k, rng, n_draws)
        return scores[:, self.members[k].place]

    def _scored(self, method, params, v, k, rng, n_draws):
        """Score complete rows by a method of a member, and others by particles."""
        member, member_params = self.member(params, k)
        ordered = member.ordered(v)
        holes = np.isnan(ordered).any(axis=1)
        if not holes.any():
            return getattr(member, method)(member_params, ordered)
        scores = np.empty(len(v) if method == "log_likelihood" else v.shape)
        if not holes.all():
            scores[~holes] = getattr(member, method)(member_params, ordered[~holes])
        listed = n_draws is None

        def score(rows, rng, n):
            completed = member.filled(member_params, ordered[rows], rng, n, listed)
            scores[rows] = getattr(completed, method)
            return np.minimum(completed.effective, n * completed.near_share)

        rounds(self, score, np.flatnonzero(holes), rng, n_draws)
        return scores

    def features(self, params, v):
        """Last hidden layers of the members given the whole row, side by side."""
        n, parts = (1 if self.shared else self.n_orders), []
        for k in range(n):
            member, member_params = self.member(params, k)
            parts.append(member.features(member_params, member.ordered(v)))
        return np.concatenate(parts, axis=1)

    def sampled(self, params, v, rng):
        """Fill missing entries with draws conditional on the entries before, each row
        by a member chosen at random: rows of nothing but NaN become exact samples of
        the ensemble."""
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
        """A member, and its parameters in its own order of columns."""
        member = self.members[k]
        return member, member.placed(params[0 if self.shared else k])


def _initial(members, rng, dtype):
    """Initial parameters that members share; zeros for weights that no mask allows."""
    params, masks = members[0].init(rng, dtype), [m.allowed() for m in members]
    if not masks[0]:
        return params

    def limited(leaf, *masks):
        return leaf * np.maximum.reduce(masks).astype(dtype)

    return tree_map(limited, params, *masks)
