r"""Log-likelihoods by a Parzen window estimate around samples.

.. math:: \log \hat p_\sigma(x) = \log \sum_i e^{-|x - s_i|^2 / 2 \sigma^2}
   - \log m - d \log \sqrt{2 \pi} \sigma

for m samples in d dimensions. Distances are computed by matrix products for blocks of
rows x.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.utils import gen_batches
from sklearn.utils.extmath import row_norms

from skdgm.metrics._pairs import check_number, check_pair
from skdgm.typing import ArrayLike, Data
from skdgm.utils.domains import as_numbers, refuse_huge

# Smallest normal float, whose inverse is finite.
_TINY = np.finfo(np.float64).tiny
_WHO = "parzen_log_likelihood"
# Entries of a block of distances from rows to samples.
_ENTRIES = 2**22
# Initial grid of bandwidths and the minimum, in units of the root mean squared distance
# of rows from samples per column; tolerance of the log of the best bandwidth.
_WIDTHS, _SMALLEST, _TOLERANCE = np.logspace(-1, 0, 10), 1e-5, 1e-3


class Parzen(NamedTuple):
    """Result of :func:`parzen_log_likelihood`.

    Parameters
    ----------
    log_likelihood : float
        Mean over rows, in nats.
    se : float
        Standard error of the mean over rows; it does not include the uncertainty of
        the samples or of the bandwidth. NaN for a single row.
    sigma : float
        Bandwidth.
    rows : ndarray of shape (n_rows,)
        Log-likelihood of each row.
    """

    log_likelihood: float
    se: float
    sigma: float
    rows: np.ndarray


def parzen_log_likelihood(
    X: Data,
    samples: Data,
    *,
    sigma: float | None = None,
    X_valid: Data | None = None,
    sigmas: ArrayLike | None = None,
) -> Parzen:
    r"""Log-likelihood of rows by a Parzen window estimate around samples, in nats.

    .. math:: \log \hat p(x) = \log \frac1m \sum_{i=1}^m
       \mathcal{N}(x; s_i, \sigma^2 I)

    The estimate is a density in the units of the columns, for any model that can be
    sampled [1]_. In high dimensions it says little about the model: no feasible number
    of samples is enough, it is far from the log-likelihood, it may rank models wrongly,
    and centers of k-means can score higher than data [2]_. Use it only to compare with
    published results [3]_. As in these publications, kernels of columns in [0, 1]
    extend beyond this range, in contrast to ``score_samples`` of skdgm's generators.

    The log-likelihoods equal ``score_samples`` of scikit-learn's ``KernelDensity`` with
    all samples in one leaf. With the default leaf size, errors of ``KernelDensity`` are
    tens of nats for a hundred columns (scikit-learn 1.9).

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Rows to score.
    samples : array-like of shape (n_samples, n_features)
        Samples of the model, on the same scale as X.
    sigma : float, default=None
        Bandwidth. By default it maximizes the likelihood of ``X_valid``.
    X_valid : array-like of shape (n_valid, n_features), default=None
        Rows for choosing the bandwidth, neither in X nor among the samples. Required
        if ``sigma`` is None, and not allowed otherwise.
    sigmas : array-like of float, default=None
        Candidate bandwidths. In [2]_ pixels are in [0, 1], and the candidates are
        ``np.logspace(-1, 0, 10)``. By default such a grid is shifted until the best
        value is not at its ends. A search between the neighbors of this value follows,
        to a relative tolerance of 0.001.

    Returns
    -------
    parzen : Parzen

    Raises
    ------
    ValueError
        A value is missing, numbers of columns differ, or a bandwidth is not positive.
        Neither or both of ``sigma`` and ``X_valid``, or both ``sigma`` and ``sigmas``,
        are given. All rows of ``X_valid`` are among the samples, so that the best
        bandwidth is zero.
    TypeError
        ``sigma`` is not a number.

    Warns
    -----
    DataRangeWarning
        Rows and samples seem to be on different scales.

    References
    ----------
    .. [1] Parzen (1962). On estimation of a probability density function and mode.
       Annals of Mathematical Statistics.
    .. [2] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
       models. ICLR.
    .. [3] Goodfellow et al. (2014). Generative adversarial nets. NeurIPS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import parzen_log_likelihood
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X[:1000])
    >>> samples = rbm.inverse_transform(rbm.transform(rbm.sample(500, random_state=0)))
    >>> found = parzen_log_likelihood(X[1400:], samples, X_valid=X[1000:1400])
    >>> bool(0.1 < found.sigma < 0.4)
    True
    """
    X, samples = check_pair(X, samples, ("X", "samples"), _WHO)
    if (sigma is None) == (X_valid is None):
        raise ValueError(
            "Give either sigma, the bandwidth, or X_valid, rows by which to choose it."
        )
    if sigma is None:
        X_valid, _ = check_pair(X_valid, samples, ("X_valid", "samples"), _WHO)
        sigma = _best(X_valid, samples, sigmas)
    elif sigmas is not None:
        raise ValueError("Give either sigma or sigmas, not both.")
    check_number(sigma, "sigma", min_val=0, include_boundaries="neither")
    refuse_huge(sigma, "sigma")
    refuse_huge(1 / max(sigma, _TINY), "1 / sigma")
    rows = log_densities(X, samples, [sigma])[0]
    se = rows.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.nan
    return Parzen(float(rows.mean()), float(se), float(sigma), rows)


def _best(X, samples, sigmas):
    if sigmas is not None:
        options = {"ensure_2d": False, "allow_nd": True}
        sigmas = as_numbers(sigmas, "sigmas", _WHO, **options).ravel()
        refuse_huge(sigmas, "sigmas")
        if sigmas.min() <= 0:
            raise ValueError(f"sigmas must be above 0, but {sigmas.min():g} is not.")
        refuse_huge(1 / np.maximum(sigmas, _TINY), "1 / sigmas")
        return sigmas[np.argmax(log_densities(X, samples, sigmas).mean(axis=1))]
    sigma = best_sigma(X, samples)
    if not sigma:
        raise ValueError(
            "All rows of X_valid seem to be among the samples, so that no bandwidth is "
            "too small. Take other rows, or give sigma."
        )
    return sigma


def log_densities(X, samples, sigmas):
    """Log density of each row by kernel density estimates with several bandwidths,
    (n_widths, n_rows), in nats, float64."""
    # Centering reduces cancellation in the squared distances.
    center = samples.mean(axis=0)
    samples = samples - center
    norms, out = row_norms(samples, squared=True), np.empty((len(sigmas), len(X)))
    for part in gen_batches(len(X), max(1, _ENTRIES // len(samples))):
        rows = X[part] - center
        squares = rows @ samples.T
        squares *= -2.0
        squares += norms
        # The row's own square and the smallest distance are factored out of the sum.
        min_squares = squares.min(axis=1)
        squares -= min_squares[:, None]
        min_squares = np.maximum(min_squares + row_norms(rows, squared=True), 0.0)
        for number, sigma in enumerate(sigmas):
            scale = -0.5 / sigma**2
            total = np.exp(scale * squares).sum(axis=1)
            out[number, part] = np.log(total) + scale * min_squares
    log_volume = X.shape[1] * np.log(np.sqrt(2 * np.pi) * np.asarray(sigmas))
    return out - log_volume[:, None] - np.log(len(samples))


def best_sigma(X, samples):
    """Bandwidth that maximizes the mean log density of rows; 0 if the density still
    increases at the minimum bandwidth, as it does if all rows are among the samples."""

    def loss(log_sigma):
        return -log_densities(X, samples, np.exp([log_sigma])).mean()

    mean_square = np.mean((X - samples.mean(axis=0)) ** 2)
    size = np.sqrt(mean_square + samples.var(axis=0).mean())
    grid = size * _WIDTHS
    while grid[0] > _SMALLEST * size:
        best = np.argmax(log_densities(X, samples, grid).mean(axis=1))
        if 0 < best < len(grid) - 1:
            ends, options = np.log(grid[[best - 1, best + 1]]), {"xatol": _TOLERANCE}
            result = minimize_scalar(loss, bounds=ends, options=options)
            return float(np.exp(result.x))
        grid *= grid[best] / grid[len(grid) // 2]
    return 0.0
