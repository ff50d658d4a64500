"""Density of spike-and-slab sparse coding: exact with few spikes, otherwise a bound."""

from itertools import product

import numpy as np
from scipy.special import logsumexp, softmax
from sklearn.utils import check_random_state, gen_batches

from skdgm.base import Density, by_blocks, of_rows
from skdgm.data import fill
from skdgm.directed._spike_slab import bound, given_spikes, pairs
from skdgm.directed._spike_slab_gibbs import N_CHAINS, averaged, swept
from skdgm.utils import addresses
from skdgm.utils.counts import count, count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.weighted import warn_uncertain_means

# Batch size in rows, and in spike states times rows; number of burn-in sweeps and of
# averaged sweeps; relative standard error of means that causes a warning.
_ROWS, _ENTRIES, _SWEEPS, _UNSURE = 1000, 100_000, 100, 0.25
_SPIKE, _SLAB, _COLUMN, _CHOICE = addresses.SPIKE_SLAB


class CodingDensity(Density):
    """Density of rows with :class:`CodingParams`. ``sweeps`` is the number of sweeps of
    the posterior, and ``features`` is "spike" or "spike_slab"."""

    # Maximum number of components for enumeration of all spike states.
    enumerated = 10

    def __init__(self, context, *, params, sweeps, features):
        super().__init__(context)
        self.dtype, self.params = params.W.dtype.type, params.exact
        self.sweeps, self.kind_of_features = sweeps, features
        self.few = self.n_features_out <= self.enumerated

    @property
    def capabilities(self):
        """Exact if all spike states are enumerated."""
        return {
            "log_prob": of_rows("exact" if self.few else "lower bound"),
            "importance_likelihood": of_rows("lower bound"),
            "features": of_rows("estimate"),
            "inverse": {"unconditional": "exact"},
            "sample": {"unconditional": "exact"},
            "fill": {"missing": "exact" if self.few else "estimate"},
        }

    @property
    def n_features_out(self):
        return len(self.params.b)

    def log_prob(self, X):
        """Log-likelihood of each row, or its variational bound, in nats."""
        rows = self.read(X)

        def of_block(v):
            v = v.astype(float)
            if not self.few:
                return bound(self.params, v, self.pairs(v))
            log_p = np.empty(len(v))
            for index, (_, log_w, *_) in self._states(v):
                log_p[index] = logsumexp(log_w, axis=0)
            return log_p

        return self._by_rows(of_block, rows) + self.domain.log_volume(
            self.columns, rows
        )

    def importance_likelihood(self, X, n_draws):
        """Importance weighted lower bound of each row, and its standard error, by draws
        of spikes; slabs are integrated out."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")

        def of_rows(v, rng):
            bound = np.empty((len(v), 2))
            for index, (_, log_w, *_) in self._drawn(v.astype(float), rng, n_draws):
                bound[index] = np.stack(log_mean_exp(log_w), axis=1)
            return bound

        bound, se = self.by_content(of_rows, rows, _ROWS).T.copy()
        return bound + self.domain.log_volume(self.columns, rows), se

    def features(self, X):
        """Posterior means of the spikes, or of the products of spikes and slabs."""

        def of_block(v):
            posterior = self.pairs(v.astype(float))
            chosen = posterior.g if self.kind_of_features == "spike" else posterior.u
            return np.ascontiguousarray(chosen.T, self.dtype)

        return self._by_rows(of_block, self.read(X))

    def inverse(self, H):
        H = self.checked(H, self.dtype, "components")
        u = H * self.params.mu if self.kind_of_features == "spike" else H
        return self._presented(self._means(u))

    def sample(self, n_samples, random_state=None):
        """Draw spikes, then slabs, then rows."""
        n_samples = count_rows(n_samples, len(self.params.c))
        seed = check_random_state(random_state).randint(MAX_SEED)
        (_, _, b, mu, alpha, _), rng = self.params, stream(seed).rows(n_samples)
        k = len(b)
        h = np.log(rng.fold(_SPIKE).uniform(k)) < -np.logaddexp(0, -b)
        slab = mu + rng.fold(_SLAB).normal(k) / np.sqrt(alpha)
        return self._presented(self._noisy(h * slab, rng))

    def fill(self, X, method="mean", random_state=None):
        errors, drawn = [], method == "sample"

        def filled(block):
            v, rng = block.v, block.rng
            complete = v.astype(float)
            if self.few:
                u = self._listed(complete, rng if drawn else None)
            elif drawn:
                u, _ = swept(self.params, complete, rng, _SWEEPS, 0)
            else:
                u, error = self._averaged(complete, rng)
                errors.append(error)
            new = self._noisy(u, rng) if drawn else self._means(u)
            return np.where(np.isnan(v), new, v).astype(v.dtype)

        X_filled = fill(self, X, method, random_state, filled)
        if errors:
            error, remedy = np.concatenate(errors), "Fit fewer n_components"
            warn_uncertain_means(
                self.name, error, _UNSURE, N_CHAINS, remedy, unit=" deviations"
            )
        return X_filled

    def pairs(self, v):
        """Posterior of rows."""
        return pairs(self.params, v, self.sweeps)

    def _by_rows(self, function, rows):
        """Apply a function to blocks of rows."""
        return by_blocks(function, rows._replace(density=1.0, packed=None))

    def _means(self, u):
        return u @ self.params.W.T + self.params.c

    def _noisy(self, u, rng):
        noise = rng.fold(_COLUMN).normal(len(self.params.c))
        return self._means(u) + noise / np.sqrt(self.params.beta)

    def _presented(self, v):
        return self.domain.to_data(self.columns, v.astype(self.dtype))

    def _listed(self, v, rng=None):
        """Posterior means of the products, or draws, by enumeration of all spike
        states."""
        k = self.n_features_out
        products = np.empty((len(v), k))
        for index, (h, log_w, mean, covariance) in self._states(v):
            weight = softmax(log_w, axis=0)
            if rng is None:
                products[index] = np.einsum("sr,skr->rk", weight, mean)
                continue
            streams = rng.take(index)
            totals = weight.cumsum(axis=0)
            choice = streams.fold(_CHOICE).uniform(1)[:, 0]
            state = (totals < choice * totals[-1]).sum(axis=0).clip(max=len(h) - 1)
            root = np.linalg.cholesky(covariance[state])
            noise = streams.fold(_SLAB).normal(k)
            drawn = mean[state, :, np.arange(len(state))]
            drawn += np.einsum("rkl,rl->rk", root, noise)
            products[index] = h[state] * drawn
        return products

    def _averaged(self, v, rng):
        """Posterior means of the products by chains, and relative standard errors."""
        parts = [
            averaged(self.params, v[part], rng.take(part), _SWEEPS)
            for part in gen_batches(len(v), _ROWS // N_CHAINS)
        ]
        return [np.concatenate(blocks) for blocks in zip(*parts)]

    def _states(self, v):
        """Yield indices of rows with, for all spike states, log weights and posteriors
        of the products as in :func:`given_spikes`."""
        h = np.array(list(product((0.0, 1.0), repeat=self.n_features_out)))
        _, pattern = np.unique(np.isnan(v), axis=0, return_inverse=True)
        size = max(1, _ENTRIES // len(h))
        for number in range(pattern.max() + 1):
            alike = np.flatnonzero(pattern == number)
            for first in range(0, len(alike), size):
                index = alike[first : first + size]
                _, log_joint, mean, covariance = given_spikes(self.params, v[index], h)
                yield index, (h, log_joint, mean, covariance)

    def _drawn(self, v, rng, n_draws):
        """Yield states as in :meth:`_states`, drawn from the posterior with
        repetition."""
        g = self.pairs(v).g.T
        noise, k = rng.fold(_SPIKE), self.n_features_out
        for row, p in enumerate(g):
            drawn = noise.take([row]).each(n_draws).uniform(k)
            h = (drawn < p).astype(float)
            _, log_joint, mean, covariance = given_spikes(self.params, v[[row]], h)
            log_q = np.log(np.where(h > 0, p, 1 - p)).sum(axis=1)
            yield [row], (h, log_joint - log_q[:, None], mean, covariance)
