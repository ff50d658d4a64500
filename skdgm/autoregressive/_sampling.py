"""Rows from nothing, and the rest of rows from a part of them."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdgm.base import fill
from skdgm.utils.counts import count_rows
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread

METHODS = "mean", "mode", "sample"
# Rows that are drawn at a time.
_AT_ONCE = 1000


class SamplingMixin:
    """``sample`` and ``impute``, for an estimator with a model that has

    - ``fill(params, v, rng, method)``, rows with what was missing.
    """

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the model: exactly, column after column.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            With ``output="mixed"`` a DataFrame, if one was learned from.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, len(self._columns.seen))
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, model = stream(seed).rows(n_samples), self._model(self._learned)
        nothing = np.full((min(n_samples, _AT_ONCE), len(self._columns.seen)), np.nan)
        nothing, parts = nothing.astype(self._dtype), []
        with one_blas_thread():
            for first in range(0, n_samples, _AT_ONCE):
                own = rng.take(slice(first, first + _AT_ONCE))
                given = self._training.learned, nothing[: len(own.ids)], own
                parts.append(model.sampled(*given))
        v = np.concatenate(parts)
        return self._presented(self._domain.to_data(self._columns, v))

    def impute(self, X, *, method="mean", random_state=None):
        """Fill missing entries, given the others of their row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        method : {"mean", "mode", "sample"}, default="mean"
            "mean" gives means (of bits probabilities; of categories, and of bits in a
            DataFrame, the most probable value). "mode" gives what is most likely, of
            several draws or column after column. Both are the same at each call;
            "sample" gives draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            What is known stays as it is. With ``output="mixed"`` a DataFrame, if one
            was learned from; if X is one, with its index.
        """
        return self._filled(X, method, random_state)

    def conditional_sample(self, X, *, n_samples=1, random_state=None):
        """Draw what is missing, given the others of its row, several times.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_rows, n_features)
            NaN where missing.
        n_samples : int, default=1
            Draws for each row.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        X_drawn : ndarray of shape (n_rows * n_samples, n_features)
            The draws for the first row first. With ``output="mixed"`` a DataFrame, if
            one was learned from; if X is one, with its index, each label ``n_samples``
            times.
        """
        check_is_fitted(self)
        n_samples = count_rows(n_samples, len(self._columns.seen))
        return self._filled(X, "sample", random_state, n_samples)

    def _filled(self, X, method, random_state, n_draws=1):
        check_is_fitted(self)
        model, params = self._model(self._learned), self._training.learned
        found = fill(
            self,
            X,
            method,
            random_state,
            lambda v, rng: model.fill(params, v, rng, method),
            METHODS,
            n_draws,
        )
        return self._presented(found, X)

    def _presented(self, values, X=None):
        """Values as who fitted the estimator has them, or as X has them."""
        presented = getattr(self._domain, "presented", None)
        return values if presented is None else presented(self._columns, values, X)
