r"""Likelihoods of machines with several hidden layers.

.. math:: \log p(v) \ge \mathbb{E}_Q[-E(v, h)] + H(Q) - \log Z

for the factorial Q of mean field; or, with the odd layers summed out of
:math:`\tilde p`,

.. math:: \log p(v) = \log \mathbb{E}_{h \sim Q}\left[\tilde p(v, h_\text{even}) /
   Q(h_\text{even})\right] - \log Z,

which is estimated by an average over draws from Q, on average from below.
"""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann._evidence import complete
from skdgm.inference import bound
from skdgm.partition import exact
from skdgm.utils.counts import count
from skdgm.utils.hashing import row_hash
from skdgm.utils.math import log_mean_exp
from skdgm.utils.purposes import LIKELIHOOD
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread

_DRAWS = 2


class DeepLikelihoodMixin:
    """Bounds and estimates, for a :class:`~skdgm.boltzmann._deep.DeepMachine`."""

    @property
    def density_kind_(self):
        """Kind of density that ``score_samples`` returns: "lower bound", or "estimate"
        of one."""
        check_is_fitted(self)
        return "lower bound" if exact.is_enumerable(self._energy()) else "estimate"

    def free_energy(self, X):
        r"""Variational free energy of each row, in nats.

        .. math:: F(v) = \min_Q \mathbb{E}_Q[E(v, h)] - H(Q) \ge -\log \sum_h
           e^{-E(v, h)}

        for factorial Q, found by mean field. Q also covers missing entries (NaN).

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
        """
        return super().free_energy(X)

    def score_samples(self, X):
        r"""Lower bound on the log-likelihood of each row, in nats.

        .. math:: \log p(v) \ge -F(v) - \log Z

        with the variational :meth:`free_energy`. Log Z, computed at the first call, is
        exact where the odd or the even layers have at most 20 units. Otherwise it is an
        estimate by annealed importance sampling from both sides, and so is the bound.
        For grey values in [0, 1] the result is a lower bound on the mean log-likelihood
        of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the bound is on the likelihood of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            Weights or biases are not finite, so that there is no log Z.
        """
        return super().score_samples(X)

    def importance_likelihood(self, X, *, n_draws=100, return_se=False):
        r"""Estimate the log-likelihood of each row, in nats, by importance sampling.

        .. math:: \log \frac1n \sum_{k=1}^n \frac{\tilde p(v, h_k)}{Q(h_k)} - \log Z,
           \qquad h_k \sim Q

        The estimate is above the bound of :meth:`score_samples`. Apart from the error
        of log Z, it is on average below the log-likelihood.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Without missing values.
        n_draws : int, default=100
            Number of draws for each row, the same ones at each call.
        return_se : bool, default=False
            If True, return standard errors, too.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        se : ndarray of shape (n_samples,)
            Standard errors of the averages, without that of log Z. Only returned if
            ``return_se`` is True.

        Raises
        ------
        TypeError
            ``n_draws`` is not a whole number.
        ValueError
            A value is missing, ``n_draws`` is less than 1, or weights or biases are not
            finite.
        """
        log_p, se = self._importance(X, n_draws)
        return (log_p - self.log_Z_, se) if return_se else log_p - self.log_Z_

    def _importance(self, X, n_draws):
        """Log-likelihoods by importance sampling before log Z is subtracted, and their
        standard errors."""
        n_draws = count(n_draws, "n_draws")
        rows = complete(self._rows_for_likelihood(X), "Importance sampling")
        rng = stream(self._seed, LIKELIHOOD, _DRAWS).rows(row_hash(rows))
        log_w = []
        with one_blas_thread():
            for part in rows.blocks():
                own = rng.take(part)
                log_w.append(self._log_weights(rows, part, own, n_draws))
        found, se = log_mean_exp(np.concatenate(log_w), axis=1)
        return self._domain.log_volume(self._columns, rows) + found, se

    def _numerator(self, X, n_draws):
        return *self._importance(X, n_draws), "estimate"

    def _log_weights(self, rows, part, rng, n_draws):
        """Log importance weights, of shape (n_rows, n_draws)."""
        energy, params = self._energy(), self._params_for(rows, rows.dtype)
        x, clamp = self._present(rows.present(part))
        means, log_w = self._inferred(energy, params, x, clamp), []
        for number in range(n_draws):
            drawn, log_q = _drawn(energy, means, rng.fold(number))
            log_w.append(energy.log_marginal(params, drawn) - log_q)
        return np.stack(log_w, axis=1)

    def _drawn_even(self, energy, params, x, clamp, rng):
        return _drawn(energy, self._inferred(energy, params, x, clamp), rng)

    def _log_weight(self, energy, params, x, clamp):
        means = self._inferred(energy, params, x, clamp)
        return bound(energy, params, means, clamp)


def _drawn(energy, means, rng):
    """Draws of the even hidden layers from means, and their log probabilities."""
    drawn, log_q = list(means), 0.0
    for block in energy.rest()[1:]:
        unit, mean = energy.units[block], means[block]
        drawn[block] = unit.draw(mean, rng.fold(block))
        log_q += unit.log_prob(mean, drawn[block])
    return tuple(drawn), log_q
