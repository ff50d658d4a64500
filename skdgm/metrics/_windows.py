r"""Gaussian kernel density estimates around samples, and the best bandwidth.

.. math:: \log \hat p_\sigma(x) = \log \sum_i e^{-|x - s_i|^2 / 2 \sigma^2}
   - \log m - d \log \sqrt{2 \pi} \sigma

for m samples in d dimensions. Distances are computed by matrix products, for one block
of rows x at a time.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.utils import gen_batches
from sklearn.utils.extmath import row_norms

# Entries of a block of distances from rows to samples.
_ENTRIES = 2**22
# Initial grid of bandwidths and the smallest one, in units of the root mean squared
# distance of rows from samples per column; tolerance of the best one's logarithm.
_WIDTHS, _SMALLEST, _TOLERANCE = np.logspace(-1, 0, 10), 1e-5, 1e-3


def log_densities(X, samples, sigmas):
    """Log density of each row under the kernel density estimate of each bandwidth.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    samples : ndarray of shape (n_samples, n_features)
    sigmas : array-like of shape (n_widths,)
        Bandwidths.

    Returns
    -------
    log_p : ndarray of shape (n_widths, n_rows), float64
        In nats.
    """
    # Centring reduces cancellation in the squared distances.
    centre = samples.mean(axis=0)
    samples = samples - centre
    norms, out = row_norms(samples, squared=True), np.empty((len(sigmas), len(X)))
    for part in gen_batches(len(X), max(1, _ENTRIES // len(samples))):
        rows = X[part] - centre
        squares = rows @ samples.T
        squares *= -2.0
        squares += norms
        # The row's own square and the smallest distance are factored out of the sum.
        least = squares.min(axis=1)
        squares -= least[:, None]
        least = np.maximum(least + row_norms(rows, squared=True), 0.0)
        for number, sigma in enumerate(sigmas):
            scale = -0.5 / sigma**2
            total = np.exp(scale * squares).sum(axis=1)
            out[number, part] = np.log(total) + scale * least
    log_volume = X.shape[1] * np.log(np.sqrt(2 * np.pi) * np.asarray(sigmas))
    return out - log_volume[:, None] - np.log(len(samples))


def best_sigma(X, samples):
    """Bandwidth that maximises the mean log density of rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    samples : ndarray of shape (n_samples, n_features)

    Returns
    -------
    sigma : float
        0 if the log density still rises at the smallest bandwidth of the search, as it
        does where all rows are among the samples.
    """

    def loss(log_sigma):
        return -log_densities(X, samples, np.exp([log_sigma])).mean()

    between = np.mean((X - samples.mean(axis=0)) ** 2)
    size = np.sqrt(between + samples.var(axis=0).mean())
    grid = size * _WIDTHS
    while grid[0] > _SMALLEST * size:
        best = np.argmax(log_densities(X, samples, grid).mean(axis=1))
        if 0 < best < len(grid) - 1:
            ends, options = np.log(grid[[best - 1, best + 1]]), {"xatol": _TOLERANCE}
            found = minimize_scalar(loss, bounds=ends, options=options)
            return float(np.exp(found.x))
        grid *= grid[best] / grid[len(grid) // 2]
    return 0.0
