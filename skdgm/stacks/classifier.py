"""Fine-tuned classifiers, with one label for each row or several."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from skdgm.base import Classifier
from skdgm.base.classifier import check_first_call, is_unlabeled, with_labels
from skdgm.base.options import KW_ONLY
from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import as_column, of_classes
from skdgm.stacks.outputs import Classes, Labels, label_codes, zeros_and_ones
from skdgm.stacks.tuned import TunedNetwork
from skdgm.training import Budget
from skdgm.typing import Data
from skdgm.utils.given import Given


def _has_real_columns(estimator):
    """Return whether columns may be real.

    scikit-learn's checks of ``decision_function`` use real data, so that models of
    binary columns only have it if their data were read as real.
    """
    was_read = "_inferred_types" in vars(estimator)
    return was_read or not get_tags(estimator).input_tags.positive_only


class TunedClassifier(ClassifierMixin, TunedNetwork):
    """Base class of stacks that are fine-tuned as classifiers.

    Parameters
    ----------
    unlabeled
        Value of y that marks unlabeled rows (in all columns of y, if there are
        several). Unlabeled rows take part in pre-training; :meth:`score` excludes them.
        None: all rows are labeled.
    n_iter
        Number of epochs of fine-tuning; "auto" makes 5,000 updates, in at least 20 and
        at most 300 epochs.
    dropout : float or tuple of float
        Dropout rate of the hidden units during fine-tuning, or a pair of the rates of
        the inputs and of the hidden units. Dropped inputs become 0, or their mean if
        fewer than a third of their values are near 0. Without dropout, a net overfits
        if there are few labels.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted classes; if y has several columns, their numbers.
    loss_curve_ : list of float
        Mean negative log-likelihood of the labels of some training rows after each
        epoch of fine-tuning.
    """

    _: KW_ONLY
    unlabeled: object = None

    # With dropout, more epochs pay off when labels are few.
    _BUDGET = Budget(5_000, 20, 300)

    partial_fit, score = Classifier.partial_fit, Classifier.score
    predict_proba = Classifier.predict_proba
    _is_unlabeled, _check_first_call = is_unlabeled, check_first_call

    def predict(self, X: Data) -> np.ndarray:
        """Predict the most probable class, or all labels with a probability above 0.5.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Classes; or, for several labels, integers 0 and 1.
        """
        z = self._pre_activations(X)
        return self._outputs.predict(z)

    @available_if(_has_real_columns)
    def decision_function(self, X: Data) -> np.ndarray:
        """Pre-activations of the output layer, for models of real columns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        z : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Log odds of the second of two classes; logits of more classes, up to a
            constant in each row; or the log odds of each of several labels.
        """
        z = self._pre_activations(X)
        return self._outputs.decision(z)

    def predict_log_proba(self, X: Data) -> np.ndarray:
        """Log-probabilities of classes, or of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN where missing.

        Returns
        -------
        log_p : ndarray of shape (n_samples, n_classes)
            Normalized over classes; several labels are independent of each other.
        """
        z = self._pre_activations(X)
        return self._outputs.log_proba(z)

    def _label(self, rows, y, fresh, classes):
        """Rows with their labels, and a dict of attributes learned from the labels."""
        y = self._values(y)
        several = y.ndim == 2
        if not fresh and several != isinstance(self._outputs, Labels):
            raise ValueError(
                "y has one label for each row or several, other than before: keep it, "
                "or fit with warm_start=False."
            )
        if several:
            check_length(y, rows.shape[0])
            labeled = ~self._is_unlabeled(y)
            labels, name = self._labels(y[labeled]), type(self).__name__
            n_before = None if fresh else self.n_outputs_
            codes, classes = label_codes(name, labels, labeled, classes, n_before)
            rows, outputs = rows._replace(given=Given(codes)), Labels(classes)
        else:
            rows, learned = with_labels(self, rows, y, fresh, classes)
            classes = learned["classes_"]
            outputs = Classes(classes)
        learned = {"classes_": classes, "n_outputs_": len(classes), "_outputs": outputs}
        return rows, learned

    def _values(self, y):
        """Values of y, of shape (n_rows,) or (n_rows, n_outputs)."""
        values = as_values(y, self)
        several = values.ndim == 2 and values.shape[1] > 1
        return values if several else as_column(values)

    def _labels(self, y):
        """Validate the labels of labeled rows."""
        return of_classes(y) if y.ndim == 1 else zeros_and_ones(y, self.unlabeled)

    def _count(self, table, fresh):
        """Count nothing: outputs do not depend on the frequencies of labels."""

    def __sklearn_tags__(self):
        """Tags of a classifier, possibly with several labels."""
        tags = super().__sklearn_tags__()
        # The data of scikit-learn's checks are not binary, and those of its checks of
        # several labels (which binary models support as well) are negative in part.
        tags.classifier_tags.poor_score = tags.input_tags.positive_only
        tags.classifier_tags.multi_label = not tags.input_tags.positive_only
        return tags
