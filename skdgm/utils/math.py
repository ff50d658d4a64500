"""Logistic functions, means of weights, limits of norms, and distinct rows.

Functions avoid overflow. SciPy's ``expit`` and NumPy's ``logaddexp`` are five and
fifteen times slower on AVX-512, because they call the C library for each entry.
"""

import numpy as np
from scipy.special import logsumexp

# A Python float, which does not change single precision to double.
LOG_2PI = float(np.log(2 * np.pi))
# Mean number of repetitions up to which whole weights are repetitions.
MAX_REPETITION = 10


def sigmoid(x):
    r"""Logistic function :math:`\sigma(x) = 1 / (1 + e^{-x})`."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-x))


def softplus(x):
    r"""Softplus, :math:`\log(1 + e^x) = \max(x, 0) + \log(1 + e^{-|x|})`."""
    return np.maximum(x, 0.0) + np.log(1.0 + np.exp(-np.abs(x)))


def floored(raw, floor):
    """Log of ``floor`` + exp(raw), for variances or scales; ``raw`` without a floor."""
    if not floor:
        return raw
    limit = raw.dtype.type(np.log(floor))
    return limit + softplus(raw - limit)


def logit(p):
    r"""Inverse of the logistic function, :math:`\log p - \log(1 - p)`."""
    return np.log(p) - np.log1p(-p)


def limit_norms(W, max_norm, scale=1.0):
    """Scale down, in place, the columns of W with norms above ``max_norm``; ``scale``
    is a factor for each row, (n_rows, 1), or for all rows."""
    norm = np.sqrt(np.square(scale * W).sum(axis=0))
    if (norm > max_norm).any():
        W *= (max_norm / np.maximum(norm, max_norm)).astype(W.dtype)


def log_sum_exp(x, axis=0):
    r"""Logarithm :math:`\log \sum_k e^{x_k}` over an axis of finite numbers. SciPy's
    function takes four times as long for small arrays."""
    high = x.max(axis=axis, keepdims=True)
    return high.squeeze(axis) + np.log(np.exp(x - high).sum(axis=axis))


def log_mean_exp(log_w, axis=0):
    r"""Log of the mean weight over an axis, :math:`\log \frac1n \sum_k w_k`, from log
    weights, and its standard error by the delta method."""
    n = np.shape(log_w)[axis]
    log_mean = logsumexp(log_w, axis=axis) - np.log(n)
    spread = np.exp(log_w - np.expand_dims(log_mean, axis)).std(axis=axis)
    return log_mean, spread / np.sqrt(max(1, n - 1))


def shares(weight):
    """Scale weights, not all zero, by a power of two such that the maximum is in [0.5,
    1); return them in float64, and the exponent. The scaling is exact, and sums of
    scaled weights neither overflow nor underflow."""
    weight = np.asarray(weight, np.float64)
    exponent = int(np.frexp(weight.max())[1])
    return np.ldexp(weight, -exponent), exponent


def expected_draws(weight):
    """Expected number of draws of each row in an epoch, given nonnegative weights, not
    all zero. Whole numbers are repetitions. Very large and other weights are scaled to
    a mean of 1 over the rows of positive weight."""
    share, exponent = shares(weight)
    n, total = np.count_nonzero(share), share.sum()
    is_whole = np.array_equal(weight, np.floor(weight))
    if is_whole and total <= np.ldexp(float(MAX_REPETITION * n), -exponent):
        return np.ldexp(share, exponent)
    return share * (n / total)


def distinct(x):
    """Distinct rows in lexicographic order, and the number of each row among them, as
    from ``np.unique(x, axis=0)``. ``np.unique`` compares records, and turns a Ctrl-C
    into a TypeError."""
    keys = np.packbits(x, axis=1) if x.dtype == bool else x
    order = np.lexsort([np.zeros(len(x)), *keys.T[::-1]])
    ordered, is_new = x[order], np.ones(len(x), bool)
    is_new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    number_of_row = np.empty(len(x), int)
    number_of_row[order] = np.cumsum(is_new) - 1
    return ordered[is_new], number_of_row


def rows_by_pattern(known):
    """List the groups of rows with the same known entries, as arrays of row numbers;
    ``known`` is a mask of shape (n_rows, n_entries)."""
    _, pattern = distinct(known)
    order, size = np.argsort(pattern, kind="stable"), np.bincount(pattern)
    return np.split(order, np.cumsum(size)[:-1]) if len(known) else []


def rows_by_gaps(v):
    """Yield row numbers and the mask of missing columns, (n_columns,), for groups of
    rows with the same missing entries."""
    missing = np.isnan(v)
    for rows in rows_by_pattern(missing):
        yield rows, missing[rows[0]]
