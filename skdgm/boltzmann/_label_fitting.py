"""``fit`` and ``partial_fit`` of machines with labels."""

from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length

from skdgm.boltzmann._labels import UNKNOWN, LabelTrainer


def counted(table, n_classes):
    """How often each label comes."""
    labels = table.rows.labels[table.index]
    known = labels != UNKNOWN
    return np.bincount(labels[known], table.weight[known], minlength=n_classes)


class LabelReadingMixin:
    """Labels as codes, for an estimator with ``unlabeled``."""

    def _labelled(self, rows, y, fresh, classes):
        name = type(self).__name__
        if y is None:
            raise ValueError(
                f"{name} requires y to be passed, but the target y is None."
            )
        y = column_or_1d(y, warn=True)
        check_consistent_length(rows.X, y)
        known = ~self._is_unlabeled(y)
        labels = self._of_one_kind(y[known])
        assert_all_finite(labels, input_name="y", estimator_name=name)
        if known.any():
            check_classification_targets(labels)
        if fresh:
            classes = np.unique(labels if classes is None else classes)
            if len(classes) < 2:
                raise ValueError(
                    f"{name} needs labels of at least two classes, but y has "
                    f"{'one class only' if len(classes) else 'no label at all'}."
                )
        else:
            classes = self.classes_
        codes = np.full(len(y), UNKNOWN)
        codes[known] = self._codes(labels, classes)
        return rows._replace(labels=codes), {"classes_": classes}

    def _is_unlabeled(self, y):
        if self.unlabeled is None:
            return np.zeros(len(y), bool)
        mark = self.unlabeled
        # NaN is what does not equal itself; types that differ are not equal.
        return np.array(
            [
                label == mark or (label != label and mark != mark)
                for label in y.tolist()
            ],
            dtype=bool,
        )

    def _of_one_kind(self, labels):
        """Labels as numbers, where they stood beside another mark for none; else as
        they are."""
        if labels.dtype != object:
            return labels
        kinds = {type(label) for label in labels.tolist()}
        if all(issubclass(kind, Real) for kind in kinds):
            return np.array(labels.tolist())
        if len(kinds) > 1:
            names = ", ".join(sorted(kind.__name__ for kind in kinds))
            raise ValueError(
                f"y has labels of several kinds: {names}. Where rows have no label, "
                "let y be a value of its own, such as -1, and set unlabeled to it."
            )
        return labels

    def _codes(self, y, classes=None):
        """The numbers of labels among the classes."""
        hint = "" if classes is None else ": name all at the first call of partial_fit"
        classes = self.classes_ if classes is None else classes
        unknown = np.setdiff1d(y, classes)
        if len(unknown):
            raise ValueError(
                f"y has labels {unknown.tolist()} that are not among the classes "
                f"{classes.tolist()}{hint}."
            )
        return np.searchsorted(classes, y)


class LabelFittingMixin(LabelReadingMixin):
    """Training with labels, for a :class:`~skdgm.boltzmann._machine.Machine`."""

    _TRAINER, _WATCHED = LabelTrainer, "log probability of labels"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn from labelled data, and from unlabelled.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts. Whole numbers repeat rows, exactly.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; there is one class only;
            a weight is negative, or all are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(X, y, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on learning: one pass over rows, in batches of ``batch_size``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        classes : array-like of shape (n_classes,), default=None
            At the first call, all labels that will ever come; those of y if None.
        sample_weight : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            As by :meth:`fit`; or y has a label that is not among the classes.
        DivergenceError
            As by :meth:`fit`.
        """
        return self._partial_fit(X, y, sample_weight, classes)

    def _count(self, table, fresh):
        counts = counted(table, len(self.classes_))
        self._label_counts = counts if fresh else self._label_counts + counts

    def _split(self, table):
        # What is watched are labels: rows without are all there to learn from.
        known = np.flatnonzero(table.rows.labels[table.index] != UNKNOWN)
        train, held_out = super()._split(table.take(known) if len(known) else table)
        unknown = np.setdiff1d(np.arange(len(table.index)), known)
        if len(known) and len(unknown):
            kept = np.flatnonzero(np.isin(table.hashes, train.hashes))
            train = table.take(np.union1d(kept, unknown))
        return train, held_out
