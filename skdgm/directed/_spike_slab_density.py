"""Density of spike and slab sparse coding: exact where spikes are few, else a bound."""

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
from skdgm.utils.weighted import tell_unsure

# Rows at a time, or states of spikes times rows; sweeps of chains to begin with, and as
# many more; and relative standard error of means beyond which there is a warning.
_ROWS, _ENTRIES, _SWEEPS, _UNSURE = 1000, 100_000, 100, 0.25
_SPIKE, _SLAB, _COLUMN, _CHOICE = addresses.SPIKE_SLAB


class CodingDensity(Density):
    """Density of rows by ``params``, :class:`CodingParams`; of posteriors by so many
    ``sweeps``, and of ``features`` "spike" or "spike_slab"."""

    # Number of components up to which all states of the spikes are gone through.
    enumerated = 10

    def __init__(self, context, *, params, sweeps, features):
        super().__init__(context)
        self.dtype, self.params = params.W.dtype.type, params.exact
        self.sweeps, self.kind_of_features = sweeps, features
        self.few = self.n_features_out <= self.enumerated

    @property
    def capabilities(self):
        """Exact where all states of the spikes are gone through."""
        return {
            "log_prob": of_rows("exact" if self.few else "lower bound"),
            "importance_likelihood": of_rows("lower bound"),
            "features": of_rows("estimate"),
            "inverse": {"nothing": "exact"},
            "sample": {"nothing": "exact"},
            "fill": {"missing": "exact" if self.few else "estimate"},
        }

    @property
    def n_features_out(self):
        """Number of components."""
        return len(self.params.b)

    def log_prob(self, X):
        """Log-likelihood of each row, or its variational bound, in nats."""
        rows = self.read(X)

        def of_block(v):
            v = v.astype(float)
            if not self.few:
                return bound(self.params, v, self.pairs(v))
            log_p = np.empty(len(v))
            for which, (_, log_w, *_) in self._states(v):
                log_p[which] = logsumexp(log_w, axis=0)
            return log_p

        return self._by_rows(of_block, rows) + self.domain.log_volume(
            self.columns, rows
        )

    def importance_likelihood(self, X, n_draws):
        """Importance weighted lower bound and its standard error, of each row, by draws
        of spikes given which slabs are integrated out."""
        rows, n_draws = self.read(X), count(n_draws, "n_draws")

        def of_rows(v, rng):
            bound = np.empty((len(v), 2))
            for which, (_, log_w, *_) in self._drawn(v.astype(float), rng, n_draws):
                bound[which] = np.stack(log_mean_exp(log_w), axis=1)
            return bound

        bound, se = self.by_content(of_rows, rows, _ROWS).T.copy()
        return bound + self.domain.log_volume(self.columns, rows), se

    def features(self, X):
        """Means of the spikes, or of their products with the slabs."""

        def of_block(v):
            posterior = self.pairs(v.astype(float))
            chosen = posterior.g if self.kind_of_features == "spike" else posterior.u
            return np.ascontiguousarray(chosen.T, self.dtype)

        return self._by_rows(of_block, self.read(X))

    def inverse(self, H):
        """Means of the columns given features."""
        H = self.checked(H, self.dtype, "components")
        u = H * self.params.mu if self.kind_of_features == "spike" else H
        return self._presented(self._means(u))

    def sample(self, n_samples, random_state=None):
        """Draw spikes, slabs given these, and rows given both."""
        n_samples = count_rows(n_samples, len(self.params.c))
        seed = check_random_state(random_state).randint(MAX_SEED)
        (_, _, b, mu, alpha, _), rng = self.params, stream(seed).rows(n_samples)
        k = len(b)
        h = np.log(rng.fold(_SPIKE).uniform(k)) < -np.logaddexp(0, -b)
        slab = mu + rng.fold(_SLAB).normal(k) / np.sqrt(alpha)
        return self._presented(self._noisy(h * slab, rng))

    def fill(self, X, method="mean", random_state=None):
        """Fill missing entries by means, or by draws, given the others."""

        errors, drawn = [], method == "sample"

        def filled(v, rng):
            whole = v.astype(float)
            if self.few:
                u = self._listed(whole, rng if drawn else None)
            elif drawn:
                u, _ = swept(self.params, whole, rng, _SWEEPS, 0)
            else:
                u, error = self._averaged(whole, rng)
                errors.append(error)
            new = self._noisy(u, rng) if drawn else self._means(u)
            return np.where(np.isnan(v), new, v).astype(v.dtype)

        X_filled = fill(self, X, method, random_state, filled)
        if errors:
            error, remedy = np.concatenate(errors), "Fit fewer n_components"
            tell_unsure(self.name, error, _UNSURE, N_CHAINS, remedy, unit=" deviations")
        return X_filled

    def pairs(self, v):
        """Posterior of rows."""
        return pairs(self.params, v, self.sweeps)

    def _by_rows(self, function, rows):
        """A function of blocks of rows, complete or not; others do not change them."""
        return by_blocks(function, rows._replace(density=1.0, packed=None))

    def _means(self, u):
        return u @ self.params.W.T + self.params.c

    def _noisy(self, u, rng):
        noise = rng.fold(_COLUMN).normal(len(self.params.c))
        return self._means(u) + noise / np.sqrt(self.params.beta)

    def _presented(self, v):
        return self.domain.to_data(self.columns, v.astype(self.dtype))

    def _listed(self, v, rng=None):
        """Means of the products given rows, or draws, by all states of the spikes."""
        k = self.n_features_out
        products = np.empty((len(v), k))
        for which, (h, log_w, mean, covariance) in self._states(v):
            weight = softmax(log_w, axis=0)
            if rng is None:
                products[which] = np.einsum("sr,skr->rk", weight, mean)
                continue
            streams = rng.take(which)
            upto = weight.cumsum(axis=0)
            choice = streams.fold(_CHOICE).uniform(1)[:, 0]
            state = (upto < choice * upto[-1]).sum(axis=0).clip(max=len(h) - 1)
            root = np.linalg.cholesky(covariance[state])
            noise = streams.fold(_SLAB).normal(k)
            drawn = mean[state, :, np.arange(len(state))]
            drawn += np.einsum("rkl,rl->rk", root, noise)
            products[which] = h[state] * drawn
        return products

    def _averaged(self, v, rng):
        """Means of the products given rows, and relative standard errors, by chains."""
        parts = [
            averaged(self.params, v[part], rng.take(part), _SWEEPS)
            for part in gen_batches(len(v), _ROWS // N_CHAINS)
        ]
        return [np.concatenate(blocks) for blocks in zip(*parts)]

    def _states(self, v):
        """Numbers of rows; with all states of their spikes, log weights of these, and
        posteriors of the products, as of :func:`given_spikes`."""
        h = np.array(list(product((0.0, 1.0), repeat=self.n_features_out)))
        _, kind = np.unique(np.isnan(v), axis=0, return_inverse=True)
        size = max(1, _ENTRIES // len(h))
        for number in range(kind.max() + 1):
            same = np.flatnonzero(kind == number)
            for first in range(0, len(same), size):
                which = same[first : first + size]
                _, log_joint, mean, covariance = given_spikes(self.params, v[which], h)
                yield which, (h, log_joint, mean, covariance)

    def _drawn(self, v, rng, n_draws):
        """States as of :meth:`_states`, drawn from the posterior with repetition."""
        g = self.pairs(v).g.T
        noise, k = rng.fold(_SPIKE), self.n_features_out
        for row, p in enumerate(g):
            drawn = noise.take([row]).each(n_draws).uniform(k)
            h = (drawn < p).astype(float)
            _, log_joint, mean, covariance = given_spikes(self.params, v[[row]], h)
            log_q = np.log(np.where(h > 0, p, 1 - p)).sum(axis=1)
            yield [row], (h, log_joint - log_q[:, None], mean, covariance)
