"""Training of machines with labels by ``fit`` and ``partial_fit``."""

import numpy as np
from sklearn.base import _fit_context

from skdgm.base import rolled_back
from skdgm.boltzmann._label_reading import LabelReadingMixin
from skdgm.boltzmann._labels import UNKNOWN, LabelTrainer


def counted(table, n_classes):
    """Total weight of the rows with each label.

    Parameters
    ----------
    table : Table
        Rows with codes of labels, which are -1 where unknown.
    n_classes : int

    Returns
    -------
    counts : ndarray of shape (n_classes,), float64
    """
    labels = table.rows.labels[table.index]
    known = labels != UNKNOWN
    return np.bincount(labels[known], table.weight[known], minlength=n_classes)


class LabelFittingMixin(LabelReadingMixin):
    """Training with labels, for a :class:`~skdgm.boltzmann._machine.Machine`."""

    _TRAINER, _WATCHED = LabelTrainer, "log probability of labels"

    @rolled_back
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model to labelled and unlabelled data.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row. A whole number is exactly so many repetitions.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            X is empty, infinite or outside the model's domain; there is only one class;
            a weight is negative, or all are zero.
        DivergenceError
            Training diverged. The estimator keeps its last good parameters.
        """
        return self._fit(X, y, sample_weight)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Continue training: one pass over rows, in batches of ``batch_size``.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,)
            Labels; ``unlabeled`` where there is none.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Required at the first call; later the same
            ones, or None.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            As in :meth:`fit`; or y has a label that is not among the classes, or these
            are missing at the first call.
        DivergenceError
            As in :meth:`fit`.
        """
        self._check_first_call(classes)
        return self._partial_fit(X, y, sample_weight, classes)

    def _count(self, table, fresh):
        counts = counted(table, len(self.classes_))
        self._label_counts = counts if fresh else self._label_counts + counts

    def _split(self, table):
        # Only labels are monitored, so rows without one are all used for training.
        known = np.flatnonzero(table.rows.labels[table.index] != UNKNOWN)
        train, held_out = super()._split(table.take(known) if len(known) else table)
        unknown = np.setdiff1d(np.arange(len(table.index)), known)
        if len(known) and len(unknown):
            kept = np.flatnonzero(np.isin(table.hashes, train.hashes))
            train = table.take(np.union1d(kept, unknown))
        return train, held_out
