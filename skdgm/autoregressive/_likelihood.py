"""Log-likelihoods of rows and of their entries."""

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from skdgm.data import has_grey
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.hashing import row_hash
from skdgm.utils.math import log_mean_exp
from skdgm.utils.purposes import LIKELIHOOD
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.warn import warn

# Limit on the numbers of one layer for all rows of a block.
_ROOM = 2**18


class LikelihoodMixin:
    """``score_samples`` and related methods, for an estimator with a model that has

    - ``n_orders``, the number of orders of the columns,
    - ``log_likelihood(params, v, order, rng)``, the log-likelihood of rows in one
      order,
    - ``log_p(params, v, order, rng)``, that of each entry given those before it,
    - ``features(params, v)``, hidden units,
    - ``width``, the number of units of the widest layer.
    """

    def score_samples(self, X):
        r"""Log-likelihood of each row, in nats.

        .. math:: \log \frac1K \sum_{k=1}^K \prod_t
            p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

        for the K orders of the columns: see ``density_kind_``.

        Scores of grey rows, with values strictly between 0 and 1 in "bernoulli"
        columns, are neither log-likelihoods nor bounds on one, and do not compare with
        other models: each value counts as a fraction of a 1, given the grey values
        before it, which a net reads as numbers.
        :func:`~skdgm.metrics.average_over_draws` gives the mean log-likelihood of bits
        drawn with these probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of the observed entries. A
            category in a DataFrame that was not seen in ``fit`` has the probability of
            all unseen categories together: as if each of the K known categories, and
            one other, had been seen once more, 1 / (n + K + 1) after n rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64

        Warns
        -----
        DataRangeWarning
            Rows are grey.
        """

        def of_rows(model, params, v, rng):
            orders = range(model.n_orders)
            found = [model.log_likelihood(params, v, k, rng.fold(k)) for k in orders]
            return log_mean_exp(np.stack(found))[0]

        rows, found = self._of_rows(X, of_rows)
        self._warn_of_grey(rows)
        return found + self._domain.log_volume(self._columns, rows)

    def score_features(self, X):
        r"""Log-likelihood of each entry given those before it, in nats.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k)

        Low values show which columns are improbable. With one order their sum is
        :meth:`score_samples`, with several at most that.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value, whose log-likelihood is 0.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features), float64

        Warns
        -----
        DataRangeWarning
            Rows are grey; see :meth:`score_samples`.
        """

        def of_rows(model, params, v, rng):
            orders = range(model.n_orders)
            parts = (model.log_p(params, v, k, rng.fold(k)) for k in orders)
            return sum(parts) / model.n_orders

        rows, found = self._of_rows(X, of_rows)
        self._warn_of_grey(rows)
        return found + self._log_volumes(rows)

    def _of_rows(self, X, function):
        """Validated rows, and a function of model, parameters, rows and streams."""
        check_is_fitted(self)
        rows, model = self._rows(X), self._model(self._learned)
        params = astype(self._training.learned, rows.dtype)
        ids = stream(self._seed, LIKELIHOOD).rows(row_hash(rows))
        blocks, found = gen_batches(rows.shape[0], max(1, _ROOM // model.width)), None
        with one_blas_thread():
            for block in blocks:
                part = function(model, params, rows.take(block), ids.take(block))
                if found is None:
                    found = np.empty((rows.shape[0], *part.shape[1:]), part.dtype)
                found[block] = part
        return rows, found

    def _warn_of_grey(self, rows):
        if has_grey(rows, self._domain.bits(self._columns)):
            warn(
                f"{type(self).__name__} got grey rows, with values between 0 and 1 in "
                "columns of bits: what it gives for these is no log-likelihood, and "
                "does not compare with other models. Use "
                "skdgm.metrics.average_over_draws(model, X), a mean over draws of "
                "their bits, or make bits with "
                "skdgm.preprocessing.BernoulliBinarizer first.",
                DataRangeWarning,
            )

    def _log_volumes(self, rows):
        """Log Jacobian of standardisation for each entry, to add to log densities."""
        shrunk = self._domain.log_measure(self._columns)
        if rows.complete:
            return shrunk
        parts = [~np.isnan(rows.take(block)) * shrunk for block in rows.blocks()]
        found = np.concatenate(parts)
        if rows.unknown is None:
            return found
        return np.where(rows.unknown, self._columns.log_room, found)

    @property
    def _n_features_out(self):
        check_is_fitted(self)
        return self._model(self._learned).n_features
