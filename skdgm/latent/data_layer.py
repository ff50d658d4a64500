r"""Columns that depend on each other given latent units, and results of a pass.

Missing entries are drawn from their conditional distributions given previous entries,
some of which may themselves have been drawn. The likelihoods of the observed entries
then estimate their probability without bias,

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

# Factor of the learning rate of links between columns. At the learning rate of other
# weights, the links explain the data without the hidden layers, and log-likelihoods are
# lower: by a nat on digits.
PACE = 0.03


class Entries(NamedTuple):
    """Rows v, NaN where missing, and a random stream for each row, for missing
    entries."""

    v: np.ndarray
    rng: object


class Pass(NamedTuple):
    """Result of a pass through encoders and decoders.

    All arrays but ``stats`` have consecutive draws of each row. Tuples have an array
    for each layer, the lowest first.

    Parameters
    ----------
    out
        Outputs of the lowest decoder.
    log_q
        Log-probabilities of draws given the layer below. In an exact pass, the entry of
        the highest layer is its divergence from the prior, one for each row.
    log_p
        Log-probabilities of draws given the layer above, or under the prior, unless it
        is included in ``log_q``.
    z, stats
        Latent units, with drawn covariates as the last array, and parameters of the
        distributions of latent units.
    statistics
        Updated statistics of the nets.
    filled
        Rows with missing entries drawn, if links between columns need them.
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
        """log q(z | x) - log p(z) of each draw, (n_rows * n_draws,), or its expectation
        for each row."""
        return sum(self.log_q) - sum(self.log_p)

    def with_free(self, limit):
        """The same pass without gradients of layers whose mean gap is below ``limit``,
        in nats."""
        if not limit:
            return self
        log_q, log_p = list(self.log_q), list(self.log_p)
        for level, upwards in enumerate(log_q):
            # The log q of the highest layer may be its expected gap.
            downwards = log_p[level] if level < len(log_p) else 0.0
            if (getval(upwards) - getval(downwards)).mean() < limit:
                log_q[level] = getval(upwards)
                if level < len(log_p):
                    log_p[level] = getval(downwards)
        return self._replace(log_q=tuple(log_q), log_p=tuple(log_p))


class DataLayer:
    """Links between columns, of a ``kind`` of :mod:`skdgm.latent.links`. ``output`` is
    the distribution of the columns given outputs, and ``order`` the order of their
    prediction. ``scored`` is True if the objective has score-function gradients of log
    q, False if only of log p, and None if it has none. With ``ranks``, each column
    depends on columns of lower rank only, instead of all previous columns. ``pace``
    multiplies the learning rate of the links."""

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
        # Weight of each input in the penalty on the weights of the link.
        self.tight = None
        if ranks is not None:
            self.link.mask *= ranks[of_inputs][:, None] < ranks[of_outputs]
            self.tight = (ranks[of_inputs] > 0).astype(np.float32)[:, None]
        mixed = alike(output)
        self.single = mixed.single if mixed else None

    def of(self, output):
        """The same links between columns with another ``output``."""
        layer = copy(self)
        layer.output, layer.single = output, output.single
        return layer

    def complete(self, decoded, params, x, entries, train):
        """The pass ``decoded`` with outputs that also depend on previous columns; other
        arguments as in :meth:`Hierarchy.through`. In training, log-probabilities have
        the gradients due to drawn missing entries, but not their values."""
        link, v = params.links[1][0], None
        if entries is not None and np.isnan(entries.v).any():
            if train and self.scored is None:
                raise ValueError(
                    f"With autoregressive={self.kind!r} the objectives "
                    '"disarm", "concrete" and "straight-through" have no gradients for '
                    'missing values: take "rws", "vimco", "nvil", "reinforce" or '
                    '"wake-sleep", or impute them first.'
                )
            n_draws = len(decoded.out) // len(entries.v)
            v = np.repeat(entries.v, n_draws, axis=0)
            fixed, raw = tree_map(getval, params), getval(decoded.out)
            filled, _ = self.fill(fixed, raw, v, entries.rng.each(n_draws))
            decoded, x = decoded._replace(filled=filled), self.output.inputs(filled)
        decoded = decoded._replace(out=self.link.apply(link, decoded.out, x))
        if v is None or not train:
            return decoded
        drawn = np.where(np.isnan(v), filled, filled.dtype.type(np.nan))
        score = -nll(decoded.out, params.dispersion, drawn, self.output)
        score = score - getval(score)
        log_p = decoded.log_p[0] + score, *decoded.log_p[1:]
        decoded = decoded._replace(log_p=log_p)
        if self.scored:
            log_q = decoded.log_q[0] + score, *decoded.log_q[1:]
            decoded = decoded._replace(log_q=log_q)
        return decoded

    def size(self, params):
        """Sum of the squared effects of columns above the lowest rank."""
        links = params.links[1][0]
        return (links * links * self.tight).sum()

    def outputs(self, params, raw, x):
        """Outputs given the outputs ``raw`` of the decoder and the inputs x of all
        columns."""
        return self.link.apply(params.links[1][0], raw, x)

    def fill(self, params, raw, v, rng, events=None):
        """Draw missing entries of rows v, each given previous entries and the outputs
        ``raw`` of the decoder. Returns completed rows, and the log-probability,
        (n_rows,) in float64, of ``events``, to which missing entries are constrained.
        """
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
        """Draw rows given the outputs ``raw`` of the decoder."""
        all_missing = np.full((len(raw), len(self.order)), np.nan, raw.dtype)
        return self.fill(params, raw, all_missing, rng)[0]

    def mean(self, params, raw):
        """Mean of each column, or its most probable category, given the mean inputs of
        previous columns."""
        link = params.links[1][0]
        if self.output.kind == "bernoulli":
            all_missing = np.full((len(raw), len(self.order)), np.nan, raw.dtype)
            return self.link.bits(link, raw, all_missing)
        state = self.link.begin(link, raw)
        x = np.empty((len(raw), self.link.n_inputs), raw.dtype)
        for t, j in enumerate(self.order):
            out = self.link.output(link, state, t)
            mean = self._column(params, j)[0].expected(out).astype(raw.dtype)
            x[:, self.link.seen[t]] = mean
            self.link.absorb(link, state, t, mean)
        return self.output.value(x)

    def expected(self, out, v, filled):
        """Inputs of ``filled`` rows; columns after the last observed entry are at their
        means."""
        x = self.output.inputs(filled)
        last_observed = np.where(np.isnan(v), -1, self.place).max(axis=1)
        late = self.link.of_inputs > last_observed[:, None]
        return np.where(late, self.output.expected(out), x)

    def _column(self, params, j):
        """Distribution of a column, and its further parameters."""
        if self.single is not None:
            return self.single[j], ()
        output = NormalOutput(np.ones(1, int), self.output.variance, self.output.floor)
        return output, params.dispersion[j : j + 1]
