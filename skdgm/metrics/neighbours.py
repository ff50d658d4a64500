r"""Test for memorisation of training rows by a model.

.. math:: d(s) = \min_i |s - x_i|

is the distance of a sample from the nearest training row. For good samples it has the
same distribution as for validation rows v, for memorised ones it is shorter [1]_:

.. math:: A = P(d(s) < d(v)) + \tfrac12 P(d(s) = d(v))

is one half for good samples, and 1 for copies.

References
----------
.. [1] Meehan, Chaudhuri and Dasgupta (2020). A non-parametric test to detect
   data-copying in generative models. AISTATS.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import mannwhitneyu
from sklearn.neighbors import NearestNeighbors

from skdgm.metrics._frames import as_tables
from skdgm.metrics._pairs import check_pair


class Memorisation(NamedTuple):
    """Result of :func:`nearest_training_neighbours`.

    Parameters
    ----------
    distance : ndarray of shape (n_samples,)
        Euclidean distance from each sample to the nearest training row.
    index : ndarray of shape (n_samples,)
        Index of that row.
    copied : float
        Share of samples that are equal to a training row.
    valid_distance : ndarray of shape (n_valid,) or None
        Distance from each validation row to the nearest training row.
    valid_copied : float or None
        Share of validation rows that are equal to a training row. Where it is high, as
        in tables of few values, copies do not indicate memorisation.
    closer : float or None
        Probability that a sample is nearer to the training rows than a validation row,
        ties counting one half. Near 1 the model memorises; near 0 its samples are
        unlike the data.
    p_value : float or None
        Probability of ``closer`` being as high if samples were distributed like
        validation rows, by the Mann-Whitney test.
    """

    distance: np.ndarray
    index: np.ndarray
    copied: float
    valid_distance: np.ndarray | None
    valid_copied: float | None
    closer: float | None
    p_value: float | None


def nearest_training_neighbours(samples, X_train, X_valid=None):
    r"""Nearest training row of each sample, with a test for memorisation.

    .. math:: d(s) = \min_i |s - x_i|, \qquad
       A = P(d(s) < d(v)) + \tfrac12 P(d(s) = d(v))

    The distances of samples s are compared with those of validation rows v. The test
    assumes independent rows: samples from one Markov chain, too few steps apart, make
    the p-value too low or too high.

    Parameters
    ----------
    samples : array-like or DataFrame of shape (n_samples, n_features)
        In DataFrames with categorical columns, different categories are at a distance
        of 1, and numbers are divided by their standard deviation.
    X_train : array-like or DataFrame of shape (n_train, n_features)
        Rows that the model was trained on.
    X_valid : array-like or DataFrame of shape (n_valid, n_features), default=None
        Rows of the same distribution that the model was not trained on.

    Returns
    -------
    memorisation : Memorisation
        Without ``X_valid`` all after ``copied`` is None.

    Raises
    ------
    ValueError
        A value is missing, or numbers of columns differ.

    Warns
    -----
    DataRangeWarning
        The tables seem to be on different scales.

    See Also
    --------
    skdgm.plotting.SamplesDisplay : Shows samples above these rows.

    References
    ----------
    Meehan, Chaudhuri and Dasgupta (2020). A non-parametric test to detect data-copying
    in generative models. AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import nearest_training_neighbours
    >>> X = load_digits().data.round() > 7
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X[:1000])
    >>> samples = rbm.sample(500, random_state=0)
    >>> found = nearest_training_neighbours(samples, X[:1000], X[1000:])
    >>> bool(found.closer < 0.5)  # Its samples are not that good yet.
    True
    >>> copies = X[:500]
    >>> found = nearest_training_neighbours(copies, X[:1000], X[1000:])
    >>> bool(found.closer > 0.9), found.copied
    (True, 1.0)
    """
    named = {"samples": samples, "X_train": X_train, "X_valid": X_valid}
    named = {name: X for name, X in named.items() if X is not None}
    samples, X_train, *valid = as_tables(named.values(), named)
    samples, X_train = check_pair(samples, X_train, ("samples", "X_train"))
    distance, index = nearest_rows(samples, X_train)
    copied = float(np.mean(distance == 0))
    if not valid:
        return Memorisation(distance, index, copied, None, None, None, None)
    X_valid, _ = check_pair(*valid, X_train, ("X_valid", "X_train"))
    valid, _ = nearest_rows(X_valid, X_train)
    U, p_value = mannwhitneyu(distance, valid, alternative="less")
    closer = 1.0 - U / (len(distance) * len(valid))
    facts = float(np.mean(valid == 0)), float(closer), float(p_value)
    return Memorisation(distance, index, copied, valid, *facts)


def nearest_rows(rows, X):
    """Distance of the nearest row of X from each row, and its index."""
    # Centring reduces cancellation in the squared distances of the search.
    centre = X.mean(axis=0)
    search = NearestNeighbors(n_neighbors=1).fit(X - centre)
    index = search.kneighbors(rows - centre, return_distance=False)[:, 0]
    # Recomputed, as the search's own distances between equal rows are not quite zero.
    return np.linalg.norm(rows - X[index], axis=1), index
