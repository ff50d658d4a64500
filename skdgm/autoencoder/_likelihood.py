"""Bounds on the log-likelihood of rows, and activity of latent units."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from skdgm.utils.counts import count
from skdgm.utils.hashing import row_hash
from skdgm.utils.math import log_mean_exp
from skdgm.utils.purposes import LIKELIHOOD
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

# Variance of a latent unit's means above which it is active.
ACTIVE = 0.01
# Limits on the numbers of one layer at a time: of a block's rows, and of all draws.
_ROWS, _ROOM = 2**19, 2**22


class Elbo(NamedTuple):
    """Evidence lower bound and its parts, in nats.

    Parameters
    ----------
    bound, reconstruction, kl : ndarray of shape (n_samples,)
        The bound is the reconstruction term minus the divergence.
    """

    bound: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


class LikelihoodMixin:
    """``score_samples`` and related methods, for an estimator with ``_hierarchy()``,
    ``_net()`` and ``_domain``."""

    @property
    def density_kind_(self):
        """Density kind of ``score_samples``: "lower bound"."""
        check_is_fitted(self)
        return "lower bound"

    def score_samples(self, X):
        r"""Importance weighted lower bound on the log-likelihood of each row, in nats.

        .. math:: \log \frac1n \sum_k \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
            z_k \sim q(z \mid x)

        with ``n_draws`` draws, the same ones at each call. Its expectation is below the
        log-likelihood, and approaches it with more draws. For grey values, strictly
        between 0 and 1, of the "bernoulli" decoder it is a bound on the mean
        log-likelihood of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        return self.importance_likelihood(X, n_draws=self._now("n_draws"))

    def importance_likelihood(self, X, *, n_draws=1000, return_se=False):
        """Importance weighted lower bound, with a given number of draws.

        As :meth:`score_samples`. Where the encoder is overconfident, as for rows with
        many missing entries, large weights are rare: bound and standard error are too
        low then.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=1000
            Draws for each row.
        return_se : bool, default=False
            Whether to return standard errors, too.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
            In nats.
        se : ndarray of shape (n_samples,), float64
            Monte Carlo standard error, by the delta method; only if ``return_se``.
        """
        rows, n_draws = self._checked_rows(X, n_draws)

        def of_rows(v, rng):
            parts = [log_p - gap for log_p, gap in self._draws(v, rng, n_draws)]
            log_w = np.concatenate(parts, axis=1).astype(np.float64)
            return np.stack(log_mean_exp(log_w, axis=1))

        found, se = self._of_blocks(rows, of_rows)
        found += self._domain.log_volume(self._columns, rows)
        return (found, se) if return_se else found

    def elbo(self, X, *, n_draws=100):
        r"""Evidence lower bound of each row and its parts, in nats.

        .. math:: \mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z))

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        n_draws : int, default=100
            Draws to average the first term over; with several latent layers the second,
            too.

        Returns
        -------
        elbo : Elbo
            A named tuple of ``bound``, ``reconstruction`` and ``kl``, each of shape
            (n_samples,), float64.
        """
        rows, n_draws = self._checked_rows(X, n_draws)

        def of_rows(v, rng):
            log_p, gap, n = 0.0, 0.0, 0
            for part, own in self._draws(v, rng, n_draws, exact=True):
                log_p = log_p + part.sum(axis=1, dtype=np.float64)
                gap = gap + part.shape[1] * own.mean(axis=1, dtype=np.float64)
                n += part.shape[1]
            return np.stack([log_p, gap]) / n

        reconstruction, kl = self._of_blocks(rows, of_rows)
        reconstruction += self._domain.log_volume(self._columns, rows)
        return Elbo(reconstruction - kl, reconstruction, kl)

    def active_units(self, X, *, threshold=ACTIVE):
        r"""Return a mask of the latent units that carry information on the rows.

        .. math:: \operatorname{Var}_x(\mathbb{E}_q[z_j]) > \text{threshold}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value.
        threshold : float, default=0.01
            Least variance of an active unit's means.

        Returns
        -------
        active : ndarray of bool, of shape (sum of n_components,)
            Units of the layer next to the data first.
        """
        check_is_fitted(self)
        rows = self._rows(X)
        means = self._of_blocks(rows, lambda v, _: self._means(v).T)
        return means.var(axis=1) > threshold

    def _means(self, v):
        """Means of all latent units, layer after layer."""
        x = self._domain.inputs(self._columns, v)
        means = self._hierarchy().upwards(*self._net(v.dtype), x)
        return np.concatenate(means, axis=1)

    @property
    def _width(self):
        """Number of units of the widest layer."""
        return max(max(W.shape) for W in self.coefs_)

    def _checked_rows(self, X, n_draws):
        check_is_fitted(self)
        return self._rows(X), count(n_draws, "n_draws")

    def _of_blocks(self, rows, function):
        """Results of a function of rows and streams, whose last axis is the rows'."""
        ids = stream(self._seed, LIKELIHOOD).rows(row_hash(rows))
        blocks = gen_batches(rows.shape[0], max(1, _ROWS // self._width))
        with one_blas_thread():
            parts = [function(rows.take(b), ids.take(b)) for b in blocks]
        return np.concatenate(parts, axis=-1)

    def _draws(self, v, rng, n_draws, exact=False):
        """Yield log-likelihoods and gaps of some draws at a time, a column for each."""
        hierarchy, (params, memory) = self._hierarchy(), self._net(v.dtype)
        domain, columns = self._domain, self._columns
        x, width = domain.inputs(columns, v), self._width
        # Independent of the number of rows, so that a row's draws are, too.
        at_once = max(1, _ROOM // (width * max(1, _ROWS // width)))
        for number, first in enumerate(range(0, n_draws, at_once)):
            n_each = min(at_once, n_draws - first)
            noise = hierarchy.noise(rng.fold(number), n_each)
            found = hierarchy.through(params, memory, x, noise, exact=exact)
            log_p = -domain.loss(columns, found.out, params.own, v)
            yield log_p.reshape(len(v), -1), found.gap.reshape(len(v), -1)
