r"""Classifier two-sample test of samples against data.

.. math:: \hat t = \frac1n \sum_{k=1}^n [f(z_k) = l_k], \qquad
   n \hat t \sim \mathrm{Binomial}(n, \tfrac12) \text{ by chance}
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.stats import binom
from sklearn.base import is_classifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.model_selection import StratifiedShuffleSplit, check_cv, cross_validate
from sklearn.utils import check_random_state

from skdgm.metrics._pairs import as_tables, check_pair
from skdgm.typing import Data, Seed


class TwoSampleTest(NamedTuple):
    """Result of :func:`classifier_two_sample_test`.

    Parameters
    ----------
    accuracy : float
        Share of held-out rows that are classified correctly; one half for equal
        distributions.
    p_value : float
        Probability of an accuracy at least as high for equal distributions.
    roc_auc : float
        Area under the ROC curve on held-out rows, with the second sample as positive
        class; one half for equal distributions.
    n_tested : int
        Number of held-out rows of both samples.

    See Also
    --------
    classifier_two_sample_test : Function that returns the result.
    """

    accuracy: float
    p_value: float
    roc_auc: float
    n_tested: int


def classifier_two_sample_test(
    X: Data,
    Y: Data,
    *,
    classifier: object = None,
    cv: object = None,
    random_state: Seed = None,
) -> TwoSampleTest:
    r"""Test whether a classifier can distinguish samples from data.

    .. math:: \hat t = \frac1n \sum_{k=1}^n [f(z_k) = l_k], \qquad
       n \hat t \sim \mathrm{Binomial}(n, \tfrac12) \text{ by chance}

    An accuracy near one half means that the classifier finds no difference. The test
    assumes independent rows; correlated draws of a Markov chain differ from data by
    their similarity to each other.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
        Data that the model was not trained on. DataFrames, of any library that narwhals
        supports, may have dates, and categories, which are encoded one-hot. The larger
        sample is subsampled at random to the size of the smaller sample.
    Y : array-like or DataFrame of shape (n_samples, n_features)
        Samples of the same kind as the data, real values or bits.
    classifier : classifier, default=None
        Classifier with ``predict_proba`` or ``decision_function``. The default is 100
        extremely randomized trees, which accept columns of any scale and detect
        dependencies between columns.
    cv : int or cross-validation splitter, default=None
        By default a random half of the rows is held out, as in the paper. Both samples
        have equally many held-out rows, and not binomially many, so that between 4 %
        and 7 % of p-values are below 0.05 without a difference. A number of folds tests
        each row once, which is more powerful, but folds share training rows: 6 % to 9 %
        were below 0.05 in trials.
    random_state : int, RandomState instance or None, default=None
        Seed of the choice of rows and of the default classifier.

    Returns
    -------
    test : TwoSampleTest

    Raises
    ------
    ValueError
        A value is missing, numbers of columns differ, a sample has only one row, or
        ``cv`` holds out a row more than once or only rows of one sample.
    TypeError
        ``classifier`` is not a classifier.

    Warns
    -----
    DataRangeWarning
        The samples seem to be on different scales.

    References
    ----------
    Lopez-Paz and Oquab (2017). Revisiting classifier two-sample tests. ICLR.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import GaussianRBM
    >>> from skdgm.metrics import classifier_two_sample_test
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(n_components=8, n_iter=100, random_state=0).fit(X[::2])
    >>> samples = rbm.sample(75, random_state=0)
    >>> found = classifier_two_sample_test(X[1::2], samples, random_state=0)
    >>> bool(0.4 < found.accuracy < 0.9)
    True
    >>> found = classifier_two_sample_test(X[1::2], samples + 9, random_state=0)
    >>> found.accuracy, found.roc_auc, found.p_value < 1e-6
    (1.0, 1.0, True)
    """
    X, Y = as_tables((X, Y), "XY")
    X, Y = check_pair(X, Y, "XY", ensure_min_samples=2)
    return tell_apart(X, Y, classifier, cv, check_random_state(random_state))


def tell_apart(X, Y, classifier, cv, random_state):
    """Apply :func:`classifier_two_sample_test` to validated tables of numbers."""
    if classifier is None:
        classifier = ExtraTreesClassifier(random_state=random_state)
    elif not (hasattr(classifier, "fit") and is_classifier(classifier)):
        raise TypeError(f"classifier must be a classifier, not {classifier!r}.")
    n = min(len(X), len(Y))
    rows = np.concatenate([_drawn(table, n, random_state) for table in (X, Y)])
    labels, order = np.repeat([0, 1], n), random_state.permutation(2 * n)
    rows, labels = rows[order], labels[order]
    if cv is None:
        cv = StratifiedShuffleSplit(1, test_size=0.5, random_state=random_state)
    cv = cv.item() if isinstance(cv, np.ndarray) and not cv.ndim else cv
    if isinstance(cv, Iterable) and not isinstance(cv, str):
        cv = list(cv)
        pairs = [isinstance(fold, list | tuple) and len(fold) == 2 for fold in cv]
        if not pairs or not all(pairs):
            raise ValueError(
                f"cv must give pairs of training and test rows; got {cv!r}."
            )
    folds = list(check_cv(cv, labels, classifier=True).split(rows, labels))
    tested = [test for _, test in folds]
    sizes, n_tested = [len(test) for test in tested], sum(map(len, tested))
    if len(np.unique(np.concatenate(tested))) < n_tested:
        raise ValueError(
            "cv holds rows out more than once, so that its tests are not independent. "
            "Take a number of folds, or a splitter that holds each row out once."
        )
    if any(len(np.unique(labels[test])) < 2 for test in tested):
        raise ValueError("Each fold of cv must hold out rows of both samples.")
    scoring = ("accuracy", "roc_auc")
    scores = cross_validate(
        classifier, rows, labels, cv=folds, scoring=scoring, error_score="raise"
    )
    accuracy = np.average(scores["test_accuracy"], weights=sizes)
    return TwoSampleTest(
        float(accuracy),
        float(binom.sf(round(accuracy * n_tested) - 1, n_tested, 0.5)),
        float(np.average(scores["test_roc_auc"], weights=sizes)),
        n_tested,
    )


def _drawn(table, n, random_state):
    return table[random_state.permutation(len(table))[:n]]
