"""Pseudo-likelihoods of machines whose visible layer is one block."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdgm.inference import mean_field


class PseudoLikelihoodMixin:
    """``pseudo_likelihood``, for a :class:`~skdgm.boltzmann._machine.Machine`."""

    def pseudo_likelihood(self, X):
        r"""Log pseudo-likelihood of each row, in nats.

        .. math:: \mathrm{PL}(v) = \sum_i \log p(v_i \mid v_{-i})

        The sum over all units is computed exactly, and so is deterministic. Missing
        entries are filled by mean field and left out of the sum.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        pseudo_likelihood : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        energy, params = self._energy(), self._params(np.float64)
        log_p = self._domain.log_conditionals

        def of_complete(v):
            return log_p(energy, params, self._present(v)[0], None).sum(axis=1)

        def of_incomplete(v):
            means, _ = mean_field(energy, params, *self._present(v))
            found = log_p(energy, params, means, None)
            return found.sum(axis=1, where=~np.isnan(v))

        rows = self._rows(X, dtype=np.float64)
        volume = self._domain.log_volume(self._columns, rows)
        return volume + self._blockwise(of_complete, rows, of_incomplete)
