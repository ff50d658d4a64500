"""Ensemble of chains, one for each order of the columns."""

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.autoregressive._particles import chosen_by, filled
from skdgm.utils.math import log_mean_exp
from skdgm.utils.weighted import Weighted, joined, pooled
from skdgm.utils.tree import tree_map

# Particles for each incomplete row, in training and in monitoring.
_LEARN, _WATCH = 4, 8
# Share of the particles of a row that should count, at least; where fewer do, there are
# more by a factor, up to the most. Rows that are the same and have particles together.
_ENOUGH, _FACTOR, _MOST, _TOGETHER = 0.1, 4, 64, 8
# Random streams: of each member, for the choice of a member or a particle, and of more.
_MEMBER, _CHOICE, _MORE = range(200, 203)
# Limits on the numbers of one layer for all particles of a part of the rows, and of a
# row; and on the entries of all particles of a row.
_ROOM, _LARGE, _WORK = 2**22, 2**24, 2**19


class Chains:
    r"""Ensemble of K chains, whose density is the mean of theirs.

    .. math:: p(x) = \frac1K \sum_{k=1}^K p_k(x)

    Parameters
    ----------
    conditionals : MixedOutput
        Of the columns in the data's order.
    members : list of Chain
    n_draws : int
        Particles for each incomplete row.
    shared : bool, default=False
        Whether members share their parameters; if so, each update trains one of them,
        in turn.
    """

    def __init__(self, conditionals, members, n_draws, shared=False):
        self.conditionals, self.members = conditionals, members
        self.n_draws, self.shared = n_draws, shared
        self.n_orders, first = len(members), members[0]
        self.width = max(first.n_inputs, first.n_outputs, first.n_units)
        self.n_features = first.n_features * (1 if shared else len(members))

    def init(self, rng, dtype):
        """Draw initial parameters.

        Parameters
        ----------
        rng : numpy.random.Generator
        dtype : type

        Returns
        -------
        params : tuple
            One tree for each member, or a single one if they are shared.
        """
        if not self.shared:
            return tuple(self._begun([m], rng, dtype) for m in self.members)
        return (self._begun(self.members, rng, dtype),)

    def _begun(self, members, rng, dtype):
        """Initial parameters of members; zeros for weights that no mask allows."""
        params, masks = members[0].init(rng, dtype), [m.allowed() for m in members]
        if not masks[0]:
            return params

        def limited(leaf, *masks):
            return leaf * np.maximum.reduce(masks).astype(dtype)

        return tree_map(limited, params, *masks)

    def prepare(self, params, v, rng, number):
        """Rows in the form that :meth:`losses` needs, for one update.

        Missing entries are drawn, to be conditioned on; they are not predicted.

        Parameters
        ----------
        params : tuple
        v : ndarray of shape (n_rows, n_columns)
            NaN where missing.
        rng : Stream
        number : int
            Number of the update, which selects the member if parameters are shared.

        Returns
        -------
        prepared : list of (int, ndarray, ndarray)
            For each member to be trained its number, the rows in its order, and the
            same rows with missing entries filled.
        """
        turns = [number % self.n_orders] if self.shared else range(self.n_orders)
        return [(k, *self._completed(params, v, k, rng.fold(k))) for k in turns]

    def losses(self, params, prepared):
        """Negative log-likelihood of each row, summed over the members to be trained.

        Parameters
        ----------
        params : tuple
        prepared : list
            From `prepare`.

        Returns
        -------
        loss : ndarray of shape (n_rows,)
        """
        total = 0.0
        for k, ordered, whole in prepared:
            member, own = self._member(params, k)
            total = total + member.loss(own, ordered, whole)
        return total

    def _completed(self, params, v, k, rng):
        """Rows in a member's order, and the same with missing entries drawn."""
        member, own = self._member(params, k)
        ordered = member.ordered(v)
        rows = np.flatnonzero(np.isnan(ordered).any(axis=1))
        if not rows.size:
            return ordered, ordered
        own_rng, whole = rng.rows(len(v)).take(rows), ordered.copy()
        found = member.filled(own, ordered[rows], own_rng, _LEARN)
        best = chosen_by(found.log_w, own_rng.fold(_CHOICE))
        whole[rows] = found.v[np.arange(len(rows)), best]
        return ordered, whole

    def watched(self, params, v, rng):
        """Negative log-likelihood of each row under the ensemble, in nats."""
        found = [
            self.log_likelihood(params, v, k, rng.fold(_MEMBER, k), _WATCH)
            for k in range(self.n_orders)
        ]
        return -log_mean_exp(np.stack(found))[0]

    def log_likelihood(self, params, v, k, rng, n_draws=None):
        """Log-likelihood of each row under one member, in nats.

        Parameters
        ----------
        params : tuple
        v : ndarray of shape (n_rows, n_columns)
            NaN where missing; such rows have an estimate by particles.
        k : int
            Number of the member.
        rng : Stream
            One stream for each row.
        n_draws : int, optional
            Number of particles; by default that of the ensemble.

        Returns
        -------
        log_likelihood : ndarray of shape (n_rows,), float64
        """
        return self._scored("log_likelihood", params, v, k, rng, n_draws)

    def log_p(self, params, v, k, rng, n_draws=None):
        """Log probability of each entry given those before it by one member, in nats.

        Parameters
        ----------
        params, v, k, rng, n_draws
            As of :meth:`log_likelihood`.

        Returns
        -------
        log_p : ndarray of shape (n_rows, n_columns), float64
            In the data's order of columns; 0 for missing entries.
        """
        found = self._scored("log_p", params, v, k, rng, n_draws)
        return found[:, self.members[k].place]

    def _scored(self, what, params, v, k, rng, n_draws):
        """Score complete rows directly and incomplete ones by particles."""
        member, own = self._member(params, k)
        ordered = member.ordered(v)
        holes = np.isnan(ordered).any(axis=1)
        if not holes.any():
            return getattr(member, what)(own, ordered)
        found = np.empty(len(v) if what == "log_likelihood" else v.shape)
        if not holes.all():
            found[~holes] = getattr(member, what)(own, ordered[~holes])

        def score(rows, rng, n):
            drawn = member.filled(own, ordered[rows], rng, n)
            found[rows] = getattr(drawn, what)
            return np.minimum(drawn.effective, n * drawn.found)

        self._rounds(score, np.flatnonzero(holes), rng, n_draws)
        return found

    def features(self, params, v):
        """Last hidden layers of the members given the whole row, side by side."""
        n, parts = (1 if self.shared else self.n_orders), []
        for k in range(n):
            member, own = self._member(params, k)
            parts.append(member.features(own, member.ordered(v)))
        return np.concatenate(parts, axis=1)

    def sampled(self, params, v, rng):
        """Fill missing entries with draws, each row by a member chosen at random.

        Each entry is drawn given those before it: rows of nothing but NaN become exact
        samples of the ensemble.

        Parameters
        ----------
        params : tuple
        v : ndarray of shape (n_rows, n_columns)
        rng : Stream
            One stream for each row.

        Returns
        -------
        v : ndarray of shape (n_rows, n_columns)
        """
        v, chosen = v.copy(), rng.fold(_CHOICE).uniform(1)[:, 0] * self.n_orders
        for k in range(self.n_orders):
            rows = np.flatnonzero(chosen.astype(np.intp) == k)
            if rows.size:
                member, own = self._member(params, k)
                given = member.ordered(v[rows]), rng.take(rows)
                v[rows] = member.drawn(own, *given)[:, member.place]
        return v

    def fill(self, params, v, rng, method, who="", tell=None):
        """Fill missing entries given the others, by weighted particles of all members.

        Rows of which few particles count have more of them; of many rows that are the
        same, draws are chosen from particles for all.

        Parameters
        ----------
        params : tuple
        v : ndarray of shape (n_rows, n_columns)
            NaN where missing.
        rng : Stream
            One stream for each row.
        method : {"mean", "mode", "sample"}
            The weighted mean, the particle of highest joint probability (of a normal
            distribution the mean), or a particle drawn by weight.
        who : str
            Name of the model, for a warning.
        tell : callable, optional
            Is told the effective numbers of particles, of shape (n_rows,).

        Returns
        -------
        v : ndarray of shape (n_rows, n_columns)
        """
        v, holed, counted = v.copy(), v, np.full(len(v), np.inf)
        left = np.flatnonzero(np.isnan(v).any(axis=1))
        if method == "sample":
            left = self._together(params, v, left, rng, who)

        def attempt(rows, rng, n):
            given = params, holed[rows], rng, method, n
            v[rows], counted[rows] = self._fill(*given)
            return counted[rows]

        self._rounds(attempt, left, rng)
        if tell is not None:
            tell(counted)
        return v

    def _rounds(self, attempt, rows, rng, n_draws=None):
        """Attempt something with particles of some rows, and again, with new and more
        ones, for those of which few count; with ``n_draws`` once, with as many."""
        n, most = n_draws or self.n_draws, n_draws or self.most
        need, own = _ENOUGH * n, rng
        while rows.size:
            few = [p[attempt(p, own.take(p), n) < need] for p in self._parts(rows, n)]
            rows = np.concatenate(few) if n < most else rows[:0]
            n = min(n * _FACTOR, most)
            own = rng.fold(_MORE, n)

    @property
    def most(self):
        """Most particles of a row."""
        room = min(_WORK // len(self.conditionals.kinds), _LARGE // self.width)
        return max(self.n_draws, min(_MOST * self.n_draws, room))

    def _together(self, params, v, rows, rng, who):
        """Fill rows, of which many are the same, in place; numbers of the others."""
        keys = np.ascontiguousarray(v[rows]).view(f"V{v[:1].nbytes}").ravel()
        _, place, size = np.unique(keys, return_inverse=True, return_counts=True)
        for number in np.flatnonzero(size >= _TOGETHER):
            own = rows[place == number]
            given = params, v[own[0]], len(own), rng.take(own[:1]), who
            v[own] = self.conditioned(*given)
        return rows[size[place] < _TOGETHER]

    def conditioned(self, params, v, n, rng, who, events=None):
        """Draw rows given known values and events, the same ones for all rows.

        Parameters
        ----------
        params : tuple
        v : ndarray of shape (n_columns,)
            Known values, NaN elsewhere.
        n : int
            Number of rows.
        rng : Stream
            With one stream.
        who : str
            Name of the model, for a warning.
        events : sequence of {Event, None}, optional
            Events to which other columns belong.

        Returns
        -------
        v : ndarray of shape (n, n_columns)
        """
        members = [self._member(params, k) for k in range(self.n_orders)]
        prepared = [member.prepared(own) for member, own in members]

        def draw(size, rng):
            parts = []
            for k, (member, own) in enumerate(members):
                given = member.ordered(v[None]), rng.fold(_MEMBER, k), size
                if events is None or not any(events):
                    found = member.filled(own, *given)
                else:
                    found = filled(member, prepared[k], *given, events)
                rows, log_w = found.v[0][:, member.place], found.log_w[0]
                facts = min(found.effective[0], len(log_w)), found.found[0]
                parts.append(Weighted(rows, log_w, *facts))
            return joined(parts)

        return pooled(draw, n, rng, max(1, _ROOM // self.width), who)

    def _fill(self, params, v, rng, method, n):
        parts, found, squares = [], np.inf, []
        for k in range(self.n_orders):
            member, own = self._member(params, k)
            own = member.filled(own, member.ordered(v), rng.fold(_MEMBER, k), n)
            inputs = own.inputs[..., member.back[0]]
            parts.append((own.v[..., member.place], inputs, own.log_w, own.log_joint))
            found = np.minimum(found, n * own.found)
            squares.append(2 * logsumexp(own.log_w, axis=1) - np.log(own.effective))
        x, inputs, log_w, log_joint = (np.concatenate(p, axis=1) for p in zip(*parts))
        number = np.exp(2 * logsumexp(log_w, axis=1) - logsumexp(squares, axis=0))
        number = np.minimum(number, found)
        # Of a normal distribution the mode is the mean.
        if method == "mean" or (method == "mode" and self.members[0].normal):
            mean = np.einsum("re,rei->ri", softmax(log_w, axis=1), inputs)
            return self.conditionals.value(mean.astype(v.dtype)), number
        best = log_joint.argmax(axis=1)
        if method == "sample":
            best = chosen_by(log_w, rng.fold(_CHOICE))
        return x[np.arange(len(v)), best], number

    def _parts(self, rows, n_draws):
        """Split row numbers into parts whose particles fit in memory."""
        size = max(1, _ROOM // (self.width * n_draws))
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def _member(self, params, k):
        member = self.members[k]
        return member, member.placed(params[0 if self.shared else k])
