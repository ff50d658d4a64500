r"""Maximum mean discrepancy of two samples, with a permutation test.

.. math:: \widehat{\mathrm{MMD}}{}^2 = \frac{1}{m (m-1)} \sum_{i \ne j} k(x_i, x_j)
   + \frac{1}{n (n-1)} \sum_{i \ne j} k(y_i, y_j)
   - \frac{2}{m n} \sum_{i, j} k(x_i, y_j)

This estimate is unbiased. Its expectation is zero if both samples have the same
distribution, and only then if the kernel is characteristic, like the Gaussian.

With an indicator s in {0, 1} of rows of the first sample, the sums are functions of
:math:`s^T K s`, :math:`s^T K 1` and :math:`1^T K 1`, with zeros on the diagonal of K.
All splits of a test are evaluated in one matrix product, and K is computed by blocks of
rows.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils import check_random_state, gen_batches

from skdgm.metrics._pairs import as_tables, check_number, check_pair
from skdgm.typing import Data, Seed
from skdgm.utils.counts import count

# Tolerance for rounding errors, relative to the largest kernel value.
_ROUNDING = 1e-12
# Maximum number of rows for the median distance; entries of a block of the kernel.
_MEDIAN_ROWS, _ENTRIES = 2000, 2**22


class Discrepancy(NamedTuple):
    """Result of :func:`maximum_mean_discrepancy`.

    Parameters
    ----------
    mmd2 : float
        Estimate of the squared discrepancy, which may be negative.
    p_value : float
        Share of permutations, including the original split, with a discrepancy at least
        as high; NaN without permutations.
    gamma : float or None
        Coefficient of the RBF kernel; None if the kernel is a callable.
    permuted : ndarray of shape (n_permutations,)
        Estimates for random permutations of the pooled rows.

    See Also
    --------
    maximum_mean_discrepancy : Function that returns the result.
    """

    mmd2: float
    p_value: float
    gamma: float | None
    permuted: np.ndarray


def maximum_mean_discrepancy(
    X: Data,
    Y: Data,
    *,
    kernel: str | Callable = "rbf",
    gamma: float | None = None,
    n_permutations: int = 1000,
    random_state: Seed = None,
) -> Discrepancy:
    r"""Squared maximum mean discrepancy of two samples, with its p-value.

    .. math:: \mathrm{MMD}^2 = \mathbb{E}\,k(x, x') + \mathbb{E}\,k(y, y')
       - 2\,\mathbb{E}\,k(x, y)

    The estimate is unbiased. The p-value is that of a permutation test, which is exact
    for independent rows, but too low for correlated draws of a Markov chain. Time, but
    not memory, is quadratic in the number of rows.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_rows, n_features)
        Data that the model was not trained on. In DataFrames with categories or dates,
        categories are one-hot codes times 0.71, so that two different categories have
        distance 1. Numbers and dates are divided by their standard deviation.
    Y : array-like or DataFrame of shape (n_samples, n_features)
        Samples.
    kernel : "rbf" or callable, default="rbf"
        :math:`e^{-\gamma |x - y|^2}`, or a symmetric function that maps two tables to a
        matrix, like those of :mod:`sklearn.metrics.pairwise`.
    gamma : float, default=None
        Coefficient of "rbf". By default :math:`1 / 2 d^2` with the median nonzero
        distance d between rows of both samples (of 2000 random rows if there are more).
    n_permutations : int, default=1000
        Number of random permutations; 0 for no p-value.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations and of the rows for ``gamma``.

    Returns
    -------
    discrepancy : Discrepancy

    Raises
    ------
    ValueError
        A value is missing, numbers of columns differ, or a sample has only one row. The
        kernel is unknown, or does not return a matrix of finite numbers. ``gamma`` is
        not positive, or is given with a callable.

    Warns
    -----
    DataRangeWarning
        The samples seem to be on different scales.

    References
    ----------
    Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012). A kernel two-sample test.
    Journal of Machine Learning Research.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import GaussianRBM
    >>> from skdgm.metrics import maximum_mean_discrepancy
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(n_components=8, n_iter=100, random_state=0).fit(X[::2])
    >>> samples = rbm.sample(75, random_state=0)
    >>> found = maximum_mean_discrepancy(X[1::2], samples, random_state=0)
    >>> bool(found.mmd2 < 0.1)
    True
    >>> far = maximum_mean_discrepancy(X[1::2], samples + 1, random_state=0)
    >>> far.p_value < 0.01
    True
    """
    X, Y = as_tables((X, Y), "XY")
    X, Y = check_pair(X, Y, "XY", ensure_min_samples=2)
    count(n_permutations, "n_permutations", 0)
    random_state = check_random_state(random_state)
    rows, m = np.concatenate([X, Y]), len(X)
    if isinstance(kernel, str) and kernel == "rbf":
        gamma = median_gamma(rows, random_state) if gamma is None else gamma
        check_number(gamma, "gamma", min_val=0, include_boundaries="neither")
        # Centering reduces cancellation in the squared distances.
        rows -= rows.mean(axis=0)
        kernel = partial(rbf_kernel, gamma=gamma)
    elif not callable(kernel):
        raise ValueError(f"kernel must be 'rbf' or a callable, not {kernel!r}.")
    elif gamma is not None:
        raise ValueError("gamma is of kernel='rbf'; give it to the callable itself.")
    splits = np.zeros((len(rows), 1 + n_permutations))
    splits[:m, 0] = 1
    for number in range(1, 1 + n_permutations):
        splits[random_state.permutation(len(rows))[:m], number] = 1
    mmd2, size = discrepancies(kernel, rows, splits)
    # The original split counts as one of the permutations.
    exceeding = mmd2 >= mmd2[0] - _ROUNDING * size
    p_value = exceeding.mean() if n_permutations else np.nan
    return Discrepancy(float(mmd2[0]), float(p_value), gamma, mmd2[1:])


def median_gamma(rows, random_state):
    """Gamma of the RBF kernel by the median heuristic, :math:`1 / 2 d^2` with the
    median nonzero distance d; 1 if all distances are zero. At most 2000 random rows are
    used."""
    if len(rows) > _MEDIAN_ROWS:
        rows = rows[random_state.permutation(len(rows))[:_MEDIAN_ROWS]]
    distances = pdist(rows)
    distances = distances[distances > 0]
    return float(0.5 / np.median(distances) ** 2) if len(distances) else 1.0


def discrepancies(kernel, rows, splits):
    """Unbiased squared maximum mean discrepancy of the two samples of each split, and
    the maximum absolute value of the kernel.

    ``splits`` are indicators, (n_rows, n_splits): 1 for rows of the first sample, whose
    size is the same in all splits. ValueError if the kernel does not return a matrix of
    finite numbers.
    """
    m = splits[:, 0].sum()
    n = len(rows) - m
    within, cross, total, size = 0.0, 0.0, 0.0, 0.0
    for part in gen_batches(len(rows), max(1, _ENTRIES // len(rows))):
        first = splits[part]
        K = np.array(kernel(rows[part], rows), dtype=np.float64)
        if K.shape != (len(first), len(rows)) or not np.isfinite(K).all():
            raise ValueError(
                "kernel must take two tables to a matrix of finite numbers, with one "
                "for each row of the first and each row of the second."
            )
        numbers = np.arange(part.start, part.stop)
        size = max(size, np.abs(K).max())
        K[numbers - part.start, numbers] = 0.0
        # Sums over pairs with both rows in the first sample, with one, and over all.
        within += (first * (K @ splits)).sum(axis=0)
        cross += K.sum(axis=1) @ first
        total += K.sum()
    within_others = total - 2 * cross + within
    squared = within / (m * (m - 1)) + within_others / (n * (n - 1))
    return squared - 2 * (cross - within) / (m * n), size
