r"""Log-likelihoods of gray rows, averaged over several draws of their bits.

.. math:: x_{ij} = \mathbb{1}[u_{ij} < v_{ij}], \qquad u_{ij} \sim \mathcal{U}[0, 1)

Gray values v are probabilities of 1. Uniform numbers are drawn for all entries of the
table, gray or not, so that all models are evaluated on the same bits given the same
random state.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import _num_features

from skdgm.metrics.density import apply_preprocessing
from skdgm.metrics.models import check_can
from skdgm.typing import Data, Seed
from skdgm.utils.counts import count
from skdgm.utils.domains import ROUNDING
from skdgm.utils.wrapped import density_of

# Number of uniform numbers drawn at once; values of a column without numbers.
_ENTRIES, _NONE = 2**22, np.zeros(0)


def average_over_draws(
    estimator: object, X: Data, *, n_draws: int = 10, random_state: Seed = 0
) -> np.ndarray:
    r"""Mean log-likelihood of each gray row over draws of its bits, in nats.

    .. math:: \mathbb{E}_{x \sim \mathrm{Bernoulli}(v)}[\log p(x)]

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``score_samples``, Pipeline that ends with such an
        estimator, or outlier detector; as for :func:`log_density`.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Input of the estimator; NaN is missing. Values of binary columns, after all
        preceding steps of a Pipeline, are probabilities of 1, by which bits are drawn.
        Other columns can have any values. If an estimator does not declare its columns,
        all columns are binary.
    n_draws : int, default=10
        Number of draws; at least 2.
    random_state : int, RandomState instance or None, default=0
        Seed of the bits.

    Returns
    -------
    mean : ndarray of shape (n_samples,)
        Mean log-likelihood of each row; densities are in the units of X.
    se : ndarray of shape (n_samples,)
        Standard error of the mean over draws; zeros if no value is gray.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no ``score_samples``, or a step before a density has no known
        Jacobian determinant.
    ValueError
        A probability is not in [0, 1], or ``n_draws`` is too low.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import average_over_draws
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, resample=True, random_state=0).fit(X)
    >>> mean, _ = average_over_draws(rbm, X)
    >>> bool(rbm.score(X) < mean.mean() + 1)
    True
    """
    check_can("log_prob", estimator, "average_over_draws")
    count(n_draws, "n_draws", 2)
    last, seen, log_det = apply_preprocessing(estimator, X)
    declared = density_of(last) is not None
    columns = bit_columns(last) if declared else np.arange(_num_features(seen))
    top = highest(last)
    if outside(seen, columns, top):
        raise ValueError("X must be probabilities, in [0, 1]: scale it.")
    rng = check_random_state(random_state)
    gray = gray_columns(seen, columns, top)
    mean, se = of_bits(last.score_samples, seen, gray, n_draws, rng, top)
    return mean + log_det, se


def bit_columns(estimator):
    """Indices of the columns that an estimator models as bits; empty if unknown."""
    density = density_of(estimator)
    if density is None:
        return np.arange(0)
    return density.domain.bits(density.columns)


def highest(estimator):
    """Value that represents 1 in the columns that an estimator models as bits."""
    return getattr(getattr(density_of(estimator), "domain", None), "top", 1.0)


def gray_columns(X, columns, top=1.0):
    """Indices of the given columns with values strictly between 0 and ``top``. Columns
    without numbers are not gray; the estimator's validation rejects them."""
    columns_of_values = numbers_of(X, columns)
    return columns[[bool(_gray(values, top).any()) for values in columns_of_values]]


def outside(X, columns, top=1.0):
    """Return whether columns have values outside [0, top], up to rounding errors."""
    low, high = -ROUNDING * top, (1 + ROUNDING) * top
    return any(((v < low) | (v > high)).any() for v in numbers_of(X, columns))


def is_binary(X):
    """Return whether all columns are numeric and contain only 0, 1 and NaN."""
    sparse, columns = sp.issparse(X), numbers_of(X, range(_num_features(X)))
    if not sparse and not all(map(len, columns)):
        return False
    return all(np.isin(v[~np.isnan(v)], (0, 1)).all() for v in columns)


def numbers_of(X, columns):
    """Numeric values in each column; sparse columns have only stored values."""
    try:
        X = X.tocsc() if sp.issparse(X) else X if hasattr(X, "iloc") else np.asarray(X)
    except (TypeError, ValueError):
        # Lists of different lengths, or columns of several types.
        X = np.empty(0)
    known = X.ndim == 2
    return [_values(X, j) if known and j < X.shape[1] else _NONE for j in columns]


def of_bits(function, X, columns, n_draws, rng, top=1.0):
    """Average a function of rows over draws of the bits of gray columns, 0 or ``top``.

    Returns the mean and its standard error for each row. Without gray columns these are
    the function of X itself, and zeros.
    """
    if not len(columns):
        rows = function(X)
        return rows, np.zeros_like(rows)
    drawn = _of_sparse if sp.issparse(X) else _of_dense
    draws = [function(drawn(X, columns, rng, top)) for _ in range(n_draws)]
    return np.mean(draws, axis=0), np.std(draws, axis=0, ddof=1) / np.sqrt(n_draws)


def _gray(values, top):
    if values.dtype.kind not in "fiu":
        return np.zeros(values.shape, bool)
    return (values > 0) & (values < top)


def _values(X, column):
    """Numbers in a column, or an empty array if it is not numeric."""
    try:
        if sp.issparse(X):
            return X.data[X.indptr[column] : X.indptr[column + 1]]
        if hasattr(X, "iloc"):
            return X.iloc[:, column].to_numpy(np.float64, na_value=np.nan)
        values = X[:, column]
        values = values.astype(np.float64) if values.dtype.kind == "O" else values
        return values if values.dtype.kind in "fbiu" else _NONE
    except (TypeError, ValueError):
        return _NONE


def _uniform(shape, rng):
    """Yield slices of rows with the uniform numbers of their entries."""
    n_rows, n_columns = shape
    for part in gen_batches(n_rows, max(1, _ENTRIES // n_columns)):
        yield part, rng.random_sample((part.stop - part.start, n_columns))


def _of_dense(X, columns, rng, top):
    result = X.copy() if hasattr(X, "iloc") else np.array(X)
    bits = np.stack([_values(result, j) for j in columns], axis=1)
    for part, u in _uniform(result.shape, rng):
        v = bits[part]
        on = u[:, columns] < v / top
        bits[part] = np.where(_gray(v, top), top * on, v)
    if isinstance(result, np.ndarray):
        result[:, columns] = bits
        return result
    for place, column in enumerate(columns):
        result.isetitem(column, bits[:, place])
    return result


def _of_sparse(X, columns, rng, top):
    result = X.tocsr(copy=True)
    result.sum_duplicates()
    is_gray = np.isin(result.indices, columns) & _gray(result.data, top)
    for part, u in _uniform(result.shape, rng):
        entries = slice(result.indptr[part.start], result.indptr[part.stop])
        counts = np.diff(result.indptr[part.start : part.stop + 1])
        on = u[np.repeat(np.arange(len(u)), counts), result.indices[entries]]
        v = result.data[entries]
        result.data[entries] = np.where(is_gray[entries], top * (on < v / top), v)
    result.eliminate_zeros()
    return result
