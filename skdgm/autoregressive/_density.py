"""Density of an autoregressive model, and its objective, the log-likelihood."""

from functools import partial

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from skdgm.autoregressive._balance import MOST, N_TIMES, any_coded
from skdgm.base import Density, of_rows
from skdgm.data import events_of, fill, tell_unknown
from skdgm.nets import NetObjective
from skdgm.utils.counts import count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype, leaves
from skdgm.utils.weighted import tell_few

METHODS = "mean", "mode", "sample"
# Rows drawn at a time.
_AT_ONCE = 1000
# Share of particles of a row that count, below which there is a warning.
_FEW = 0.015
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**18


class ChainDensity(Density):
    r"""Product of conditional distributions, or the mean of such products.

    .. math:: p(x) = \frac1K \sum_{k=1}^K \prod_t
        p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

    Besides the arguments of :class:`~skdgm.base.Density` it has parameters; ``grey``,
    whether the training rows were; ``filler``, the model that fills, by default the
    same; and ``model``, :class:`ChainEnsemble` or :class:`Orderless`, which defines

    - ``n_orders``, and for each order ``log_likelihood(params, v, order, rng)`` of rows
      and ``log_p(params, v, order, rng)`` of entries,
    - ``sampled(params, v, rng)``, missing entries drawn in order;
      ``fill(params, v, rng, method, name, report)``, conditional on all others; and
      ``conditioned(params, v, n, rng, name, events)``, rows under the same conditions,
    - ``features(params, v)``, and ``width``, the units of the widest layer,
    - ``takes_any``, whether the model has conditionals on any columns, so that missing
      ones need no particles.
    """

    def __init__(self, context, *, model, params, grey, filler=None):
        super().__init__(context)
        self.model, self.params, self.grey = model, params, grey
        self.filler = model if filler is None else filler
        # Means of a normal distribution are linear, however far.
        self.bounded = not getattr(model, "normal", False)

    @property
    def capabilities(self):
        """Exact with one order of the columns, and estimates by particles; scores of
        grey rows are no likelihoods."""
        kind = "exact" if self.model.n_orders == 1 else "estimate"
        holes = kind if self.model.takes_any else "estimate"
        entries = of_rows(kind, missing=holes, grey="estimate")
        drawn = dict.fromkeys(("conditions", "ranges"), "estimate")
        return {
            "log_prob": entries,
            "log_prob_of_entries": entries,
            "features": of_rows("exact", missing=holes),
            "sample": {"nothing": "exact"} | drawn,
            "fill": {"missing": "estimate"},
        }

    def log_prob(self, X):
        """Log-likelihood of each row, in nats."""

        def of_rows(params, v, rng):
            log_p = [
                self.model.log_likelihood(params, v, k, rng.fold(k))
                for k in range(self.model.n_orders)
            ]
            return log_mean_exp(np.stack(log_p))[0]

        rows, log_p = self._of_rows(X, of_rows)
        self.tell_grey(rows)
        return log_p + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, given="before"):
        """Log-likelihood of each entry given entries "before" it, or all "others"."""

        def of_rows(params, v, rng):
            if given == "others":
                return self.model.others(params, v)
            orders = range(self.model.n_orders)
            parts = (self.model.log_p(params, v, k, rng.fold(k)) for k in orders)
            return sum(parts) / self.model.n_orders

        rows, log_p = self._of_rows(X, of_rows)
        self.tell_grey(rows)
        return log_p + self.domain.log_entries(self.columns, rows)

    def sample(self, n_samples, random_state=None, *, conditions=None, names=None):
        """Draw rows, each column conditional on the columns before it, under
        ``conditions``, a dict by the ``names`` of columns."""
        n_columns = len(self.columns.seen)
        n_samples = count_rows(n_samples, n_columns)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, dtype = stream(seed), leaves(self.params)[0].dtype
        if conditions is not None:
            kinds = getattr(self.columns, "kinds", self.model.conditionals.kinds)
            x, v, events = events_of(
                self.columns, kinds, conditions, names, self.name, self.bounded
            )
            v = v.astype(dtype)
            with one_blas_thread():
                drawn = self.model.conditioned(
                    self.params, v, n_samples, rng, self.name, events
                )
            drawn = self.domain.to_data(self.columns, drawn)
            drawn[:, ~np.isnan(x)] = x[~np.isnan(x)]
            return self.decoded(drawn)
        rng, parts = rng.rows(n_samples), []
        with one_blas_thread():
            for part in gen_batches(n_samples, _AT_ONCE):
                streams = rng.take(part)
                empty = np.full((len(streams.ids), n_columns), np.nan, dtype)
                parts.append(self.model.sampled(self.params, empty, streams))
        return self.decoded(self.domain.to_data(self.columns, np.concatenate(parts)))

    def fill(self, X, method="mean", random_state=None, *, n_samples=1):
        """Fill missing entries of ``n_samples`` copies of each row, by ``method``
        "mean", "mode" or "sample"."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        effective = []

        def filled(v, rng):
            return self.filler.fill(
                self.params, v, rng, method, self.name, effective.append
            )

        complete = fill(
            self, self.widened(X), method, random_state, filled, METHODS, n_samples
        )
        if effective:
            least = _FEW * self.filler.n_draws
            tell_few(self.name, np.concatenate(effective), least)
        return self.decoded(complete, X)

    def features(self, X):
        """Hidden units of each row, given the whole row."""
        rows, features = self._of_rows(X, lambda p, v, _: self.model.features(p, v))
        tell_unknown(self.name, X, rows)
        return features

    @property
    def n_features_out(self):
        """Number of columns of :meth:`features`."""
        return self.model.n_features

    def _of_rows(self, X, function):
        """Validated rows, and values of a function of parameters, rows and streams."""
        rows = self.read(X)
        function = partial(function, astype(self.params, rows.dtype))
        return rows, self.by_content(function, rows, ROOM // self.model.width)


class ChainObjective(NetObjective):
    """Negative log-likelihood of rows by a model's conditionals.

    :class:`ChainEnsemble` or :class:`Orderless` define ``init(rng, dtype)``, which
    draws parameters; ``prepare(params, v, rng, number)``, the rows in the form to be
    learned in the update of a number; ``forward(params, prepared)``, the negative
    log-likelihood of each row, made of differentiable functions, and ();
    ``watched(params, v, rng)``, without gradients; and ``balanced(params, blocks)``
    unless it ``takes_any``, parameters with biases of
    :mod:`skdgm.autoregressive._balance`, given blocks of rows and their weights.
    """

    def __init__(self, run, independent, *, model):
        super().__init__(run, independent)
        self.model, self.thinned = model, getattr(model, "thinned", 1)

    def init(self, rng):
        """Initial parameters, which reproduce the frequencies of values only."""
        return self.model.init(rng, self.rows.dtype), ()

    def prepare(self, state, batch, clock):
        """Rows in the form to be learned."""
        number = (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch
        v, rng = self.rows.take(batch), self.stream(clock)
        return self.model.prepare(state.params, v, rng, number)

    @property
    def forward(self):
        """Negative log-likelihood of each row: the model's function."""
        return self.model.forward

    def finished(self, state, table):
        """State whose biases make bits and categories as frequent as in the data; not
        of orderless nets, whose biases serve any known columns."""
        if self.model.takes_any or not any_coded(self.model.conditionals):
            return state
        index, weight = table.index[:MOST], table.weight[:MOST]
        parts = list(gen_batches(len(index), max(1, ROOM // self.model.width)))
        params = state.learned
        for _ in range(N_TIMES):
            blocks = ((self.rows.take(index[part]), weight[part]) for part in parts)
            params = self.model.balanced(params, blocks)
        if state.mean:
            return state._replace(mean=state.mean._replace(params=params))
        return state._replace(params=params)

    def losses(self, state, index, rng):
        """Negative log-likelihood of the rows at an index, in float64."""
        losses, size = np.empty(len(index)), max(1, ROOM // self.model.width)
        for block in gen_batches(len(index), size):
            v = self.rows.take(index[block])
            losses[block] = self.model.watched(state.learned, v, rng.take(block))
        return losses
