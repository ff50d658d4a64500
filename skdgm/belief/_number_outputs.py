r"""Outputs of a tuned belief network for numbers.

.. math:: \mathbb{E}[y_k] = \bar y_k + s_k z_k

with the mean and the scale of each target, over the rows where it is known.
"""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import _safe_indexing, column_or_1d, indexable
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_is_fitted,
)

from skdgm.data.targets import as_numbers, check_length
from skdgm.nets import squared_error
from skdgm.training import Table, check_finite, column_spread, column_sums
from skdgm.utils.math import shares
from skdgm.utils.rows import Rows

# A target is constant but for rounding if its scale is at most this times its mean.
_CONSTANT = 10 * np.finfo(np.float64).eps


class NumberOutputs(RegressorMixin):
    """Mixin of a tuned network that predicts one or several numbers for each row."""

    _WATCHED = "minus half the squared error"
    _loss = staticmethod(squared_error)

    def partial_fit(self, X, y, sample_weight=None):
        """Continue training: one epoch of fine-tuning.

        The first call runs all of the pre-training first, on its rows, and fixes the
        scale of the targets. The total number of epochs is unknown here, so
        ``schedule="linear"`` leaves the learning rate at ``learning_rate_init``. Early
        stopping and callbacks apply to :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; NaN where there is none.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """Predict expected targets, in their own units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        y = self._outputs(X) * self._y_scale + self._y_mean
        return y.ravel() if self._flat else y

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination (R²) of the predictions on known targets.

        Entries of y that are NaN are left out; with several columns the score is the
        mean over those that have any target. scikit-learn's metrics chosen by name
        refuse NaN: in searches and in cross-validation, leave ``scoring`` at its
        default, which is this score, rather than "r2".

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; NaN where there is none.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            There is no target; or y has another number of columns than in ``fit``.
        """
        check_is_fitted(self)
        (X,) = indexable(X)
        y, _ = self._targets(y, _num_samples(X))
        if y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {y.shape[1]} columns, but {self.n_outputs_} are predicted."
            )
        known = ~np.isnan(y)
        if not known.any():
            raise ValueError(
                f"{type(self).__name__} has nothing to score: y has no target, all are "
                "NaN."
            )
        if sample_weight is not None:
            sample_weight = shares(_check_sample_weight(sample_weight, X))[0]
        if known.all():
            return super().score(X, y, sample_weight)
        weight = _check_sample_weight(sample_weight, X)
        rows = np.flatnonzero(known.any(axis=1))
        found = np.empty(y.shape)
        found[rows] = self.predict(_safe_indexing(X, rows)).reshape(len(rows), -1)
        scores = [
            r2_score(t[there], z[there], sample_weight=shares(weight[there])[0])
            for t, z, there in zip(y.T, found.T, known.T)
            if there.any()
        ]
        return float(np.mean(scores))

    def _read(self, rows, y, fresh, classes):
        """Targets as a table, and facts learned from them, by attribute name."""
        y, flat = self._targets(y, rows.shape[0])
        if not fresh and y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {y.shape[1]} columns, but there were {self.n_outputs_} before."
            )
        missing = np.flatnonzero(np.isnan(y).all(axis=0))
        if fresh and len(missing):
            raise ValueError(
                f"{type(self).__name__} needs targets, but y has none in columns "
                f"{missing.tolist()}."
            )
        return y, {"n_outputs_": y.shape[1], "_flat": flat}

    def _targets(self, y, n_rows):
        """Convert y to a table of numbers, and tell whether it has only one column."""
        y = as_numbers(y, self)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_length(y, n_rows)
        return y.reshape(n_rows, -1), y.ndim == 1

    def _survey(self, table):
        """Means and scales of the targets."""
        y = Table(Rows(table.rows.labels, np.float64), *table[1:])
        seen, total = column_sums(y)
        mean = total / np.maximum(seen, np.finfo(float).tiny)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = column_spread(y, mean)
        check_finite(mean, scale, "y, in columns")
        varies = scale > _CONSTANT * np.abs(mean)
        return {"_y_mean": mean, "_y_scale": np.where(varies, scale, 1.0)}

    def _wanted(self, y):
        """Training targets of the outputs: standardised values, one row each."""
        return (y - self._y_mean) / self._y_scale

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        # The data of scikit-learn's checks are not binary.
        tags.regressor_tags.poor_score = tags.input_tags.positive_only
        return tags
