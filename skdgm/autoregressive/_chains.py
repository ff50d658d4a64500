"""Nets for one order of the columns each, as one model."""

import numpy as np
from scipy.special import softmax

from skdgm.utils.math import log_mean_exp
from skdgm.utils.tree import tree_map

# Particles for rows that are incomplete, while learning and while it is watched.
_LEARN, _WATCH = 4, 8
# Streams: of members, which of them is had, and which particle.
_MEMBER, _CHOICE = range(200, 202)
# Numbers that all particles of some rows may have in a layer.
_ROOM = 2**22


class Chains:
    """An ensemble: its density is the mean of its members'.

    Parameters
    ----------
    conditionals : Conditionals
        Of the columns as data have them.
    members : list of Chain
    n_draws : int
        Particles for each incomplete row.
    shared : bool
        Whether members have their parameters in common, and learn by turns.
    """

    def __init__(self, conditionals, members, n_draws, shared=False):
        self.conditionals, self.members = conditionals, members
        self.n_draws, self.shared = n_draws, shared
        self.n_orders, first = len(members), members[0]
        self.width = max(first.n_inputs, first.n_outputs, first.n_units)
        self.n_features = first.n_features * (1 if shared else len(members))

    def init(self, rng, dtype):
        """Parameters of all members."""
        if not self.shared:
            return tuple(self._begun([m], rng, dtype) for m in self.members)
        return (self._begun(self.members, rng, dtype),)

    def _begun(self, members, rng, dtype):
        """Parameters of members together; zeros where none of them allows any."""
        params, masks = members[0].init(rng, dtype), [m.allowed() for m in members]
        if not masks[0]:
            return params

        def limited(leaf, *masks):
            return leaf * np.maximum.reduce(masks).astype(dtype)

        return tree_map(limited, params, *masks)

    def present(self, params, v, rng, number):
        """Rows as members are to learn of them: of all members together, or of the one
        whose turn it is. What is missing is drawn, and not predicted."""
        turns = [number % self.n_orders] if self.shared else range(self.n_orders)
        return [(k, *self._completed(params, v, k, rng.fold(k))) for k in turns]

    def losses(self, params, presented):
        """Surprise at rows."""
        total = 0.0
        for k, ordered, whole in presented:
            member, own = self._member(params, k)
            total = total + member.loss(own, ordered, whole)
        return total

    def _completed(self, params, v, k, rng):
        """Rows in a member's order, and the same with nothing missing."""
        member, own = self._member(params, k)
        ordered = member.ordered(v)
        rows = np.flatnonzero(np.isnan(ordered).any(axis=1))
        if not rows.size:
            return ordered, ordered
        own_rng, whole = rng.rows(len(v)).take(rows), ordered.copy()
        found = self._filled(member, own, ordered[rows], own_rng, _LEARN)
        best = _chosen(found.log_w, own_rng.fold(_CHOICE))
        whole[rows] = found.v[np.arange(len(rows)), best]
        return ordered, whole

    def watched(self, params, v, rng):
        """Surprise at rows."""
        found = [
            self.log_likelihood(params, v, k, rng.fold(_MEMBER, k), _WATCH)
            for k in range(self.n_orders)
        ]
        return -log_mean_exp(np.stack(found))[0]

    def log_likelihood(self, params, v, k, rng, n_draws=None):
        """Of rows, by a member."""
        return self._scored("log_likelihood", params, v, k, rng, n_draws)

    def log_p(self, params, v, k, rng, n_draws=None):
        """Log probabilities of entries by a member, each given those before it."""
        found = self._scored("log_p", params, v, k, rng, n_draws)
        return found[:, self.members[k].place]

    def _scored(self, what, params, v, k, rng, n_draws):
        """By a member: of whole rows, or of particles of those that are not."""
        member, own = self._member(params, k)
        ordered = member.ordered(v)
        holes = np.isnan(ordered).any(axis=1)
        if not holes.any():
            return getattr(member, what)(own, ordered)
        places, parts = [np.flatnonzero(~holes)], []
        if places[0].size:
            parts.append(getattr(member, what)(own, ordered[~holes]))
        for rows in self._parts(np.flatnonzero(holes), n_draws):
            given = ordered[rows], rng.take(rows), n_draws
            places.append(rows)
            parts.append(getattr(self._filled(member, own, *given), what))
        return np.concatenate(parts)[np.argsort(np.concatenate(places))]

    def features(self, params, v):
        """Hidden units that have seen whole rows: those of all members."""
        n, parts = (1 if self.shared else self.n_orders), []
        for k in range(n):
            member, own = self._member(params, k)
            parts.append(member.features(own, member.ordered(v)))
        return np.concatenate(parts, axis=1)

    def sampled(self, params, v, rng):
        """Rows drawn, each by a member at random."""
        v, chosen = v.copy(), rng.fold(_CHOICE).uniform(1)[:, 0] * self.n_orders
        for k in range(self.n_orders):
            rows = np.flatnonzero(chosen.astype(np.intp) == k)
            if rows.size:
                member, own = self._member(params, k)
                given = member.ordered(v[rows]), rng.take(rows)
                v[rows] = member.drawn(own, *given)[:, member.place]
        return v

    def fill(self, params, v, rng, method):
        """Rows with what is missing, by what particles of all members weigh."""
        v = v.copy()
        for rows in self._parts(np.arange(len(v)), None):
            v[rows] = self._fill(params, v[rows], rng.take(rows), method)
        return v

    def _fill(self, params, v, rng, method):
        parts = []
        for k in range(self.n_orders):
            member, own = self._member(params, k)
            found = self._filled(member, own, member.ordered(v), rng.fold(_MEMBER, k))
            inputs = found.inputs[..., member.back[0]]
            weights = found.log_w, found.log_joint
            parts.append((found.v[..., member.place], inputs, *weights))
        x, inputs, log_w, log_joint = (np.concatenate(p, axis=1) for p in zip(*parts))
        # Of a normal distribution the mode is the mean.
        if method == "mean" or (method == "mode" and self.members[0].normal):
            mean = np.einsum("re,rei->ri", softmax(log_w, axis=1), inputs)
            return self.conditionals.value(mean.astype(v.dtype))
        best = log_joint.argmax(axis=1)
        if method == "sample":
            best = _chosen(log_w, rng.fold(_CHOICE))
        return x[np.arange(len(v)), best]

    def _filled(self, member, own, ordered, rng, n_draws=None):
        return member.filled(own, ordered, rng, n_draws or self.n_draws)

    def _parts(self, rows, n_draws):
        """Rows in parts that there is room for, with all their particles."""
        size = max(1, _ROOM // (self.width * (n_draws or self.n_draws)))
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def _member(self, params, k):
        member = self.members[k]
        return member, member.placed(params[0 if self.shared else k])


def _chosen(log_w, rng):
    """Numbers of columns, drawn by weight, one for each row."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    upto = np.cumsum(w, axis=1) / w.sum(axis=1, keepdims=True)
    return (upto[:, :-1] <= rng.uniform(1)).sum(axis=1)
