r"""Maximum mean discrepancy of two samples.

.. math:: \mathrm{MMD}^2 = \mathbb{E}[k(x, x')] + \mathbb{E}[k(y, y')]
   - 2 \mathbb{E}[k(x, y)]

which is 0 for equal distributions only [1]_.

References
----------
.. [1] Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012). A kernel two-sample test.
   JMLR.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.metrics import euclidean_distances
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_scalar

# Rows of both samples whose table of kernel values is not too large.
_MOST = 10_000


class Discrepancy(NamedTuple):
    """How far two samples are apart.

    Parameters
    ----------
    mmd2 : float
        The unbiased estimate of the squared discrepancy, which may be negative.
    p_value : float
        The share of permutations of all rows under which it is as large; NaN
        without any.
    gamma : float or None
        Of the kernel.
    """

    mmd2: float
    p_value: float
    gamma: float


def maximum_mean_discrepancy(
    X, Y, *, kernel="rbf", gamma=None, n_permutations=200, random_state=None
):
    r"""Maximum mean discrepancy of two samples, and a permutation test.

    .. math:: \frac{1}{m(m-1)} \sum_{i \ne j} k(x_i, x_j)
       + \frac{1}{n(n-1)} \sum_{i \ne j} k(y_i, y_j)
       - \frac{2}{mn} \sum_{i, j} k(x_i, y_j)

    Parameters
    ----------
    X, Y : array-like of shape (n_rows, n_features)
        Rows, and samples. No more than 10,000 together.
    kernel : str or callable, default="rbf"
        As of scikit-learn's ``pairwise_kernels``.
    gamma : float, default=None
        Of the "rbf" or "laplacian" kernel; by default one over twice the squared median
        distance.
    n_permutations : int, default=200
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    discrepancy : Discrepancy

    Raises
    ------
    ValueError
        Columns do not match, there is a single row, or there are too many.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.metrics import maximum_mean_discrepancy
    >>> rng = np.random.default_rng(0)
    >>> X, Y = rng.normal(size=(100, 2)), 1 + rng.normal(size=(100, 2))
    >>> bool(maximum_mean_discrepancy(X, Y, random_state=0).p_value < 0.01)
    True
    """
    X, Y = pair(X, Y)
    check_scalar(n_permutations, "n_permutations", Integral, min_val=0)
    Z, m = np.concatenate([X, Y]), len(X)
    if len(Z) > _MOST:
        raise ValueError(
            f"X and Y have {len(Z)} rows together, but the kernel's table has room for "
            f"{_MOST}: take a random part of each."
        )
    options = {}
    if kernel in ("rbf", "laplacian"):
        gamma = _median_gamma(Z) if gamma is None else gamma
        options["gamma"] = gamma
    K = pairwise_kernels(Z, metric=kernel, **options)
    np.fill_diagonal(K, 0.0)
    rng = check_random_state(random_state)
    orders = [
        np.arange(len(Z)),
        *(rng.permutation(len(Z)) for _ in range(n_permutations)),
    ]
    found = _of_parts(K, np.stack([order < m for order in orders]))
    as_large = (found[1:] >= found[0]).sum()
    p_value = (1 + as_large) / (1 + n_permutations) if n_permutations else np.nan
    return Discrepancy(float(found[0]), float(p_value), gamma)


def pair(X, Y):
    """Two samples with the same columns, of two rows at least."""
    X, Y = (
        check_array(part, dtype=np.float64, ensure_min_samples=2, input_name=name)
        for name, part in (("X", X), ("Y", Y))
    )
    if X.shape[1] != Y.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns, but Y has {Y.shape[1]}.")
    return X, Y


def _of_parts(K, first):
    """The estimate for each way to divide the rows, a row of bools for each."""
    m = first.sum(axis=1)
    n = first.shape[1] - m
    part = first.astype(float)
    to_first = part @ K
    xx, total = (to_first * part).sum(axis=1), K.sum()
    xy = to_first.sum(axis=1) - xx
    yy = total - xx - 2 * xy
    return xx / (m * (m - 1)) + yy / (n * (n - 1)) - 2 * xy / (m * n)


def _median_gamma(Z):
    squares = euclidean_distances(Z[:: max(1, len(Z) // 1000)], squared=True)
    median = np.median(squares[np.triu_indices(len(squares), 1)])
    return float(1.0 / (2 * median)) if median > 0 else 1.0
