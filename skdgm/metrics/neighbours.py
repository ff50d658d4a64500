r"""Whether a model repeats the rows it was trained on.

.. math:: d(s) = \min_i |s - x_i|

is the distance of a sample from the nearest training row. Rows that the model has not
seen have such distances, too. Those of good samples are distributed alike, those of
memorised ones are shorter [1]_:

.. math:: A = P(d(s) < d(v)) + \tfrac12 P(d(s) = d(v))

is one half for the first, and 1 for copies.

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
    """Training rows that are nearest to samples.

    Parameters
    ----------
    distance : ndarray of shape (n_samples,)
        Euclidean, from each sample to the nearest training row.
    index : ndarray of shape (n_samples,)
        Which row that is.
    copied : float
        The share of samples that are equal to a training row.
    valid_distance : ndarray of shape (n_valid,) or None
        From each validation row to the nearest training row.
    valid_copied : float or None
        The share of validation rows that are equal to a training row: where it is high,
        as in tables of few values, copies tell nothing.
    closer : float or None
        The probability that a sample is nearer to training rows than a validation row
        is, ties counting one half. Near 1 the model memorises; near 0 its samples are
        unlike data.
    p_value : float or None
        Of ``closer`` as high as that, if samples were distributed as validation rows
        are: by the test of Mann and Whitney.
    """

    distance: np.ndarray
    index: np.ndarray
    copied: float
    valid_distance: np.ndarray | None
    valid_copied: float | None
    closer: float | None
    p_value: float | None


def nearest_training_neighbours(samples, X_train, X_valid=None):
    r"""The nearest training row of each sample, and whether it is too near.

    .. math:: d(s) = \min_i |s - x_i|, \qquad
       A = P(d(s) < d(v)) + \tfrac12 P(d(s) = d(v))

    The distances of samples s are compared with those of validation rows v. Both are
    to be independent: samples of one Markov chain, too few steps apart, make the
    p-value too low or too high.

    Parameters
    ----------
    samples : array-like or DataFrame of shape (n_samples, n_features)
        In DataFrames with columns of categories two different ones are at a distance of
        1, and numbers are divided by their standard deviation.
    X_train : array-like or DataFrame of shape (n_train, n_features)
        The rows that the model was trained on.
    X_valid : array-like or DataFrame of shape (n_valid, n_features), default=None
        Rows of the same distribution that it was not trained on.

    Returns
    -------
    memorisation : Memorisation
        Without ``X_valid`` some of it is None.

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
    """How far the nearest rows of X are, and which."""
    # The search squares what it is given, and loses digits far from zero.
    centre = X.mean(axis=0)
    search = NearestNeighbors(n_neighbors=1).fit(X - centre)
    index = search.kneighbors(rows - centre, return_distance=False)[:, 0]
    # Those that the search computes are not quite zero between equal rows.
    return np.linalg.norm(rows - X[index], axis=1), index
