r"""Can a classifier tell samples from data?

.. math:: t = \frac1n \sum_i \mathbb{1}[\hat y(z_i) = y_i], \qquad
   t \sim \mathcal{N}\left(\tfrac12, \tfrac{1}{4n}\right)
   \text{ if both are from one distribution}

for held-out rows [1]_. A half is the best that a generative model can get.

References
----------
.. [1] Lopez-Paz and Oquab (2017). Revisiting classifier two-sample tests. ICLR.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.utils import check_random_state

from skdgm.metrics.mmd import pair


class TwoSampleTest(NamedTuple):
    """What a classifier tells apart.

    Parameters
    ----------
    accuracy : float
        Held-out accuracy, of as many rows as samples.
    p_value : float
        The probability of as many hits, or more, by a fair coin.
    roc_auc : float
    """

    accuracy: float
    p_value: float
    roc_auc: float


def classifier_two_sample_test(X, Y, *, classifier=None, cv=5, random_state=None):
    """Whether a classifier can tell samples from data.

    Parameters
    ----------
    X, Y : array-like of shape (n_rows, n_features)
        Rows, and samples; of the larger one a random part is taken, as many rows as
        there are of the other. Both rounded alike: grey pixels are told from bits.
    classifier : object, default=None
        With ``predict_proba``; by default ``HistGradientBoostingClassifier``.
    cv : int, default=5
        Folds.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    test : TwoSampleTest

    Raises
    ------
    ValueError
        Columns do not match.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import GaussianRBM
    >>> from skdgm.metrics import classifier_two_sample_test
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(16, n_iter=300, random_state=0).fit(X)
    >>> Y = rbm.sample(150, random_state=0)
    >>> found = classifier_two_sample_test(X, Y, random_state=0)
    >>> bool(found.accuracy < 1)
    True
    """
    X, Y = pair(X, Y)
    rng = check_random_state(random_state)
    n = min(len(X), len(Y))
    X, Y = (part[rng.permutation(len(part))[:n]] for part in (X, Y))
    if classifier is None:
        seed = rng.randint(np.iinfo(np.int32).max)
        classifier = HistGradientBoostingClassifier(random_state=seed)
    Z, y = np.concatenate([X, Y]), np.repeat([0, 1], n)
    folds = StratifiedKFold(cv, shuffle=True, random_state=rng)
    p = cross_val_predict(clone(classifier), Z, y, cv=folds, method="predict_proba")
    guess = p[:, 1] > 0.5
    hits = int((guess == y).sum())
    test = binomtest(hits, len(y), alternative="greater")
    accuracy = balanced_accuracy_score(y, guess)
    return TwoSampleTest(float(accuracy), test.pvalue, roc_auc_score(y, p[:, 1]))
