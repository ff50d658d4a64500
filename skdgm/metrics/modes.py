r"""Are all kinds of data among the samples?

.. math:: \mathrm{KL}(q \,\|\, p) = \sum_c q_c \log \frac{q_c}{p_c}

with shares q of the samples that a classifier takes for each class, and p of the data
[1]_.

References
----------
.. [1] Metz, Poole, Pfau and Sohl-Dickstein (2017). Unrolled generative adversarial
   networks. ICLR.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr
from sklearn.neighbors import KNeighborsClassifier
from sklearn.utils import check_X_y
from sklearn.utils.validation import check_is_fitted


class ModeCoverage(NamedTuple):
    """Which kinds of data there are among samples.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
    share, expected : ndarray of shape (n_classes,)
        Of the samples, and of the data.
    n_modes : int
        Classes of which there is a sample.
    kl : float
        Divergence of the samples' shares from the data's, in nats.
    """

    classes: np.ndarray
    share: np.ndarray
    expected: np.ndarray
    n_modes: int
    kl: float


def mode_coverage(samples, X, y, *, classifier=None):
    """The share of each class among samples, beside that among data.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
    X : array-like of shape (n_rows, n_features)
    y : array-like of shape (n_rows,)
        Classes of the data; or clusters, where there are no classes.
    classifier : object, default=None
        Fitted, with these classes; by default the nearest row's class is taken.

    Returns
    -------
    coverage : ModeCoverage

    Raises
    ------
    ValueError
        The classifier knows a class of which there are no data.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import mode_coverage
    >>> X, y = load_digits(return_X_y=True)
    >>> rbm = BernoulliRBM(64, n_iter=20, random_state=0).fit(X / 16)
    >>> mode_coverage(rbm.sample(500, random_state=0), X / 16, y).n_modes
    10
    """
    X, y = check_X_y(X, y)
    if classifier is None:
        classifier = KNeighborsClassifier(1).fit(X, y)
    check_is_fitted(classifier)
    classes, counts = np.unique(y, return_counts=True)
    unknown = np.setdiff1d(classifier.classes_, classes)
    if len(unknown):
        raise ValueError(
            f"the classifier knows classes {unknown.tolist()}, of which there are no "
            "data."
        )
    found = classifier.predict(samples)
    share = (found[:, None] == classes).mean(axis=0)
    expected = counts / counts.sum()
    kl = float(rel_entr(share, expected).sum())
    return ModeCoverage(classes, share, expected, int((share > 0).sum()), kl)
