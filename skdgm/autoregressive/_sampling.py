"""Samples of whole rows and of missing entries."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdgm.data import fill
from skdgm.utils.counts import count_rows
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threads import one_blas_thread

METHODS = "mean", "mode", "sample"
# Rows drawn at a time.
_AT_ONCE = 1000


class SamplingMixin:
    """``sample``, ``impute`` and ``conditional_sample``, for an estimator with a model
    that has

    - ``sampled(params, v, rng)``, rows with missing entries drawn in order,
    - ``fill(params, v, rng, method)``, rows with missing entries filled given the
      others.
    """

    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the model, exactly: each column given those before it.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            With ``output="mixed"`` a DataFrame, if ``fit`` was given one.
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
            "mean" returns means (of bits probabilities; of categories, and of bits in a
            DataFrame, the most probable value). "mode" returns the most probable
            values, among several draws or column after column. Both are the same at
            each call; "sample" returns draws.
        random_state : int, RandomState instance or None, default=None
            For "sample".

        Returns
        -------
        X_filled : ndarray of shape (n_samples, n_features)
            Entries that are not missing are unchanged. With ``output="mixed"`` a
            DataFrame, if ``fit`` was given one; if X is one, with its index.
        """
        return self._filled(X, method, random_state)

    def conditional_sample(self, X, *, n_samples=1, random_state=None):
        """Draw missing entries several times, given the others of their row.

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
            All draws for the first row come first. With ``output="mixed"`` a DataFrame,
            if ``fit`` was given one; if X is one, with its index, each label
            ``n_samples`` times.
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
        """Values in the form of the data given to ``fit``, or of X."""
        presented = getattr(self._domain, "presented", None)
        return values if presented is None else presented(self._columns, values, X)
