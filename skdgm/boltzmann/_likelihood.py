"""Likelihoods of layered Boltzmann machines."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann._evidence import EvidenceMixin
from skdgm.inference import bound, mean_field
from skdgm.partition import exact


class PartitionMixin:
    """Lazy ``log_Z_`` and ``log_Z_se_``, for an estimator with ``_log_partition()``."""

    _LAZY = ("log_Z_", "log_Z_se_")

    def __getattr__(self, name):
        # Not properties: listing the attributes, as a notebook does to show an
        # estimator, must not start a long computation.
        if name in PartitionMixin._LAZY:
            check_is_fitted(self)
            self.log_Z_, self.log_Z_se_ = self._log_partition()
            return self.__dict__[name]
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
        )

    def _forget(self):
        """Drop values computed from parameters that have changed."""
        for name in self._LAZY:
            self.__dict__.pop(name, None)


class LikelihoodMixin(EvidenceMixin, PartitionMixin):
    """Log-likelihoods and free energies, for an estimator with an energy.

    The estimator is a :class:`~skdgm.boltzmann._machine.Machine`, with ``_energy()``,
    ``_params(dtype)``, ``_moments(energy)``, and the methods of ``SamplingMixin``.
    """

    @property
    def density_kind_(self):
        """Kind of density that ``score_samples`` returns: "exact" or "estimate"."""
        check_is_fitted(self)
        return "exact" if exact.is_enumerable(self._energy()) else "estimate"

    def free_energy(self, X):
        r"""Free energy of each row, in nats.

        .. math:: F(v) = -\log \sum_h e^{-E(v, h)}

        Missing entries (NaN) are summed out with the hidden units: exactly where the
        smaller layer has at most 20 units, otherwise by the mean-field bound, which
        makes the free energy too high.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        free_energy : ndarray of shape (n_samples,)
        """
        return self._free_energy(self._rows_for_likelihood(X))

    def _rows_for_likelihood(self, X):
        check_is_fitted(self)
        # Exact results are exact to the last digits; sums are in float64 anyway.
        dtype = np.float64 if exact.is_enumerable(self._energy()) else None
        return self._rows(X, dtype=dtype)

    def _free_energy(self, rows):
        energy, params = self._energy(), self._params_for(rows, rows.dtype)

        def of_rows(v):
            return -self._log_weight(energy, params, *self._present(v))

        return self._blockwise(of_rows, rows, of_rows)

    def _log_weight(self, energy, params, x, clamp):
        """Log of the sum of exp(-E) over all that is not clamped, or a bound on it."""
        if clamp[0] is True:
            return energy.log_marginal(params, x)
        if exact.is_enumerable(energy):
            return exact.log_evidence(energy, params, x, clamp)
        means, _ = mean_field(energy, params, x, clamp)
        return bound(energy, params, means, clamp)

    def score_samples(self, X):
        r"""Log-likelihood of each row, in nats.

        .. math:: \log p(v) = -F(v) - \log Z

        Exact where the smaller layer has at most 20 units. Otherwise log Z, computed at
        the first call, is an estimate by annealed importance sampling from both sides;
        where these differ by more than a nat, the higher one is taken, with a warning.
        For grey values in [0, 1] the result is a lower bound on the mean log-likelihood
        of binary rows drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing: the likelihood is that of the observed entries.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)

        Raises
        ------
        ValueError
            Weights or biases are not finite, so that there is no log Z.
        """
        rows = self._rows_for_likelihood(X)
        volume = self._domain.log_volume(self._columns, rows)
        return volume - self._free_energy(rows) - self.log_Z_

    def _log_partition(self):
        """Log Z and its standard error."""
        found = self._bracket()
        return found.log_Z, found.se
