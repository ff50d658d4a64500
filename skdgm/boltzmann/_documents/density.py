r"""Density of documents given their lengths.

.. math:: \log p(x \mid n) = \log \frac{n!}{\prod_k x_k!} + b^\top x + \sum_j
   \log\left(1 + e^{n a_j + x^\top W_{:j}}\right) - \log Z_n

Missing counts are excluded from the document and from its vocabulary.
"""

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, by_blocks, of_rows
from skdgm.boltzmann._documents.lengths import Topics, is_enumerable, log_partition
from skdgm.data import fill
from skdgm.data.given import given_lengths
from skdgm.distributions import Bernoulli, Multinomial, draw_counts
from skdgm.energies import layered, plain
from skdgm.partition import LogPartition
from skdgm.samplers import Gibbs, State
from skdgm.utils.counts import count, count_rows
from skdgm.utils.lists import Values
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype

# Number of draws of hidden units over which means of missing counts are averaged.
_N_DRAWS = 20
# Log of the largest ratio of probabilities.
_MAX_LOG_RATIO = 50.0


def conditioned(params, lengths):
    """Energy and parameters of documents of given lengths, (n_rows,). Hidden biases
    have a row for each document."""
    b, a = params.units
    lengths = np.asarray(lengths, a.dtype)
    energy = layered([[Multinomial(len(b), lengths)], [Bernoulli(len(a))]])
    return energy, params._replace(units=(b, lengths[:, None] * a))


def lengths_of(v: Values) -> np.ndarray:
    """Sum of the known counts of each row, in float64."""
    total: Any = np.nansum(np.asarray(v), axis=1, dtype=np.float64)
    return total


class DocumentDensity(Density):
    """Density of documents under a replicated softmax. ``lengths`` are those of
    training documents, from which lengths of samples are drawn; ``log_Z`` is a shared
    :class:`~skdgm.partition.LogPartition` with a value for each length."""

    def __init__(self, context, *, params, chains, lengths, log_Z=None):
        super().__init__(context)
        self.params, self.chains, self._lengths = plain(params), chains, lengths
        self.known_log_Z = log_Z or LogPartition({})

    @property
    def topics(self):
        """Parameters in float64."""
        (b, a), (W,) = astype(self.params, np.float64)
        return Topics(W, b, a)

    @property
    def capabilities(self):
        log_Z = "exact" if is_enumerable(self.topics) else "estimate"
        return {
            "log_prob": of_rows(log_Z),
            "free_energy": of_rows("exact"),
            "features": of_rows("exact"),
            "sample": {"unconditional": "estimate", "lengths": "estimate"},
            "fill": {"missing": "estimate"},
        }

    @property
    def n_features_out(self):
        return len(self.params.units[1])

    def log_Z(self, lengths):
        """Log Z of documents of given lengths, in nats, and standard errors."""

        def compute(lengths):
            with one_blas_thread():
                log_Z, se = log_partition(self.topics, np.array(lengths), self.seed)
            return zip(log_Z.tolist(), se.tolist())

        pairs = self.known_log_Z.of(lengths.tolist(), compute)
        return tuple(np.array(pairs).reshape(-1, 2).T)

    def log_prob(self, X):
        rows = self.read(X, dtype=np.float64)
        return self.free(rows) - self._log_Z_of(rows)

    def free_energy(self, X):
        """Free energy of each row, in nats."""
        return -self.free(self.read(X, dtype=np.float64))

    def free(self, rows):
        """Log of the sum of exp(-E) over the hidden units, for each row."""
        params = astype(self.params, np.float64)

        def of_rows(v):
            v = np.nan_to_num(np.asarray(v))
            energy, conditional = conditioned(params, lengths_of(v))
            return energy.log_marginal(conditional, (v, None))

        return by_blocks(of_rows, rows, lists=False)

    def lengths(self, rows: Rows) -> np.ndarray:
        """Length of each document."""
        return by_blocks(lengths_of, rows, lists=False)

    def _log_Z_of(self, rows):
        lengths = self.lengths(rows)
        if rows.complete:
            return self.log_Z(lengths)[0]
        known = np.concatenate([~np.isnan(rows.take(b)) for b in rows.blocks()])
        complete, log_Z = known.all(axis=1), np.zeros(len(lengths))
        log_Z[complete] = self.log_Z(lengths[complete])[0]
        for row in np.flatnonzero(~complete):
            topics, n = self.topics.among(known[row]), lengths[[row]]
            with one_blas_thread():
                log_Z[row] = log_partition(topics, n, self.seed)[0][0]
        return log_Z

    def perplexity(self, X):
        """Perplexity per word, for words in their order; ValueError if there are no
        words."""
        rows = self.read(X, dtype=np.float64)
        n_words = self.lengths(rows).sum()
        if not n_words:
            raise ValueError(f"{self.name}: X has no words, which have no perplexity.")
        orders = by_blocks(_log_orders, rows, lists=False)
        total = (self.free(rows) - orders - self._log_Z_of(rows)).sum()
        return float(np.exp(-total / n_words))

    def features(self, X):
        rows = self.read(X, dtype=self.params.dtype.type)
        return by_blocks(self._hidden_means, rows, lists=False)

    def _hidden_means(self, v):
        v = np.nan_to_num(v)
        energy, conditional = conditioned(self.params, lengths_of(v))
        received = energy.received(conditional, (v, None), 1)
        return energy.units[1].mean(energy.field(conditional, 1, received))

    def sample(
        self, n_samples, random_state=None, *, lengths=None, init="chains", n_steps=100
    ):
        """Draw documents by Gibbs sampling; options are those of an estimator's
        ``sample``."""
        n_samples = count_rows(n_samples, len(self.params.units[0]))
        n_steps = count(n_steps, "n_steps")
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        h = self.chains[1][np.arange(n_samples) % len(self.chains[1])]
        if lengths is None:
            u = rng.fold(2).rows(n_samples).uniform(1)[:, 0]
            lengths = self._lengths[(u * len(self._lengths)).astype(int)]
        lengths = given_lengths(lengths, n_samples)
        if isinstance(init, str) and init == "noise":
            h = rng.fold(0).rows(n_samples).uniform(h.shape[1], h.dtype.type) < 0.5
        elif not isinstance(init, str) or init != "chains":
            raise ValueError(f"init must be 'chains' or 'noise', not {init!r}.")
        energy, conditional = conditioned(self.params, lengths)
        rows, state = rng.fold(1).rows(n_samples), (None, h.astype(self.params.dtype))
        with one_blas_thread():
            state, _ = Gibbs(energy).step(rows, conditional, State(state), n_steps)
        return np.asarray(state.x[0])

    def step(self, X, rng):
        """Rows after one step of Gibbs sampling."""
        rows = self.read(X)
        v = np.nan_to_num(rows.take(slice(None)))
        energy, conditional = conditioned(self.params, lengths_of(v))
        state, rng = State((v, None)), rng.rows(len(v))
        with one_blas_thread():
            state, _ = Gibbs(energy, colors=(1, 0)).step(rng, conditional, state)
        return np.asarray(state.x[0])

    def fill(self, X, method="mean", random_state=None):
        def filled(block):
            return self._filled(method, block.v, block.rng)

        return fill(self, X, method, random_state, filled)

    def _filled(self, method, v, rng):
        n_draws = 1 if method == "sample" else _N_DRAWS
        total: Any = 0.0
        mean = self._hidden_means(v)
        for number in range(n_draws):
            h = rng.fold(number).uniform(mean.shape[1], mean.dtype.type) < mean
            total = total + expected(self.params, v, h.astype(mean.dtype))
        total = total / n_draws
        if method == "sample":
            total = draw_counts(total, rng.fold(n_draws))
        return np.where(np.isnan(v), total.astype(v.dtype), v)


def expected(params, v, h):
    """Expected counts of missing words, given hidden units and the known words: the
    ratio of a word's probability to that of the observed vocabulary, times the
    document's length."""
    (b, _), (W,) = params
    logits, is_known = b + h @ W.T, ~np.isnan(v)
    highest = np.where(is_known, logits, -np.inf).max(axis=1, keepdims=True)
    highest = np.where(np.isfinite(highest), highest, logits.max(axis=1, keepdims=True))
    weight = np.exp(np.minimum(logits - highest, _MAX_LOG_RATIO))
    total = np.maximum((weight * is_known).sum(axis=1, keepdims=True), 1.0)
    # Expect no word more often than all others together.
    return np.minimum(weight / total, 1.0) * lengths_of(v)[:, None].astype(v.dtype)


def _log_orders(v):
    v = np.nan_to_num(np.asarray(v))
    unit = Multinomial(v.shape[1], lengths_of(v))
    return unit.log_weight(np.zeros(v.shape[1]), v)
