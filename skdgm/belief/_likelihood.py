"""Likelihoods of deep belief networks."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.belief._bound import Terms, mean, terms
from skdgm.boltzmann._likelihood import PartitionMixin
from skdgm.energies import tiled
from skdgm.partition import exact
from skdgm.utils.counts import count
from skdgm.utils.hashing import row_hash
from skdgm.utils.purposes import LIKELIHOOD
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

N_DRAWS = 20


class LikelihoodMixin(PartitionMixin):
    """Mixin with ``score_samples`` and its parts, for a stack with ``_directed()``."""

    @property
    def density_kind_(self):
        """Meaning of ``score_samples``: "exact", "lower bound" or "estimate"."""
        check_is_fitted(self)
        kind = self.layers_[-1].density_kind_
        if len(self.layers_) > 1 and kind == "exact":
            return "lower bound"
        return kind

    def score_samples(self, X):
        """Lower bound on the log-likelihood of each row, in nats.

        The result of :meth:`likelihood_bound` with 20 draws; for a single layer the
        log-likelihood itself. If log Z of the top-level machine is not exact but
        estimated by annealed importance sampling, the result is an estimate of the
        bound. For grey values in [0, 1] it is a lower bound on the mean log-likelihood
        of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        return self.likelihood_bound(X)

    def likelihood_bound(self, X, *, n_draws=N_DRAWS, return_se=False):
        r"""Variational bound on the log-likelihood of each row, in nats.

        .. math:: \mathbb{E}_Q\Big[\sum_k \log P(h^{k-1} \mid h^k) + H(Q(h^k \mid
            h^{k-1})) + \log P^*(h^{L-1})\Big] - \log Z

        The expectation is over draws from the recognition distribution Q, the same ones
        at each call; entropies are exact. A single layer needs no draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        n_draws : int, default=20
            Number of draws for each row.
        return_se : bool, default=False
            If True, also return standard errors.

        Returns
        -------
        bound : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard error over draws, without that of log Z; only if ``return_se`` is
            True.
        """
        found, se = self._expected(X, n_draws, lambda drawn: mean(drawn.bound()))
        return (found - self.log_Z_, se) if return_se else found - self.log_Z_

    def importance_likelihood(self, X, *, n_draws=N_DRAWS, return_se=False):
        r"""Log-likelihood of each row by importance sampling, in nats.

        .. math:: \log \frac1n \sum_i \frac{P(v, h_i)}{Q(h_i \mid v)}, \qquad
            h_i \sim Q

        Its expectation is below the log-likelihood, and closer to it the more draws
        there are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        n_draws : int, default=20
            Number of draws for each row.
        return_se : bool, default=False
            If True, also return standard errors.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard error over draws, without that of log Z; only if ``return_se`` is
            True.
        """
        found, se = self._expected(X, n_draws, Terms.log_mean_weight)
        return (found - self.log_Z_, se) if return_se else found - self.log_Z_

    def _expected(self, X, n_draws, summary, log_top=None, rng=None):
        """Summary of the bound's terms, without log Z, and its standard error."""
        check_is_fitted(self)
        n_draws = count(n_draws, "n_draws")
        bottom, top = self.layers_[0], self.layers_[-1]
        if top is bottom:
            return top._numerator(X, n_draws)[:2]
        energy = top._energy()
        exactly = np.float64 if exact.is_enumerable(energy) else None
        rows, parts = self._rows(X, dtype=exactly), []
        params = tiled(top._params(rows.dtype))
        layers = [layer.for_lists() for layer in self._directed(rows.dtype)]
        rng = stream(self._seed, LIKELIHOOD) if rng is None else rng
        ids = rng.rows(row_hash(rows))

        def log_weight(h, rng):
            return top._log_weight(energy, params, *top._present(h))

        with one_blas_thread():
            for part in rows.blocks():
                x, clamp = bottom._present(rows.present(part))
                clamped = clamp[0]
                x = x[0] if clamped is True else layers[0].means(x, clamp)[0]
                given = x, clamped, log_top or log_weight, ids.take(part), n_draws
                parts.append(summary(terms(layers, *given)))
        found, se = map(np.concatenate, zip(*parts))
        volume = self._domain.log_volume(self._columns, rows)
        return found + volume, se

    def _log_partition(self):
        """Log Z of the top-level machine and its standard error."""
        return self.layers_[-1].log_Z_, self.layers_[-1].log_Z_se_
