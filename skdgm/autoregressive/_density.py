"""Density of an autoregressive model, and its training objective."""

from functools import partial

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from skdgm.autoregressive._balance import MOST, N_TIMES, any_coded
from skdgm.base import Density, of_rows
from skdgm.data import events_of, fill, warn_of_unknown
from skdgm.nets import NetObjective
from skdgm.utils.counts import count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype, leaves
from skdgm.utils.weighted import warn_few_draws

# Number of rows drawn at a time.
_BATCH = 1000
# Effective share of the particles of a row that causes a warning.
_MIN_ESS_SHARE = 0.015
# Maximum size of a layer's activations in a block of rows.
MAX_ACTIVATIONS = 2**18


class ChainDensity(Density):
    r"""Product of conditional distributions, or the mean of such products.

    .. math:: p(x) = \frac1K \sum_{k=1}^K \prod_t
        p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

    ``gray`` tells whether the training rows were gray, and ``filler`` is the model for
    imputation, by default ``model``. ``model``, a :class:`ChainEnsemble` or
    :class:`Orderless`, defines

    - ``n_orders``, and for each order ``log_likelihood(params, v, order, rng)`` of rows
      and ``log_p(params, v, order, rng)`` of entries,
    - ``sampled(params, v, rng)``, which draws missing entries in order;
      ``fill(params, v, rng, method, name, report)``, conditional on all others; and
      ``conditioned(params, v, n, rng, name, events)``, for rows under conditions,
    - ``features(params, v)``, and ``width``, the number of units of the widest layer,
    - ``any_subset``, whether the model has conditionals given arbitrary columns, so
      that missing columns need no particles.
    """

    fill_methods = "mean", "mode", "sample"

    def __init__(self, context, *, model, params, gray, filler=None):
        super().__init__(context)
        self.model, self.params, self.gray = model, params, gray
        self.filler = model if filler is None else filler
        # Means of a normal distribution are linear without limits.
        self.bounded = not getattr(model, "normal", False)

    @property
    def capabilities(self):
        """Exact with one order; otherwise, and by particles, estimates. Scores of gray
        rows are not likelihoods."""
        kind = "exact" if self.model.n_orders == 1 else "estimate"
        incomplete = kind if self.model.any_subset else "estimate"
        entries = of_rows(kind, missing=incomplete, gray="estimate")
        conditional = dict.fromkeys(("conditions", "ranges"), "estimate")
        return {
            "log_prob": entries,
            "log_prob_of_entries": entries,
            "features": of_rows("exact", missing=incomplete),
            "sample": {"unconditional": "exact"} | conditional,
            "fill": {"missing": "estimate"},
        }

    def log_prob(self, X):
        def of_rows(params, v, rng):
            log_p = [
                self.model.log_likelihood(params, v, k, rng.fold(k))
                for k in range(self.model.n_orders)
            ]
            return log_mean_exp(np.stack(log_p))[0]

        rows, log_p = self._of_rows(X, of_rows)
        self.warn_of_gray(rows)
        return log_p + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, given="before"):
        """Log-likelihood of each entry given the entries "before" it, or all
        "others"."""

        def of_rows(params, v, rng):
            if given == "others":
                return self.model.log_conditionals(params, v)
            orders = range(self.model.n_orders)
            parts = (self.model.log_p(params, v, k, rng.fold(k)) for k in orders)
            return sum(parts) / self.model.n_orders

        rows, log_p = self._of_rows(X, of_rows)
        self.warn_of_gray(rows)
        return log_p + self.domain.log_entries(self.columns, rows)

    def sample(self, n_samples, random_state=None, *, conditions=None, names=None):
        """Draw rows, each column conditional on the previous columns, subject to
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
            for part in gen_batches(n_samples, _BATCH):
                streams = rng.take(part)
                empty = np.full((len(streams.ids), n_columns), np.nan, dtype)
                parts.append(self.model.sampled(self.params, empty, streams))
        return self.decoded(self.domain.to_data(self.columns, np.concatenate(parts)))

    def fill(self, X, method="mean", random_state=None, *, n_samples=1):
        """Impute missing entries of ``n_samples`` copies of each row, by ``method``
        "mean", "mode" or "sample"."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        effective = []

        def filled(block):
            return self.filler.fill(
                self.params, block.v, block.rng, method, self.name, effective.append
            )

        table = self.with_missing_columns(X)
        complete = fill(self, table, method, random_state, filled, n_draws=n_samples)
        if effective:
            min_ess = _MIN_ESS_SHARE * self.filler.n_draws
            warn_few_draws(self.name, np.concatenate(effective), min_ess)
        return self.decoded(complete, X)

    def features(self, X):
        rows, features = self._of_rows(X, lambda p, v, _: self.model.features(p, v))
        warn_of_unknown(self.name, X, rows)
        return features

    @property
    def n_features_out(self):
        return self.model.n_features

    def _of_rows(self, X, function):
        """Validated rows, and values of a function of parameters, rows and random
        streams."""
        rows = self.read(X)
        function = partial(function, astype(self.params, rows.dtype))
        return rows, self.by_content(
            function, rows, MAX_ACTIVATIONS // self.model.width
        )


class ChainObjective(NetObjective):
    """Negative log-likelihood of rows under a model's conditionals.

    The model, a :class:`ChainEnsemble` or :class:`Orderless`, defines ``init(rng,
    dtype)``; ``prepare(params, v, rng, number)``, which prepares rows for an update;
    ``forward(params, prepared)``, the differentiable negative log-likelihood of each
    row, and (); and ``monitoring_loss(params, v, rng)``, the same without gradients.
    Unless it ``any_subset``, it also defines ``balanced(params, blocks)``, which
    calibrates biases (:mod:`skdgm.autoregressive._balance`) on blocks of rows, their
    weights and random streams.
    """

    def __init__(self, run, independent_loss, *, model):
        super().__init__(run, independent_loss)
        self.model, self.monitoring_stride = (
            model,
            getattr(model, "monitoring_stride", 1),
        )

    def init(self, rng):
        return self.model.init(rng, self.rows.dtype), ()

    def prepare(self, state, batch, clock):
        number = (self.epochs_before + clock.epoch) * clock.n_batches + clock.batch
        v, rng = self.rows.take(batch), self.stream(clock)
        return self.model.prepare(state.params, v, rng, number)

    def forward(self, params, prepared):
        """Negative log-likelihood of each row: the model's function."""
        return self.model.forward(params, prepared)

    def finished(self, state, table):
        """Calibrate the biases of binary and categorical columns to the frequencies in
        the data; not for orderless nets, whose biases apply to all subsets of known
        columns."""
        if self.model.any_subset or not any_coded(self.model.conditionals):
            return state
        sample = slice(None, None, -(-len(table.index) // MOST))
        index, weight = table.index[sample], table.weight[sample]
        parts = list(
            gen_batches(len(index), max(1, MAX_ACTIVATIONS // self.model.width))
        )
        params, rng = state.learned, stream(self.seed, self.PROBE)
        for number in range(N_TIMES):
            blocks = (
                (self.rows.take(index[part]), weight[part], rng.fold(number, k))
                for k, part in enumerate(parts)
            )
            params = self.model.balanced(params, blocks)
        if state.mean:
            return state._replace(mean=state.mean._replace(params=params))
        return state._replace(params=params)

    def losses(self, state, index, rng):
        losses, size = np.empty(len(index)), max(1, MAX_ACTIVATIONS // self.model.width)
        for block in gen_batches(len(index), size):
            v = self.rows.take(index[block])
            losses[block] = self.model.monitoring_loss(
                state.learned, v, rng.take(block)
            )
        return losses
