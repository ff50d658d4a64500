"""Conversion of labels to codes of classes, for training and scoring."""

from numbers import Real

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import _safe_indexing, column_or_1d, indexable
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    check_is_fitted,
)

from skdgm.boltzmann._labels import UNKNOWN
from skdgm.data.labels import marked, of_one_kind
from skdgm.data.targets import as_values, check_length
from skdgm.exceptions import LabelWarning
from skdgm.utils.math import shares
from skdgm.utils.warn import warn


class LabelReadingMixin(ClassifierMixin):
    """Labels as codes, and accuracy, for a classifier with ``unlabeled``."""

    def score(self, X, y, sample_weight=None):
        """Accuracy on the rows that have a label.

        Rows where y is ``unlabeled`` are left out. The metrics of scikit-learn that are
        chosen by name do not know this mark and count such rows as errors: in searches
        and in cross-validation, leave ``scoring`` at its default, which is this score,
        rather than "accuracy". Stratified folds, the default there, need a mark of the
        same type as the labels, such as -1 among whole numbers, and not NaN.

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
            No row has a label, y is not as long as X, or its labels do not have the
            shape of the predictions.
        """
        check_is_fitted(self)
        (X,), y = indexable(X), self._values(y)
        check_length(y, _num_samples(X))
        known = ~self._is_unlabeled(y)
        if not known.any():
            raise ValueError(
                f"{type(self).__name__} has nothing to score: y has no row with a "
                f"label, all are unlabeled={self.unlabeled!r}."
            )
        labels = self._labels(y[known])
        kinds = _kind(labels), _kind(np.asarray(self.classes_))
        if kinds.count("text") == 1:
            raise ValueError(
                "y has labels of another kind than the classes of fit, text instead of "
                f"numbers or the reverse: {labels.ravel()[0]!r} beside "
                f"{np.ravel(self.classes_)[0]!r}."
            )
        if sample_weight is not None:
            sample_weight = shares(_check_sample_weight(sample_weight, X)[known])[0]
        found = self.predict(
            X if known.all() else _safe_indexing(X, np.where(known)[0])
        )
        if labels.shape != found.shape:
            raise ValueError(
                f"y has labels of shape {labels.shape}, but predictions have "
                f"{found.shape}."
            )
        return accuracy_score(labels, found, sample_weight=sample_weight)

    def _values(self, y):
        """y as an array of the type it was given in."""
        return _as_column(as_values(y, self))

    def _labels(self, y):
        """Entries of y without marks, as labels."""
        labels = of_one_kind(y)
        if labels.size:
            _check_classes(labels, "y")
        return labels

    def _is_unlabeled(self, y):
        """Mask of rows without a label; with several columns, without any."""
        found = marked(y, self.unlabeled)
        return found if found.ndim == 1 else found.all(axis=1)

    def _check_first_call(self, classes):
        """Raise ValueError where partial_fit is first called without classes."""
        if classes is None and not hasattr(self, "classes_"):
            raise ValueError(
                "classes must be passed on the first call to partial_fit: all labels "
                "that will ever come."
            )

    def _labelled(self, rows, y, fresh, classes):
        y = self._values(y)
        check_length(y, rows.shape[0])
        known = ~self._is_unlabeled(y)
        labels = self._labels(y[known])
        if not fresh:
            self._check_same(classes)
            classes = self.classes_
        elif classes is None:
            classes = self._enough(np.unique(labels), "y")
        else:
            classes = self._enough(self._read_classes(classes), "classes")
        codes = np.full(len(y), UNKNOWN)
        codes[known] = self._codes(labels, classes)
        if fresh:
            self._warn_of_mark(classes)
        return rows._replace(labels=codes), {"classes_": classes}

    def _read_classes(self, classes):
        """All labels that will ever occur, sorted."""
        classes = as_values(classes, self, "classes")
        if classes.ndim != 1:
            raise ValueError(
                f"classes should be a 1d array, got an array of shape {classes.shape}."
            )
        if marked(classes, self.unlabeled).any():
            raise ValueError(
                f"classes has {self.unlabeled!r}, which is no label, but says that "
                "there is none (unlabeled): leave it out."
            )
        classes = of_one_kind(classes, "classes")
        if len(classes):
            _check_classes(classes, "classes")
        return np.unique(classes)

    def _check_same(self, classes):
        """Raise ValueError where the classes are not those of the first call."""
        if classes is None:
            return
        given = self._read_classes(classes)
        if not np.array_equal(given, self.classes_):
            raise ValueError(
                f"classes={given.tolist()}, but there are {self.classes_.tolist()}: "
                "they stay those of the first call."
            )

    def _enough(self, classes, name):
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__} needs labels of at least two classes, but "
                f"{name} has {'one class only' if len(classes) else 'no label at all'}."
            )
        return classes

    def _warn_of_mark(self, classes):
        """Warn where a class seems to be a mark of rows without a label."""
        mark = self.unlabeled
        if classes.dtype.kind == "u" and isinstance(mark, Real) and mark < 0:
            warn(
                f"y is of the type {classes.dtype}, which cannot hold unlabeled="
                f"{mark}: no row is unlabelled, and marks written to such an array are "
                "large labels now. Convert y by y.astype(int) before marking rows.",
                LabelWarning,
            )
        # Classes are sorted; -1 and 1 often are two proper classes.
        if classes.dtype.kind != "i" or classes[0] != -1 or classes.tolist() == [-1, 1]:
            return
        warn(
            f"y has the label -1 beside others of at least 0, and unlabeled="
            f"{self.unlabeled!r}: {type(self).__name__} takes it for a class. If it "
            "says that a row has no label, set unlabeled=-1.",
            LabelWarning,
        )

    def _codes(self, y, classes=None):
        """Indices of labels among the classes."""
        hint = "" if classes is None else ": name all at the first call of partial_fit"
        classes = self.classes_ if classes is None else classes
        place = np.zeros(len(y), dtype=int)
        found = np.zeros(len(y), dtype=bool)
        # NumPy would convert numbers to text to compare them with text.
        if _kind(y) == _kind(classes):
            place = np.searchsorted(classes, y).clip(max=len(classes) - 1)
            found = classes[place] == y
        if not found.all():
            unknown = np.unique(y[~found]).tolist()
            raise ValueError(
                f"y has labels {unknown} that are not among the classes "
                f"{classes.tolist()}{hint}."
            )
        return place


def _as_column(values):
    """Values as a one-dimensional array, one for each row."""
    if values.ndim == 2 and values.shape[1] == 1:
        return column_or_1d(values, warn=True)
    if values.ndim != 1:
        raise ValueError(
            "y should be a 1d array, of one label for each row; got an array of shape "
            f"{values.shape}."
        )
    return values


def _check_classes(labels, name):
    try:
        check_classification_targets(labels)
    except ValueError as error:
        raise ValueError(f"{name} has no classes: {error}") from error


def _kind(values):
    """Kind of values: text, dates, durations or numbers."""
    kind = values.dtype.kind
    return kind if kind in "mM" else "text" if kind in "OU" else "number"
