"""Base class of classifiers: codes of labels, predictions, accuracy."""

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import (
    _num_samples,
    check_is_fitted,
)

from skdgm.base.attributes import rolled_back
from skdgm.base.estimator import Estimator
from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import (
    UNKNOWN,
    as_column,
    check_several,
    codes_of,
    kind_of,
    marked,
    of_classes,
    sorted_classes,
    warn_of_mark,
    weight_of_classes,
)
from skdgm.typing import Any, ArrayLike, Data, Self, Target, Weight
from skdgm.utils.domains import checked_weights
from skdgm.utils.given import Given
from skdgm.utils.math import shares
from skdgm.utils.rows import Rows

_HINT = ": name all at the first call of partial_fit"


def is_unlabeled(self: Any, y: np.ndarray) -> np.ndarray:
    """Mask of unlabeled rows; if y has several columns, all of them lack a label."""
    mask = marked(y, self.unlabeled)
    return mask if mask.ndim == 1 else mask.all(axis=1)


def check_first_call(self: Any, classes: ArrayLike | None) -> None:
    """Raise ValueError if the first call of partial_fit has no classes."""
    if classes is None and not hasattr(self, "classes_"):
        raise ValueError(
            "classes must be passed on the first call to partial_fit: all labels "
            "that will ever come."
        )


def with_labels(
    self: Any, rows: Rows, y: Target, fresh: bool, classes: ArrayLike | None
) -> tuple:
    """Rows with the codes of their labels, and a dict with ``classes_``."""
    y = self._values(y)
    check_length(y, rows.shape[0])
    labeled = ~self._is_unlabeled(y)
    labels = self._labels(y[labeled])
    declared = None if classes is None else sorted_classes(classes, self)
    if not fresh:
        if not (declared is None or np.array_equal(declared, self.classes_)):
            raise ValueError(
                f"classes={declared.tolist()}, but there are "
                f"{self.classes_.tolist()}: they stay those of the first call."
            )
        classes = self.classes_
    else:
        classes = np.unique(labels) if declared is None else declared
        check_several(classes, self, "y" if declared is None else "classes")
    codes = np.full(len(y), UNKNOWN)
    codes[labeled] = codes_of(labels, classes, _HINT)
    if fresh:
        warn_of_mark(classes, self)
    return rows._replace(given=Given(codes)), {"classes_": classes}


class Classifier(ClassifierMixin, Estimator):
    """Base class of classifiers, which also learn from unlabeled rows.

    A subclass has a parameter ``unlabeled``, the value of y that marks unlabeled rows,
    and a method ``_logits(rows)``. It returns log-probabilities of the labels up to a
    constant in each row, of shape (n_rows, n_classes). A subclass that accepts several
    columns of y overrides ``_values`` and ``_labels``.
    """

    _is_unlabeled, _check_first_call = is_unlabeled, check_first_call
    _label = with_labels

    @rolled_back
    def fit(self, X: Data, y: ArrayLike, sample_weight: Weight = None) -> Self:
        """Fit the model to labeled and unlabeled data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; the value of ``unlabeled`` marks unlabeled rows.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. Integer weights are exactly equivalent to repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; there is only one class;
            a weight is negative, or all weights are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(
        self,
        X: Data,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: Weight = None,
    ) -> Self:
        """Train for one more epoch, in batches of ``batch_size`` rows.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; the value of ``unlabeled`` marks unlabeled rows.
        classes : array-like of shape (n_classes,), default=None
            All labels that can occur. Required in the first call; in later calls the
            same labels, or None.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            As in :meth:`fit`; or y has a label that is not in ``classes``, or
            ``classes`` is missing in the first call.
        DivergenceError
            As in :meth:`fit`.
        """
        self._check_first_call(classes)
        return self._partial_fit(X, y, sample_weight, classes)

    def predict_log_proba(self, X: Data) -> np.ndarray:
        """Log probabilities of the labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        check_is_fitted(self)
        return log_softmax(self._logits(self._rows(X)), axis=1)

    def predict_proba(self, X: Data) -> np.ndarray:
        """Probabilities of the labels; see :meth:`predict_log_proba`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
            In the order of ``classes_``.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Data) -> np.ndarray:
        """Most probable label of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        codes = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[codes]

    def score(self, X: Data, y: ArrayLike, sample_weight: Weight = None) -> float:
        """Accuracy on the labeled rows.

        Unlabeled rows are excluded. scikit-learn's named metrics count them as errors:
        in searches and cross-validation, keep the default ``scoring``, which is this
        score, instead of "accuracy". Stratified folds, the default for classifiers,
        need a marker of the same type as the labels, such as -1 for integers, and not
        NaN.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels. If there are several columns, all must be predicted correctly.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float

        Raises
        ------
        ValueError
            No row has a label, X and y differ in length, or the labels do not have the
            shape of the predictions.
        """
        check_is_fitted(self)
        (X,), y = indexable(X), self._values(y)
        check_length(y, _num_samples(X))
        labeled = ~self._is_unlabeled(y)
        if not labeled.any():
            raise ValueError(
                f"{type(self).__name__} has nothing to score: y has no row with a "
                f"label, all are unlabeled={self.unlabeled!r}."
            )
        labels = self._labels(y[labeled])
        kinds = kind_of(labels), kind_of(np.asarray(self.classes_))
        if kinds.count("text") == 1:
            raise ValueError(
                "y has labels of another kind than the classes of fit, text instead of "
                f"numbers or the reverse: {labels.ravel()[0]!r} is not like "
                f"{np.ravel(self.classes_)[0]!r}."
            )
        if sample_weight is not None:
            sample_weight = shares(checked_weights(sample_weight, X)[labeled])[0]
        predicted = self.predict(
            X if labeled.all() else _safe_indexing(X, np.where(labeled)[0])
        )
        if labels.shape != predicted.shape:
            raise ValueError(
                f"y has labels of shape {labels.shape}, but predictions have "
                f"{predicted.shape}."
            )
        return accuracy_score(labels, predicted, sample_weight=sample_weight)

    def _values(self, y):
        """y as an array whose entries keep their types."""
        return as_column(as_values(y, self))

    def _labels(self, y):
        """Validate the labels of labeled rows."""
        return of_classes(y)

    def _count(self, table, fresh):
        super()._count(table, fresh)
        counts = weight_of_classes(table, len(self.classes_))
        self._label_counts = counts if fresh else self._label_counts + counts

    @property
    def _label_frequencies(self):
        # Laplace smoothing.
        return (self._label_counts + 1) / (self._label_counts + 1).sum()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # scikit-learn's checks use data that are not binary.
        tags.classifier_tags.poor_score = tags.input_tags.positive_only
        return tags
