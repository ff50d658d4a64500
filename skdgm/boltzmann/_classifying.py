"""A mixin that belief/ derives from until it has a Classifier."""

import numpy as np
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann._visible import BINARY


class PredictingMixin(ClassifierMixin):
    """Predictions, for a :class:`~skdgm.boltzmann._machine.TabularModel`.

    It needs ``_logits(rows)``, the log probabilities of the labels up to a constant for
    each row, and ``_label_counts``.
    """

    def predict_log_proba(self, X):
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

    def predict_proba(self, X):
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

    def predict(self, X):
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

    @property
    def _label_frequencies(self):
        # Smoothed: each label counts once more than it was seen.
        return (self._label_counts + 1) / (self._label_counts + 1).sum()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # scikit-learn's checks use data that are not binary.
        tags.classifier_tags.poor_score = self._domain is BINARY
        return tags
