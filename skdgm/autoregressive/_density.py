"""Density of an autoregressive model, and its objective, the log-likelihood.

The density has log-likelihoods, samples and fillings of missing entries. The objective
is maximised by gradients; see :mod:`skdgm.autoregressive._normal` for that of a normal
distribution.
"""

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from skdgm.autoregressive._balance import MOST, N_TIMES, some
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
    same; and ``model``, :class:`Chains` or :class:`Orderless`, which defines

    - ``n_orders``, and of each order ``log_likelihood(params, v, order, rng)`` of rows
      and ``log_p(params, v, order, rng)`` of entries,
    - ``sampled(params, v, rng)``, missing entries drawn in order;
      ``fill(params, v, rng, method, who, tell)``, given all others; and
      ``conditioned(params, v, n, rng, who, events)``, rows under the same conditions,
    - ``features(params, v)``, and ``width``, the units of the widest layer,
    - ``takes_any``, whether conditionals given any columns are the model's own, so that
      missing ones need no particles.
    """

    def __init__(self, context, *, model, params, grey, filler=None):
        super().__init__(context)
        self.model, self.params, self.grey = model, params, grey
        self.filler = model if filler is None else filler
        # Means of a normal distribution are linear, however far.
        self.bounded = not getattr(model, "normal", False)

    @property
    def capabilities(self):
        """Exact with one order of the columns, but for what particles stand for; scores
        of grey rows are no likelihoods."""
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
            orders = range(self.model.n_orders)
            given = ((params, v, k, rng.fold(k)) for k in orders)
            found = [self.model.log_likelihood(*part) for part in given]
            return log_mean_exp(np.stack(found))[0]

        rows, found = self._of_rows(X, of_rows)
        self.tell_grey(rows)
        return found + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, given="before"):
        """Log-likelihood of each entry given those "before" it, or all "others"."""

        def of_rows(params, v, rng):
            if given == "others":
                return self.model.others(params, v)
            orders = range(self.model.n_orders)
            parts = (self.model.log_p(params, v, k, rng.fold(k)) for k in orders)
            return sum(parts) / self.model.n_orders

        rows, found = self._of_rows(X, of_rows)
        self.tell_grey(rows)
        return found + self.domain.log_entries(self.columns, rows)

    def sample(self, n_samples, random_state=None, conditions=None, names=None):
        """Draw rows, each column given those before it.

        With ``conditions``, a dict by the ``names`` of columns, given these.
        """
        n_columns = len(self.columns.seen)
        n_samples = count_rows(n_samples, n_columns)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, dtype = stream(seed), leaves(self.params)[0].dtype
        if conditions is not None:
            kinds = getattr(self.columns, "kinds", self.model.conditionals.kinds)
            given = self.columns, kinds, conditions, names, self.name, self.bounded
            x, v, events = events_of(*given)
            given = self.params, v.astype(dtype), n_samples, rng, self.name, events
            with one_blas_thread():
                found = self.model.conditioned(*given)
            found = self.domain.to_data(self.columns, found)
            found[:, ~np.isnan(x)] = x[~np.isnan(x)]
            return self.decoded(found)
        rng, parts = rng.rows(n_samples), []
        nothing = np.full((min(n_samples, _AT_ONCE), n_columns), np.nan, dtype)
        with one_blas_thread():
            for first in range(0, n_samples, _AT_ONCE):
                own = rng.take(slice(first, first + _AT_ONCE))
                given = self.params, nothing[: len(own.ids)], own
                parts.append(self.model.sampled(*given))
        return self.decoded(self.domain.to_data(self.columns, np.concatenate(parts)))

    def fill(self, X, method="mean", random_state=None, n_samples=1):
        """Fill missing entries of ``n_samples`` copies of each row.

        ``method`` is "mean", "mode" or "sample".
        """
        n_samples = count_rows(n_samples, len(self.columns.seen))

        counts = []

        def filled(v, rng):
            given = self.params, v, rng, method, self.name, counts.append
            return self.filler.fill(*given)

        how = method, random_state, filled, METHODS, n_samples
        found = fill(self, self.widened(X), *how)
        if counts:
            least = _FEW * self.filler.n_draws
            tell_few(self.name, np.concatenate(counts), least)
        return self.decoded(found, X)

    def features(self, X):
        """Hidden units of each row, given the whole row."""
        rows, found = self._of_rows(X, lambda p, v, _: self.model.features(p, v))
        tell_unknown(self.name, X, rows)
        return found

    @property
    def n_features_out(self):
        """Number of columns of :meth:`features`."""
        return self.model.n_features

    def _of_rows(self, X, function):
        """Validated rows, and a function of parameters, rows and streams."""
        rows = self.read(X)
        params = astype(self.params, rows.dtype)
        found = self.by_content(
            lambda v, rng: function(params, v, rng), rows, ROOM // self.model.width
        )
        return rows, found


class ChainObjective(NetObjective):
    """Negative log-likelihood of rows by a model's conditionals.

    :class:`Chains` or :class:`Orderless` define ``init(rng, dtype)``, which draws
    parameters; ``prepare(params, v, rng, number)``, the rows in the form to be learned
    in the update of a number; ``forward(params, prepared)``, the negative
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
        given = state.params, self.rows.take(batch), self.stream(clock), number
        return self.model.prepare(*given)

    @property
    def forward(self):
        """Negative log-likelihood of each row: the model's function."""
        return self.model.forward

    def finished(self, state, table):
        """State whose biases make bits and categories as frequent as they are. Those of
        an orderless net stand for any columns that are known."""
        if self.model.takes_any or not some(self.model.conditionals):
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
        found, size = np.empty(len(index)), max(1, ROOM // self.model.width)
        for block in gen_batches(len(index), size):
            v = self.rows.take(index[block])
            found[block] = self.model.watched(state.learned, v, rng.take(block))
        return found
