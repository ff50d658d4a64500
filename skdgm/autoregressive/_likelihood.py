"""Exact likelihoods of rows, and what each column has to do with them."""

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from skdgm.base import has_grey
from skdgm.base.purposes import LIKELIHOOD
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.hashing import row_hash
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import stream
from skdgm.utils.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.warn import warn

# Numbers that all of a block's rows may have in a layer.
_ROOM = 2**18


class LikelihoodMixin:
    """``score_samples`` and its like, for an estimator with a model that has

    - ``n_orders``, how many likelihoods a row has, one for each order of the columns,
    - ``log_p(params, v, order, rng)``, those of entries given the ones before,
    - ``features(params, v)``, hidden units,
    - ``width``, the most numbers that it has for a row.
    """

    def score_samples(self, X):
        r"""Log-likelihood of the rows, in nats.

        .. math:: \log \frac1K \sum_{k=1}^K \prod_t
            p(x_{o_{kt}} \mid x_{o_{k1}}, \dots, x_{o_{k,t-1}})

        for the K orders of the columns that there are: see ``density_kind_``.

        Of grey rows, with values between 0 and 1 in "bernoulli" columns, it is no
        log-likelihood, nor a bound on one, and does not compare with other models: each
        value counts as so much of a 1, given the grey values before it, which a net
        reads as numbers. The mean over rows of bits drawn with these probabilities is
        that of :func:`~skdgm.metrics.average_over_draws`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN is a missing value: the likelihood is that of what was observed. A
            category in a DataFrame that was not seen in ``fit`` has the probability of
            such ones together: as if each of the K known categories, and one other, had
            been seen once more, 1 / (n + K + 1) after n rows.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)

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
        r"""Log-likelihood of each entry, given those before it, in nats: which column
        is surprising.

        .. math:: \frac1K \sum_{k=1}^K \log p(x_j \mid x_i: i \text{ before } j
            \text{ in order } k)

        Of one order these add up to :meth:`score_samples`, of several to no more.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Of a missing value it is 0.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples, n_features)

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
        """A function of model, parameters, rows and their streams, block by block."""
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
        """What is added to log densities of what models see."""
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
