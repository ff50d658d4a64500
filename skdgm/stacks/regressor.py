"""Fine-tuned regressors, some of whose targets may be unknown."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import (
    _num_samples,
    check_is_fitted,
)

from skdgm.stacks.outputs import Numbers, as_table
from skdgm.stacks.tuned import TunedNetwork
from skdgm.training import labeled
from skdgm.typing import ArrayLike, Data, Self, Weight
from skdgm.utils.domains import checked_weights
from skdgm.utils.given import Given
from skdgm.utils.math import shares


class TunedRegressor(RegressorMixin, TunedNetwork):
    """Base class of stacks that are fine-tuned as regressors.

    Parameters
    ----------
    n_iter
        Number of epochs of fine-tuning; "auto" makes 5,000 updates, in at least 20 and
        at most 100 epochs.
    dropout : float or tuple of float
        Dropout rate of the hidden units during fine-tuning, or a pair of the rates of
        the inputs and of the hidden units. Without dropout, a net overfits if there are
        few targets.
    early_stopping
        If True, hold out rows, stop when the squared error of their targets no longer
        falls, and keep the weights of its minimum. Pre-training uses the held-out rows
        without their targets.
    validation_fraction
        Share of the rows with a target to hold out.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_below, n_above)
        Weights of the net, from the bottom to the output layer, for standardized real
        columns and standardized targets.
    loss_curve_ : list of float
        Mean of half the squared error of standardized targets, over some training rows,
        after each epoch of fine-tuning.
    """

    dropout = 0.3

    def partial_fit(self, X: Data, y: ArrayLike, sample_weight: Weight = None) -> Self:
        """Fine-tune for one more epoch.

        The first call also runs the complete pre-training on its rows, and fixes the
        scale of the targets. Because the total number of epochs is unknown,
        ``schedule="linear"`` does not change the learning rate. Early stopping and
        callbacks are for :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; NaN where unknown.
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

    def predict(self, X: Data) -> np.ndarray:
        """Predict expected targets, in the units of y.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        z = self._pre_activations(X)
        y = self._outputs.predict(z)
        return y.ravel() if self._flat else y

    def score(self, X: Data, y: ArrayLike, sample_weight: Weight = None) -> float:
        """Coefficient of determination (R²) of the predictions on known targets.

        NaN in y is excluded. With several columns, the score is the mean over the
        columns with a known target. scikit-learn's named metrics reject NaN: in
        searches and cross-validation, keep the default ``scoring``, which is this
        score, instead of "r2".

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; NaN where unknown.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            All targets are unknown, or y has another number of columns than in ``fit``.
        """
        check_is_fitted(self)
        (X,) = indexable(X)
        y, _ = as_table(y, self, _num_samples(X))
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
            sample_weight = shares(checked_weights(sample_weight, X))[0]
        if known.all():
            return super().score(X, y, sample_weight)
        weight = checked_weights(sample_weight, X)
        rows = np.flatnonzero(known.any(axis=1))
        predicted = np.empty(y.shape)
        predicted[rows] = self.predict(_safe_indexing(X, rows)).reshape(len(rows), -1)
        scores = [
            r2_score(
                target[seen],
                z[seen],
                sample_weight=shares(weight[seen])[0],
            )
            for target, z, seen in zip(y.T, predicted.T, known.T)
            if seen.any()
        ]
        return float(np.mean(scores))

    def _label(self, rows, y, fresh, classes):
        y, flat = as_table(y, self, rows.shape[0])
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
        return rows._replace(given=Given(y)), {"n_outputs_": y.shape[1], "_flat": flat}

    def _count(self, table, fresh):
        if fresh:
            self._outputs = Numbers.of(labeled(table))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        # The data of scikit-learn's checks are not binary.
        tags.regressor_tags.poor_score = tags.input_tags.positive_only
        return tags
