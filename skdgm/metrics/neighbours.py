r"""Are samples copies of training rows?

Of each sample the distance to the nearest training row is taken, and the same of rows
that were held out. A model that has learned its rows by heart is nearer to these than
other data are [1]_.

References
----------
.. [1] Meehan, Chaudhuri and Dasgupta (2020). A non-parametric test to detect
   data-copying in generative models. AISTATS.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.utils import check_array


class Memorisation(NamedTuple):
    """How near samples are to training rows.

    Parameters
    ----------
    index : ndarray of shape (n_samples,)
        Each sample's nearest training row.
    distance : ndarray of shape (n_samples,)
    valid_distance : ndarray of shape (n_valid,) or None
        That of held-out rows.
    closer : float or None
        The probability that a sample is nearer to its training row than a held-out row
        is to its own: one half where samples are like other data.
    p_value : float or None
        Of a rank test that samples are no nearer.
    """

    index: np.ndarray
    distance: np.ndarray
    valid_distance: np.ndarray = None
    closer: float = None
    p_value: float = None


def nearest_training_neighbours(samples, X_train, X_valid=None, *, metric="euclidean"):
    """The training row nearest to each sample, and whether samples are copies.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
    X_train : array-like of shape (n_train, n_features)
    X_valid : array-like of shape (n_valid, n_features), default=None
        Rows that were held out, to compare distances with.
    metric : str, default="euclidean"
        As of scikit-learn's ``pairwise_distances_argmin_min``.

    Returns
    -------
    memorisation : Memorisation

    Raises
    ------
    ValueError
        Columns do not match, or a value is missing.

    See Also
    --------
    skdgm.plotting.SamplesDisplay : Samples and their nearest rows as pictures.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm.metrics import nearest_training_neighbours
    >>> X = load_digits().data
    >>> copies = nearest_training_neighbours(X[:100], X[:900], X[900:])
    >>> bool(copies.distance.max() < 1e-6), copies.closer
    (True, 1.0)
    """
    samples, X_train = check_array(samples), check_array(X_train)
    index, distance = _nearest(samples, X_train, metric)
    if X_valid is None:
        return Memorisation(index, distance)
    _, valid = _nearest(check_array(X_valid), X_train, metric)
    test = mannwhitneyu(distance, valid, alternative="less")
    closer = 1.0 - test.statistic / (len(distance) * len(valid))
    return Memorisation(index, distance, valid, float(closer), float(test.pvalue))


def _nearest(rows, X_train, metric):
    if rows.shape[1] != X_train.shape[1]:
        raise ValueError(
            f"X_train has {X_train.shape[1]} features, but there are rows with "
            f"{rows.shape[1]}."
        )
    return pairwise_distances_argmin_min(rows, X_train, metric=metric)
