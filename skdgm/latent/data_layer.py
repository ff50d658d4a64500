r"""Columns that depend on each other given latent units, and results of a pass.

A missing entry is drawn from its conditional distribution, given the entries before it,
some of which may have been drawn, too; those seen are weighed by theirs. That makes an
unbiased estimate of the probability of the seen entries,

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

# Pace at which links between columns learn: slowly, so that hidden layers explain as
# much as they can. At the pace of other weights these links leave hidden layers nothing
# to say, and likelihoods are lower: with digits by a nat.
PACE = 0.03


class Entries(NamedTuple):
    """Values of rows, NaN where missing, and a stream for each row, by which missing
    entries are drawn."""

    v: np.ndarray
    rng: object


class Pass(NamedTuple):
    """Result of a pass through encoders and decoders.

    Each row has consecutive draws: all arrays but ``stats`` have a row for each.
    Tuples have an array for each layer, the lowest first.

    Parameters
    ----------
    out
        Outputs of the lowest decoder.
    log_q
        Log probabilities of draws given the layer below. If exact, that of the highest
        layer is its divergence from the prior, one for each row.
    log_p
        Log probabilities of draws given the layer above, or of the prior, unless in
        ``log_q``.
    z, stats
        Latent units, with covariates that were drawn last, and parameters of the
        distributions of latent units.
    statistics
        Updated state of the nets.
    filled
        Rows with missing entries drawn, where links between columns needed these.
    """

    out: object
    log_q: tuple
    log_p: tuple
    z: tuple
    stats: tuple
    statistics: tuple
    filled: object = None

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
        for level, upwards in enumerate(log_q):
            # The expected gap of the highest layer may be in log q.
            downwards = log_p[level] if level < len(log_p) else 0.0
            if (getval(upwards) - getval(downwards)).mean() < limit:
                log_q[level] = getval(upwards)
                if level < len(log_p):
                    log_p[level] = getval(downwards)
        return self._replace(log_q=tuple(log_q), log_p=tuple(log_p))


class DataLayer:
    """Links between columns, of a ``kind`` of :mod:`skdgm.latent.links`.

    ``output`` is the distribution of the columns given outputs; ``order`` has their
    numbers in the order of their prediction. ``scored`` tells whether the objective has
    score functions of draws, so also of missing entries; it is None if it has no
    such gradient. ``ranks`` are numbers of columns, of which each depends on those
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
            scaling = getattr(output, "scaling", None)
            steady = None if scaling is None or not scaling.any() else scaling
        of_inputs, real = np.repeat(np.arange(n), output.n_inputs), steady is not None
        self.link = LINKS[kind](
            of_inputs, of_outputs, order=order, steady=steady, scaled=real, pace=pace
        )
        # Weight of each input's terms in the size of the link's weights.
        self.tight = None
        if ranks is not None:
            self.link.mask *= ranks[of_inputs][:, None] < ranks[of_outputs]
            self.tight = (ranks[of_inputs] > 0).astype(np.float32)[:, None]
        mixed = alike(output)
        self.single = mixed.single if mixed else None

    def of(self, output):
        """The same links between columns with another distribution."""
        layer = copy(self)
        layer.output, layer.single = output, output.single
        return layer

    def complete(self, decoded, params, x, entries, train):
        """Pass ``decoded``, with outputs that depend on the columns before; other
        arguments are those of :meth:`Hierarchy.through`.

        In training its log probabilities have the gradients that come of missing
        entries, but not their values.
        """
        link, holes = params.links[1][0], None
        if entries is not None and np.isnan(entries.v).any():
            if train and self.scored is None:
                raise ValueError(
                    f"With autoregressive={self.kind!r} the objectives "
                    '"disarm", "concrete" and "straight-through" have no gradients for '
                    'missing values: take "rws", "vimco", "nvil", "reinforce" or '
                    '"wake-sleep", or impute them first.'
                )
            n_each = len(decoded.out) // len(entries.v)
            holes = np.repeat(entries.v, n_each, axis=0)
            values, raw = tree_map(getval, params), getval(decoded.out)
            filled, _ = self.fill(values, raw, holes, entries.rng.each(n_each))
            decoded, x = decoded._replace(filled=filled), self.output.inputs(filled)
        decoded = decoded._replace(out=self.link.apply(link, decoded.out, x))
        if holes is None or not train:
            return decoded
        drawn = np.where(np.isnan(holes), filled, filled.dtype.type(np.nan))
        score = -nll(decoded.out, params.own, drawn, self.output)
        score = score - getval(score)
        log_p = decoded.log_p[0] + score, *decoded.log_p[1:]
        decoded = decoded._replace(log_p=log_p)
        if self.scored:
            log_q = decoded.log_q[0] + score, *decoded.log_q[1:]
            decoded = decoded._replace(log_q=log_q)
        return decoded

    def size(self, params):
        """Sum of the squares of effects of columns above the lowest rank."""
        links = params.links[1][0]
        return (links * links * self.tight).sum()

    def outputs(self, params, raw, x):
        """Outputs given those of the decoder and the inputs of all columns."""
        return self.link.apply(params.links[1][0], raw, x)

    def fill(self, params, raw, v, rng, events=None):
        """Draw missing entries of v, each given previous entries and the outputs
        ``raw`` of the decoder: v, and the log probability, (n_rows,) in float64, of
        ``events``, if there are any, to which missing entries of each column belong."""
        link, log_p = params.links[1][0], np.zeros(len(v))
        if self.output.kind == "bernoulli" and events is None:
            noise = rng.uniform(v.shape[1], v.dtype.type)
            return self.link.bits(link, raw, v, noise), log_p
        v, state = v.copy(), self.link.begin(link, raw)
        for t, j in enumerate(self.order):
            out = self.link.output(link, state, t)
            rows, event = np.flatnonzero(np.isnan(v[:, j])), events and events[j]
            single, dispersion = self._column(params, j)
            streams = rng.take(rows).fold(j)
            if rows.size and event is not None:
                v[rows, j], mass = draw_within(single, out[rows], event, streams)
                log_p[rows] += mass
            elif rows.size:
                v[rows, j] = single.draw(out[rows], streams, dispersion)[:, 0]
            self.link.absorb(link, state, t, single.inputs(v[:, [j]]))
        return v, log_p

    def draw(self, params, raw, rng):
        """Draw rows, given the outputs of the decoder."""
        nothing = np.full((len(raw), len(self.order)), np.nan, raw.dtype)
        return self.fill(params, raw, nothing, rng)[0]

    def mean(self, params, raw):
        """Mean of each column (of categories, the most probable), given the means of
        inputs of previous columns."""
        link = params.links[1][0]
        if self.output.kind == "bernoulli":
            nothing = np.full((len(raw), len(self.order)), np.nan, raw.dtype)
            return self.link.bits(link, raw, nothing)
        state = self.link.begin(link, raw)
        x = np.empty((len(raw), self.link.n_inputs), raw.dtype)
        for t, j in enumerate(self.order):
            out = self.link.output(link, state, t)
            mean = self._column(params, j)[0].expected(out).astype(raw.dtype)
            x[:, self.link.seen[t]] = mean
            self.link.absorb(link, state, t, mean)
        return self.output.value(x)

    def expected(self, out, v, filled):
        """Inputs of filled rows: means after the last entry of v that was seen."""
        x = self.output.inputs(filled)
        last = np.where(np.isnan(v), -1, self.place).max(axis=1)
        late = self.link.of_inputs > last[:, None]
        return np.where(late, self.output.expected(out), x)

    def _column(self, params, j):
        """Distribution of a column, and its parameters that are no outputs."""
        if self.single is not None:
            return self.single[j], ()
        output = NormalOutput(np.ones(1, int), self.output.variance, self.output.floor)
        return output, params.own[j : j + 1]
