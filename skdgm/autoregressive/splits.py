r"""Random splits of the observed entries of rows into a seen and a hidden part.

.. math:: -\log p(x) \approx \frac{n}{n - m} \sum_{j \text{ hidden}} -\log p(x_j \mid
   x_\text{seen})

for rows with n observed entries, of which m are seen.
"""

import numpy as np


def draw_shares(uniform, n_observed):
    r"""Draw shares of the observed entries of rows to be seen from uniform noise, with
    a preference for large shares; return shares and their weights, each (n_rows,).

    The loss of a row is that of its n - m hidden entries times n / (n - m), whose noise
    grows with m. Sampling m in proportion to the standard deviation, :math:`1 / \sqrt{n
    - m}`, minimizes the variance for a given number of rows; the weights correct for
    it.
    """
    n = np.maximum(1, n_observed)
    n_seen = np.minimum(np.floor((1 - (1 - uniform) ** 2) * n), n - 1)
    frequency = np.sqrt(1 - n_seen / n) - np.sqrt(1 - (n_seen + 1) / n)
    return (n_seen + 0.5) / n, 1 / (n * frequency)


def hide(v, share, uniform):
    """Split the observed entries of each row into a seen share, below 1, with the
    lowest uniform numbers, and a hidden part.

    Returns both parts, with NaN elsewhere, and the ratio of observed to hidden entries,
    (n_rows,).
    """
    observed = ~np.isnan(v)
    n_observed = observed.sum(axis=1)
    uniform = np.where(observed, uniform, uniform.dtype.type(2))
    n_seen = (share * n_observed).astype(np.intp)
    last = np.take_along_axis(np.sort(uniform, axis=1), n_seen[:, None], axis=1)
    is_seen, nothing = uniform < last, v.dtype.type(np.nan)
    factor = n_observed / np.maximum(1, n_observed - n_seen)
    seen, hidden = np.where(is_seen, v, nothing), np.where(is_seen, nothing, v)
    return seen, hidden, factor.astype(v.dtype)
