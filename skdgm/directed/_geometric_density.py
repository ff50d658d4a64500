r"""Density of the geometric mean of a directed net and its inference net.

.. math:: p^*(x) = \frac1Z \Bigl(\sum_z \sqrt{p(x, z) \, q(z \mid x)}\Bigr)^2

Rows with latent units from p, and other latent units from q, have importance weights

.. math:: w = \sqrt{\frac{q(z \mid x)}{p(x, z)} \cdot \frac{p(x, z')}{q(z' \mid x)}},
   \qquad (x, z) \sim p, \quad z' \sim q(z' \mid x)

Z is their mean, and samples are chosen by these weights.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.data import events_of
from skdgm.directed._geometric import GeometricMean, unknown
from skdgm.directed._geometric_chain import GeometricChain
from skdgm.distributions import ABSENT
from skdgm.exceptions import LikelihoodWarning
from skdgm.latent import LatentDensity
from skdgm.latent.conditional import alike, plausibility, weigh
from skdgm.nets import lists_if_sparse
from skdgm.utils import addresses
from skdgm.utils.counts import count, count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.threading.callers import warn
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective_sample_size, pooled

# Draws of rows for log Z, draws of other latent units per row, and size of batches.
_DRAWS, _OTHERS, _MAX_ENTRIES = 10_000, 5, 2**20
# Effective number of draws below which log Z is unreliable.
_MIN_ESS = 100
# Batch size of conditional draws.
_BATCH = 4000
_DATA, _CHOICE, _OTHER, _MOVE = addresses.GEOMETRIC_DENSITY


class GeometricDensity(LatentDensity):
    """Density of a bidirectional Helmholtz machine."""

    # Cached log Z.
    known_log_Z = None

    @property
    def capabilities(self):
        """Log-likelihoods are estimates."""
        rows = dict.fromkeys(("complete", "missing", "gray"), "estimate")
        nothing = {"unconditional": "estimate"}
        inherited = super().capabilities
        return inherited | {
            "log_prob": rows,
            "importance_likelihood": rows,
            "sample": inherited["sample"] | nothing,
            "log_partition": nothing,
        }

    @property
    def mean(self):
        """Geometric mean as a function of parameters."""
        return GeometricMean(self.hierarchy, self.output, self.share)

    def log_Z(self):
        """Log Z in nats, computed once."""
        if self.known_log_Z is None:
            self.known_log_Z, _ = self.log_partition()
        return self.known_log_Z

    def log_partition(self):
        """Log Z, at most 0, and its standard error, in nats, with a LikelihoodWarning
        if few draws have most of the weight."""
        rng, parts = stream(self.seed, LIKELIHOOD), []
        size = max(1, min(_DRAWS, _MAX_ENTRIES // (_OTHERS * self.width)))
        with one_blas_thread():
            for first in range(0, _DRAWS, size):
                streams = rng.fold(first).rows(min(size, _DRAWS - first))
                parts.append(self._dreamt(streams)[1])
        log_w = np.concatenate(parts)
        log_Z, se = log_mean_exp(log_w)
        if len(log_w) / np.exp(2 * (log_w - log_Z)).mean() < _MIN_ESS:
            warn(
                f"{self.name}: few draws of p have nearly all of the weight in log Z, "
                "which may be too low, and scores too high. Raise n_iter or "
                "n_importance, or take fewer layers.",
                LikelihoodWarning,
            )
        return float(min(log_Z, 0.0)), float(se)

    def importance_likelihood(self, X, n_draws, codes=None, y=None):
        rows, n_draws = self.read(X), count(n_draws, "n_draws")

        def of_rows(v, rng):
            estimates, incomplete = np.empty((len(v), 2)), unknown(v).any(axis=1)
            if not incomplete.all():
                complete, streams = v[~incomplete], rng.take(~incomplete)
                estimates[~incomplete] = self._complete(complete, streams, n_draws)
            if incomplete.any():
                net, streams = astype(self.net, v.dtype), rng.take(incomplete)
                bound = self.mean.bound(net, v[incomplete], streams, n_draws)
                estimates[incomplete] = np.stack(bound, axis=1)
            return estimates

        log_p, se = self._by_content(of_rows, rows).T.copy()
        log_p += self.domain.log_volume(self.columns, rows) - self.log_Z()
        return log_p, se

    def _complete(self, v, rng, n_draws):
        parts = [log_p - gap for log_p, gap in self._draws(v, rng, n_draws)]
        log_w = 0.5 * np.concatenate(parts, axis=1).astype(np.float64)
        return 2 * np.stack(log_mean_exp(log_w, axis=1), axis=1)

    def sample(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, n_samples, random_state=None, *, conditions=None, names=None, n_draws=20
    ):
        """Draw ``n_draws`` rows from p for each row, and choose one by weight; see
        :class:`~skdgm.latent.LatentDensity`."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        n_draws = count(n_draws, "n_draws")
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        if conditions is not None:
            return self._under(conditions, names, n_samples, rng)
        rng, highest, x = rng.rows(n_samples), -np.inf, 0.0
        with one_blas_thread():
            for number in range(n_draws):
                streams = rng.fold(number)
                if n_draws > 1:
                    new, log_w = self._dreamt(streams, 1)
                else:
                    new, log_w = self._drawn(streams)
                # The largest of log weight plus Gumbel noise is a draw by weight.
                noisy = (log_w + streams.fold(_CHOICE).gumbel(1)[:, 0])[:, None]
                x = np.where(noisy > highest, new, x)
                highest = np.maximum(highest, noisy)
        return self.decoded(self.domain.to_data(self.columns, x))

    def _under(self, conditions, names, n_samples, rng):
        """Draw rows conditional on ``conditions``."""
        output = alike(self.output)
        if output is None:
            raise ValueError(
                f'{self.name} with column_types="gaussian" takes no conditions: fit '
                'with column_types="auto", or draw missing entries by impute.'
            )
        kinds = getattr(self.columns, "kinds", output.kinds)
        x, values, events = events_of(self.columns, kinds, conditions, names, self.name)
        holds = [event is not None for event in events] | ~np.isnan(values)

        def draw(size, rng):
            streams = rng.rows(size)
            z, out = self.mean.dream(self.net, streams)
            log_w, v = weigh(output, out, values, events, streams)
            share = plausibility(output, out, v, np.flatnonzero(holds))
            v = np.where(np.isnan(v), output.draw(out, streams.fold(_DATA)), v)
            log_w += self._weight(v, z, streams, 1)
            return Weighted(v, log_w, effective_sample_size(log_w), share)

        with one_blas_thread():
            v = pooled(draw, n_samples, rng, _BATCH, self.name)
        data = self.domain.to_data(self.columns, v)
        data[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(data)

    def _drawn(self, rng):
        """Rows drawn from p, with equal weights."""
        _, out = self.mean.dream(self.net, rng)
        x = self.output.draw(out, rng.fold(_DATA), self.net.params.dispersion)
        return x, np.zeros(1)

    def _dreamt(self, rng, n_others=_OTHERS):
        """Rows drawn from p, and their log weights."""
        z, out = self.mean.dream(self.net, rng)
        x = self.output.draw(out, rng.fold(_DATA), self.net.params.dispersion)
        return x, self._weight(x, z, rng, n_others)

    def _weight(self, x, z, rng, n_others):
        """Log weights of rows and latent units drawn from p, (n_rows,), float64."""
        mean, net = self.mean, self.net
        log_p, log_q, _ = mean.terms(net, x, self.hierarchy.noise_of(z))
        others = mean.log_half_weight(net, x, rng.fold(_OTHER), n_others)
        log_w = -0.5 * (log_p - log_q).astype(np.float64)
        return log_w + log_mean_exp(others, axis=1)[0]

    def _open(self, v):
        """Rows to impute: missing entries have values, even if gaps are modeled."""
        gaps = getattr(self.columns, "gaps", None)
        return v if gaps is None else np.where(np.isnan(v) & gaps, -ABSENT, v)

    def fill_by_weight(self, rows, rng, n_draws, method):
        rows = rows._replace(v=self._open(rows.v))
        return super().fill_by_weight(rows, rng, n_draws, method)

    def _chosen(self, value, rng, method):
        return self.output.value(value) if method == "mean" else value

    def _proposed(self, net, rows, source, rng, method):
        mean = self.mean
        x = lists_if_sparse(self.output.inputs(rows.guess, self.share))
        decoded = self.hierarchy.through(net, x, source)
        n = len(decoded.out) // len(rows.v)
        rng, incomplete = rng.each(n), np.repeat(rows.v, n, axis=0)
        x = mean.completed(net, incomplete, decoded.out, rng)
        log_p = mean.log_pair_weight(net, x, decoded.z, rng)
        log_p -= sum(decoded.log_p) + mean.log_drawn(net, x, incomplete, decoded.out)
        value = x if method == "sample" else self.output.inputs(x, self.share)
        return decoded, log_p, value

    def chain(self, rows, correct):
        if not correct:
            return super().chain(rows, correct)
        return GeometricChain(self, self._open(rows.v), rows.guess)
