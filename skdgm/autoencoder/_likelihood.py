"""Bounds on the likelihood of rows, and what latent units tell."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from skdgm.base.purposes import LIKELIHOOD
from skdgm.utils.counts import count
from skdgm.utils.hashing import row_hash
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

# A latent unit tells something if its means vary more than this.
ACTIVE = 0.01
# Numbers that a layer may have at a time: of rows, and of draws for these.
_ROWS, _ROOM = 2**19, 2**22


class Elbo(NamedTuple):
    """The evidence lower bound and its parts, in nats.

    Parameters
    ----------
    bound, reconstruction, kl : ndarray of shape (n_samples,)
        The first is the second less the third.
    """

    bound: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray


class LikelihoodMixin:
    """``score_samples`` and its like, for an estimator with ``_ladder()``,
    ``_net()`` and ``_domain``."""

    @property
    def density_kind_(self):
        """What ``score_samples`` is: a "lower bound"."""
        check_is_fitted(self)
        return "lower bound"

    def score_samples(self, X):
        r"""Importance weighted lower bound on the log-likelihood of the rows, in nats.

        .. math:: \log \frac1n \sum_k \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
            z_k \sim q(z \mid x)

        with ``n_draws`` draws, the same ones at each call. On average it is below the
        log-likelihood, the less so the more draws there are. For grey values in [0, 1]
        of the "bernoulli" decoder it is a bound on the mean log-likelihood of binary
        rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of what was observed.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        return self.importance_likelihood(X, n_draws=self._now("n_draws"))

    def importance_likelihood(self, X, *, n_draws=1000, return_se=False):
        """As :meth:`score_samples`, with another number of draws.

        An encoder that is more certain than it should be, as for rows with much
        missing, gives weights that are seldom large: both numbers are too low then.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_draws : int, default=1000
        return_se : bool, default=False

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Where asked for: the draws' standard error, by the delta method.
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
        r"""The evidence lower bound of the rows and its parts, in nats.

        .. math:: \mathbb{E}_q[\log p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z))

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_draws : int, default=100
            Over which the first term is averaged, and the second where there are
            several latent layers.

        Returns
        -------
        elbo : Elbo
            A named tuple of ``bound``, ``reconstruction`` and ``kl``, each of shape
            (n_samples,).
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
        r"""Which latent units tell something of the rows.

        .. math:: \operatorname{Var}_x(\mathbb{E}_q[z_j]) > \text{threshold}

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        threshold : float, default=0.01

        Returns
        -------
        active : ndarray of bool, of shape (sum of n_components,)
            Those of the layer next to the data first.
        """
        check_is_fitted(self)
        rows = self._rows(X)
        means = self._of_blocks(rows, lambda v, _: self._means(v).T)
        return means.var(axis=1) > threshold

    def _means(self, v):
        """Means of all latent units, layer after layer."""
        x = self._domain.inputs(self._columns, v)
        means = self._ladder().upwards(*self._net(v.dtype), x)
        return np.concatenate(means, axis=1)

    @property
    def _width(self):
        """The most units that a layer has."""
        return max(max(W.shape) for W in self.coefs_)

    def _checked_rows(self, X, n_draws):
        check_is_fitted(self)
        return self._rows(X), count(n_draws, "n_draws")

    def _of_blocks(self, rows, function):
        """A function of rows and of their streams, whose last axis is the rows'."""
        ids = stream(self._seed, LIKELIHOOD).rows(row_hash(rows))
        blocks = gen_batches(rows.shape[0], max(1, _ROWS // self._width))
        with one_blas_thread():
            parts = [function(rows.take(b), ids.take(b)) for b in blocks]
        return np.concatenate(parts, axis=-1)

    def _draws(self, v, rng, n_draws, exact=False):
        """Log likelihoods and gaps of draws for rows, some at a time."""
        ladder, (params, memory) = self._ladder(), self._net(v.dtype)
        domain, columns = self._domain, self._columns
        x, width = domain.inputs(columns, v), self._width
        # So many that a row's draws do not depend on which rows are beside it.
        at_once = max(1, _ROOM // (width * max(1, _ROWS // width)))
        for number, first in enumerate(range(0, n_draws, at_once)):
            n_each = min(at_once, n_draws - first)
            noise = ladder.noise(rng.fold(number), n_each)
            found = ladder.through(params, memory, x, noise, exact=exact)
            log_p = -domain.loss(columns, found.out, params.own, v)
            yield log_p.reshape(len(v), -1), found.gap.reshape(len(v), -1)
