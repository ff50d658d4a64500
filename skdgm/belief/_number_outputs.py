r"""Outputs of a tuned belief network that stand for numbers.

.. math:: \mathbb{E}[y_k] = \bar y_k + s_k z_k

with mean and scale of each target where it is known.
"""

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.validation import check_consistent_length

from skdgm.nets import squared_error
from skdgm.training import Table, column_spread, column_sums
from skdgm.utils.rows import Rows

# What is constant but for rounding.
_CONSTANT = 10 * np.finfo(np.float64).eps


class NumberOutputs(RegressorMixin):
    """Numbers, one for each row or several."""

    _WATCHED = "minus half the squared error"
    _loss = staticmethod(squared_error)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Go on learning: one epoch of fine-tuning.

        The first call is preceded by all of the pre-training, on its rows, and settles
        the scale of targets. An epoch knows of no last one, so ``schedule="linear"``
        leaves ``learning_rate_init`` as it is. Early stopping and callbacks are for
        :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; NaN where there is none.
        sample_weight : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As by :meth:`fit`.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """The expected targets, in their own units.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In float64.
        """
        y = self._outputs(X) * self._y_scale + self._y_mean
        return y.ravel() if self._flat else y

    def _read(self, rows, y, fresh, classes):
        """Targets as a table, and what is known of them, by attribute."""
        name = type(self).__name__
        if y is None:
            raise ValueError(
                f"{name} requires y to be passed, but the target y is None."
            )
        y = check_array(
            y,
            ensure_2d=False,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            input_name="y",
            estimator=self,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_consistent_length(rows.X, y)
        flat, y = y.ndim == 1, y.reshape(len(y), -1)
        if not fresh and y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {y.shape[1]} columns, but there were {self.n_outputs_} before."
            )
        missing = np.flatnonzero(np.isnan(y).all(axis=0))
        if fresh and len(missing):
            raise ValueError(
                f"{name} needs targets, but y has none in columns {missing.tolist()}."
            )
        return y, {"n_outputs_": y.shape[1], "_flat": flat}

    def _survey(self, table):
        """Means and scales of targets."""
        y = Table(Rows(table.rows.labels, np.float64), *table[1:])
        seen, total = column_sums(y)
        mean = total / np.maximum(seen, np.finfo(float).tiny)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = column_spread(y, mean)
        if not np.isfinite(scale).all():
            raise ValueError(
                "Targets are too large for their variance to be a number: scale them "
                "down."
            )
        varies = scale > _CONSTANT * np.abs(mean)
        return {"_y_mean": mean, "_y_scale": np.where(varies, scale, 1.0)}

    def _wanted(self, y):
        """What outputs should be, for each row."""
        return (y - self._y_mean) / self._y_scale

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        # The data of scikit-learn's checks are not binary.
        tags.regressor_tags.poor_score = tags.input_tags.positive_only
        return tags
