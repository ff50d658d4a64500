r"""Columns that depend on each other given latent units, and results of a pass.

A missing entry is drawn from its conditional distribution, given the entries before it,
some of which may have been drawn, too; those seen are weighed by theirs. That makes an
unbiased estimate of the probability of what was seen,

.. math:: p(x_O \mid z) = \mathbb{E} \prod_{j \in O} p(x_j \mid x_{<j}, z),
   \qquad x_i \sim p(x_i \mid x_{<i}, z), \; i \notin O
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from skdgm.distributions import NormalOutput, draw_within
from skdgm.latent.conditional import alike
from skdgm.latent.links import LINKS
from skdgm.nets import nll
from skdgm.nets.tape import getval
from skdgm.utils.tree import tree_map

# Pace at which links between columns learn: slowly, so that hidden layers explain what
# they can. At the pace of other weights these links leave hidden layers nothing to say,
# and likelihoods are lower: with digits by a nat.
PACE = 0.03


class Pass(NamedTuple):
    """Result of a pass through encoders and decoders.

    Each row has consecutive draws: all arrays but ``stats`` have a row for each.
    Tuples have an array for each layer, the lowest first.

    Parameters
    ----------
    out
        Outputs of the lowest decoder.
    log_q
        Log probabilities of draws given the layer below. That of the highest layer is,
        by option, less that of its prior and in expectation, one for each row.
    log_p
        Those of draws given the layer above, or of the prior, unless in ``log_q``.
    z, stats
        Latent units, and parameters of the distributions that these are drawn from.
    statistics
        Updated state of the nets.
    whole
        Rows with missing entries drawn, where links between columns needed these.
    """

    out: object
    log_q: tuple
    log_p: tuple
    z: tuple
    stats: tuple
    statistics: tuple
    whole: object = None

    @property
    def gap(self):
        """log q(z | x) - log p(z) of each draw, of shape (n_rows * n_draws,); or its
        expectation, for each row."""
        return sum(self.log_q) - sum(self.log_p)

    def with_free(self, limit):
        """The same without gradients by the gap of each layer whose mean is below a
        limit, in nats."""
        if not limit:
            return self
        log_q, log_p = list(self.log_q), list(self.log_p)
        for level, own in enumerate(log_q):
            # The expected gap of the highest layer may be in log q.
            above = log_p[level] if level < len(log_p) else 0.0
            if (getval(own) - getval(above)).mean() < limit:
                log_q[level] = getval(own)
                if level < len(log_p):
                    log_p[level] = getval(above)
        return self._replace(log_q=tuple(log_q), log_p=tuple(log_p))


class DataLayer:
    """Links between columns, of a ``kind`` of :mod:`skdgm.latent.links`.

    ``output`` is the distribution of the columns given outputs; ``order`` has their
    numbers in the order of their prediction. ``scored`` tells whether the objective has
    score functions of draws, so also of missing entries; it is None if it has no
    gradient of these. ``ranks`` are numbers of columns, of which each depends on those
    of lower ranks alone, instead of on all before it; ``pace`` is that of the link.
    """

    def __init__(self, output, kind, order, scored=None, *, ranks=None, pace=PACE):
        self.output, self.kind, self.order, self.scored = output, kind, order, scored
        self.place, n = np.argsort(order), len(order)
        if output.kind == "gaussian":
            of_outputs = np.arange(output.n_outputs.sum()) % n
            steady = np.arange(len(of_outputs)) >= n
        else:
            of_outputs = np.repeat(np.arange(n), output.n_outputs)
            found = getattr(output, "scaling", None)
            steady = None if found is None or not found.any() else found
        of_inputs, real = np.repeat(np.arange(n), output.n_inputs), steady is not None
        self.link = LINKS[kind](of_inputs, of_outputs, order, steady, real, pace)
        # Weight of each input's terms in the size of the link's weights.
        self.tight = None
        if ranks is not None:
            self.link.mask *= ranks[of_inputs][:, None] < ranks[of_outputs]
            self.tight = (ranks[of_inputs] > 0).astype(np.float32)[:, None]
        mixed = alike(output)
        self.single = mixed.single if mixed else None

    def of(self, output):
        """The same links between columns of which draws are others."""
        found = copy(self)
        found.output, found.single = output, output.single
        return found

    def complete(self, found, params, x, given, train):
        """Result of a pass, ``found`` with the outputs of the decoder, whose outputs
        depend on the columns before; other arguments are those of
        :meth:`Hierarchy.through`.

        In training its log probabilities have the gradients that come of missing
        entries, but not their values.
        """
        own, holes = params.links[1][0], None
        if given is not None and np.isnan(given[0]).any():
            if train and self.scored is None:
                raise ValueError(
                    f"With autoregressive={self.kind!r} the objectives "
                    '"disarm", "concrete" and "straight-through" have no gradients for '
                    'missing values: take "rws", "vimco", "nvil", "reinforce" or '
                    '"wake-sleep", or impute them first.'
                )
            n_each = len(found.out) // len(given[0])
            holes = np.repeat(given[0], n_each, axis=0)
            values = tree_map(getval, params), getval(found.out)
            whole, _ = self.fill(*values, holes, given[1].each(n_each))
            found, x = found._replace(whole=whole), self.output.inputs(whole)
        found = found._replace(out=self.link.apply(own, found.out, x))
        if holes is None or not train:
            return found
        drawn = np.where(np.isnan(holes), whole, whole.dtype.type(np.nan))
        score = -nll(found.out, params.own, drawn, self.output)
        score = score - getval(score)
        found = found._replace(log_p=(found.log_p[0] + score, *found.log_p[1:]))
        if self.scored:
            found = found._replace(log_q=(found.log_q[0] + score, *found.log_q[1:]))
        return found

    def size(self, params):
        """Sum of the squares of effects of columns above the lowest rank."""
        links = params.links[1][0]
        return (links * links * self.tight).sum()

    def outputs(self, params, raw, x):
        """Outputs given those of the decoder and the inputs of all columns."""
        return self.link.apply(params.links[1][0], raw, x)

    def fill(self, params, raw, v, rng, events=None):
        """Draw missing entries of v, each given those before it and the outputs ``raw``
        of the decoder: v, and the log probability, (n_rows,) in float64, of ``events``,
        if there are any, to which missing entries of each column belong."""
        own, log_p = params.links[1][0], np.zeros(len(v))
        if self.output.kind == "bernoulli" and events is None:
            noise = rng.uniform(v.shape[1], v.dtype.type)
            return self.link.bits(own, raw, v, noise), log_p
        v, state = v.copy(), self.link.begin(own, raw)
        for t, j in enumerate(self.order):
            out = self.link.output(own, state, t)
            rows, event = np.flatnonzero(np.isnan(v[:, j])), events and events[j]
            single, rest = self._column(params, j)
            streams = rng.take(rows).fold(j)
            if rows.size and event is not None:
                v[rows, j], mass = draw_within(single, out[rows], event, streams)
                log_p[rows] += mass
            elif rows.size:
                v[rows, j] = single.draw(out[rows], streams, rest)[:, 0]
            self.link.absorb(own, state, t, single.inputs(v[:, [j]]))
        return v, log_p

    def draw(self, params, raw, rng):
        """Draw rows, given the outputs of the decoder."""
        nothing = np.full((len(raw), len(self.order)), np.nan, raw.dtype)
        return self.fill(params, raw, nothing, rng)[0]

    def mean(self, params, raw):
        """Mean of each column (of categories, the most probable), given the means of
        inputs of those before it."""
        own = params.links[1][0]
        if self.output.kind == "bernoulli":
            nothing = np.full((len(raw), len(self.order)), np.nan, raw.dtype)
            return self.link.bits(own, raw, nothing)
        state = self.link.begin(own, raw)
        x = np.empty((len(raw), self.link.n_inputs), raw.dtype)
        for t, j in enumerate(self.order):
            out = self.link.output(own, state, t)
            found = self._column(params, j)[0].expected(out).astype(raw.dtype)
            x[:, self.link.seen[t]] = found
            self.link.absorb(own, state, t, found)
        return self.output.value(x)

    def expected(self, out, v, whole):
        """Inputs of filled rows: after the last entry of v that was seen, means."""
        x = self.output.inputs(whole)
        last = np.where(np.isnan(v), -1, self.place).max(axis=1)
        late = self.link.of_inputs > last[:, None]
        return np.where(late, self.output.expected(out), x)

    def _column(self, params, j):
        """Distribution of a column, and its parameters that are no outputs."""
        if self.single is not None:
            return self.single[j], ()
        how = self.output.variance, self.output.floor
        return NormalOutput(np.ones(1, int), *how), params.own[j : j + 1]
