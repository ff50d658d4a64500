r"""Outputs of a tuned belief network that stand for classes or for labels.

.. math:: p(y = k) = \operatorname{softmax}_k(z), \qquad p(y_k = 1) = \sigma(z_k)
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skdgm.base.labels import marked, of_one_kind
from skdgm.base.targets import as_values, check_length
from skdgm.boltzmann._label_reading import LabelReadingMixin
from skdgm.boltzmann._labels import UNKNOWN
from skdgm.nets import (
    logistic_cross_entropy,
    softmax_cross_entropy,
)
from skdgm.training import Budget


class OneHot(NamedTuple):
    """Codes of classes, which are read as rows with a 1.

    Parameters
    ----------
    codes : ndarray of int
    n_classes : int
    """

    codes: np.ndarray
    n_classes: int

    def __getitem__(self, index):
        return self.codes[index][:, None] == np.arange(self.n_classes)


def _has_real_columns(estimator):
    """Whether columns are such as scikit-learn's checks of scores have: others cannot
    be held to them, and give probabilities only."""
    return not get_tags(estimator).input_tags.positive_only


class ClassOutputs(LabelReadingMixin):
    """One class of several, or several labels at once."""

    _WATCHED = "log probability of labels"
    # What drops out makes more epochs of few labels worth their time.
    _BUDGET = Budget(5_000, 20, 300)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on learning: one epoch of fine-tuning.

        The first call is preceded by all of the pre-training, on its rows. An epoch
        knows of no last one, so ``schedule="linear"`` leaves ``learning_rate_init`` as
        it is. Early stopping and callbacks are for :meth:`fit` only.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Labels; ``unlabeled`` where there is none. Without any, nothing is tuned.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; of several columns, their numbers. Needed at
            the first call, and the same ones, or None, later.
        sample_weight : array-like of shape (n_samples,), default=None
            As for :meth:`fit`.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError, DivergenceError
            As by :meth:`fit`; or y has a label that is not among the classes, or these
            are not given at the first call.
        """
        self._check_first_call(classes)
        return self._partial_fit(X, y, sample_weight, classes)

    def predict(self, X):
        """The most probable class, or all labels that are more probable than not.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        z = self._outputs(X)
        if self._multilabel:
            return (z > 0).astype(int)
        return self.classes_[z.argmax(axis=1)]

    @available_if(_has_real_columns)
    def decision_function(self, X):
        """The output layer, before it becomes probabilities; for real columns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        z : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Log odds, up to a number for each row where there are several classes; of
            two classes those of the second.
        """
        z = self._outputs(X)
        binary = not self._multilabel and len(self.classes_) == 2
        return z[:, 1] - z[:, 0] if binary else z

    def predict_log_proba(self, X):
        """Log probabilities of classes, or of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
        """
        z = self._outputs(X)
        return log_expit(z) if self._multilabel else log_softmax(z, axis=1)

    def predict_proba(self, X):
        """Probabilities of classes, or of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes)
        """
        return np.exp(self.predict_log_proba(X))

    def _read(self, rows, y, fresh, classes):
        """Codes of labels, and what is known of them, by attribute."""
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
        """What outputs should be, for each row."""
        return codes if self._multilabel else OneHot(codes, self.n_outputs_)

    @property
    def _loss(self):
        return logistic_cross_entropy if self._multilabel else softmax_cross_entropy

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The data of scikit-learn's checks are not binary. Those for several labels,
        # which are learned all the same, even have negative ones.
        binary = tags.input_tags.positive_only
        tags.classifier_tags.poor_score = binary
        tags.classifier_tags.multi_label = not binary
        return tags
