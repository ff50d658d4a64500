"""Likelihoods of deep belief networks."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.base.purposes import LIKELIHOOD
from skdgm.belief._bound import Terms, mean, terms
from skdgm.boltzmann._likelihood import PartitionMixin
from skdgm.energies import tiled
from skdgm.partition import exact
from skdgm.utils.counts import count
from skdgm.utils.hashing import row_hash
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

N_DRAWS = 20


class LikelihoodMixin(PartitionMixin):
    """``score_samples`` and its parts, for a stack with ``_directed()``."""

    @property
    def density_kind_(self):
        """Whether ``score_samples`` is "exact", a "lower bound" or an "estimate"."""
        check_is_fitted(self)
        kind = self.layers_[-1].density_kind_
        if len(self.layers_) > 1 and kind == "exact":
            return "lower bound"
        return kind

    def score_samples(self, X):
        r"""A lower bound on the log-likelihood of the rows, in nats.

        That of :meth:`likelihood_bound`, of 20 draws; of a single layer the
        log-likelihood itself. Where the top machine's log Z is not exact but found by
        annealed importance sampling, it is an estimate of the bound. For grey values in
        [0, 1] it is a lower bound on the mean log-likelihood of binary rows drawn with
        these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of what was observed.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        return self.likelihood_bound(X)

    def likelihood_bound(self, X, *, n_draws=N_DRAWS, return_se=False):
        r"""The variational bound on the log-likelihood of the rows, in nats.

        .. math:: \mathbb{E}_Q\Big[\sum_k \log P(h^{k-1} \mid h^k) + H(Q(h^k \mid
            h^{k-1})) + \log P^*(h^{L-1})\Big] - \log Z

        The expectation is over draws from the recognition distribution Q, the same ones
        at each call; entropies are exact. A single layer needs no draws.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_draws : int, default=20
        return_se : bool, default=False

        Returns
        -------
        bound : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Where asked for: the draws' standard error, without that of log Z.
        """
        found, se = self._expected(X, n_draws, lambda drawn: mean(drawn.bound()))
        return (found - self.log_Z_, se) if return_se else found - self.log_Z_

    def importance_likelihood(self, X, *, n_draws=N_DRAWS, return_se=False):
        r"""The log-likelihood of the rows by importance sampling, in nats.

        .. math:: \log \frac1n \sum_i \frac{P(v, h_i)}{Q(h_i \mid v)}, \qquad
            h_i \sim Q

        On average it is below the log-likelihood, the less so the more draws there are.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        n_draws : int, default=20
        return_se : bool, default=False

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Where asked for: the draws' standard error, without that of log Z.
        """
        found, se = self._expected(X, n_draws, Terms.log_mean_weight)
        return (found - self.log_Z_, se) if return_se else found - self.log_Z_

    def _expected(self, X, n_draws, summary, log_top=None, rng=None):
        """A summary of the bound's terms, without log Z, and its error."""
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
                held = clamp[0]
                x = x[0] if held is True else layers[0].means(x, clamp)[0]
                given = x, held, log_top or log_weight, ids.take(part), n_draws
                parts.append(summary(terms(layers, *given)))
        found, se = map(np.concatenate, zip(*parts))
        volume = self._domain.log_volume(self._columns, rows)
        return found + volume, se

    def _log_partition(self):
        """Log Z of the top machine and its standard error."""
        return self.layers_[-1].log_Z_, self.layers_[-1].log_Z_se_
