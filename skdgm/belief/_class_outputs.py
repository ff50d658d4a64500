r"""Outputs of a tuned belief network for classes or for several labels.

.. math:: p(y = k) = \operatorname{softmax}_k(z), \qquad p(y_k = 1) = \sigma(z_k)
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skdgm.boltzmann._label_reading import LabelReadingMixin
from skdgm.boltzmann._labels import UNKNOWN
from skdgm.data.labels import marked, of_one_kind
from skdgm.data.targets import as_values, check_length
from skdgm.nets import (
    logistic_cross_entropy,
    softmax_cross_entropy,
)
from skdgm.training import Budget


class OneHot(NamedTuple):
    """Class codes that are read as one-hot rows.

    Parameters
    ----------
    codes : ndarray of int, of shape (n_rows,)
    n_classes : int
    """

    codes: np.ndarray
    n_classes: int

    def __getitem__(self, index):
        return self.codes[index][:, None] == np.arange(self.n_classes)


def _has_real_columns(estimator):
    """Return whether columns are real.

    scikit-learn's checks of decision functions use real data, which models of binary
    columns cannot pass: those give probabilities only.
    """
    return not get_tags(estimator).input_tags.positive_only


class ClassOutputs(LabelReadingMixin):
    """Mixin of a tuned network that predicts classes or several labels."""

    _WATCHED = "log probability of labels"
    # With dropout, more epochs pay off when labels are few.
    _BUDGET = Budget(5_000, 20, 300)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Continue training: one epoch of fine-tuning.

        The first call runs all of the pre-training first, on its rows. The total number
        of epochs is unknown here, so ``schedule="linear"`` leaves the learning rate at
        ``learning_rate_init``. Early stopping and callbacks apply to :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels; ``unlabeled`` where there is none. If no row has a label, nothing is
            fine-tuned.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur; if y has several columns, their numbers.
            Required at the first call; later the same ones, or None.
        sample_weight : array-like of shape (n_samples,), default=None
            As in :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As in :meth:`fit`; or y has a label that is not among the classes; or, at
            the first call, ``classes`` is None, or y has several columns and no label.
        """
        self._check_first_call(classes)
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X):
        """Predict the most probable class, or all labels more probable than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Classes; or, for several labels, integers 0 and 1.
        """
        z = self._outputs(X)
        if self._multilabel:
            return (z > 0).astype(int)
        return self.classes_[z.argmax(axis=1)]

    @available_if(_has_real_columns)
    def decision_function(self, X):
        """Pre-activations of the output layer, for models of real columns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        z : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            For two classes the log odds of the second one; for more classes their
            logits, defined up to a constant in each row; for several labels the log
            odds of each.
        """
        z = self._outputs(X)
        binary = not self._multilabel and len(self.classes_) == 2
        return z[:, 1] - z[:, 0] if binary else z

    def predict_log_proba(self, X):
        """Log probabilities of classes, or of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Normalised over classes; several labels are independent of each other.
        """
        z = self._outputs(X)
        return log_expit(z) if self._multilabel else log_softmax(z, axis=1)

    def predict_proba(self, X):
        """Probabilities of classes, or of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def _read(self, rows, y, fresh, classes):
        """Codes of the labels, and facts learned from them, by attribute name."""
        y = self._values(y)
        several = y.ndim == 2
        if not fresh and several != self._multilabel:
            raise ValueError(
                "y has one label for each row or several, other than before: keep it, "
                "or fit with warm_start=False."
            )
        if several:
            return self._read_several(rows, y, fresh, classes)
        rows, known = self._labelled(rows, y, fresh, classes)
        n_outputs = len(known["classes_"])
        return rows.labels, known | {"n_outputs_": n_outputs, "_multilabel": False}

    def _read_several(self, rows, y, fresh, classes):
        check_length(y, rows.shape[0])
        known = ~self._is_unlabeled(y)
        labels = self._labels(y[known])
        if fresh and not len(labels):
            raise ValueError(f"{type(self).__name__} needs labels, but y has none.")
        if not fresh and y.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {y.shape[1]} columns, but there were {self.n_outputs_} before."
            )
        numbers = np.arange(y.shape[1])
        if classes is not None and not np.array_equal(np.sort(classes), numbers):
            raise ValueError(
                f"classes={classes}, but y has several columns, whose numbers are "
                f"{numbers.tolist()}."
            )
        codes = np.full(y.shape, UNKNOWN, np.int8)
        codes[known] = labels
        facts = {"classes_": numbers, "n_outputs_": len(numbers), "_multilabel": True}
        return codes, facts

    def _values(self, y):
        values = as_values(y, self)
        several = values.ndim == 2 and values.shape[1] > 1
        return values if several else super()._values(values)

    def _labels(self, y):
        if y.ndim == 1:
            return super()._labels(y)
        if marked(y, self.unlabeled).any():
            raise ValueError(
                f"y has unlabeled={self.unlabeled!r} in some columns of a row: it must "
                "be in all of them, or in none."
            )
        labels = of_one_kind(y)
        if not np.isin(labels, (0, 1)).all():
            raise ValueError(
                "y has several columns, so its values must be 0 and 1: whether a row "
                "has each label."
            )
        return labels

    def _survey(self, table):
        return {}

    def _wanted(self, codes):
        """Training targets of the outputs, one for each row."""
        return codes if self._multilabel else OneHot(codes, self.n_outputs_)

    @property
    def _loss(self):
        return logistic_cross_entropy if self._multilabel else softmax_cross_entropy

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The data of scikit-learn's checks are not binary. Those of its checks of
        # several labels (supported all the same) even have negative values.
        binary = tags.input_tags.positive_only
        tags.classifier_tags.poor_score = binary
        tags.classifier_tags.multi_label = not binary
        return tags
