r"""Log-likelihoods by a Parzen window around samples.

.. math:: \log \hat p(x) = \log \frac1m \sum_{i=1}^m \mathcal{N}(x; s_i, \sigma^2 I)

for samples :math:`s_i` of any model [1]_. The bandwidth is the one that does best on
validation rows, as in [2]_.

References
----------
.. [1] Parzen (1962). On estimation of a probability density function and mode. Annals
   of Mathematical Statistics.
.. [2] Goodfellow et al. (2014). Generative adversarial nets. NeurIPS.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from skdgm.metrics._pairs import check_number, check_pair
from skdgm.metrics._windows import best_sigma, log_densities


class Parzen(NamedTuple):
    """The mean log-likelihood of rows by a Parzen window.

    Parameters
    ----------
    log_likelihood : float
        In nats a row.
    se : float
        Its standard error for having few rows; not for having few samples, nor for
        the bandwidth. NaN of a single row.
    sigma : float
        The bandwidth.
    rows : ndarray of shape (n_rows,)
        The log-likelihood of each row.
    """

    log_likelihood: float
    se: float
    sigma: float
    rows: np.ndarray


def parzen_log_likelihood(X, samples, *, sigma=None, X_valid=None, sigmas=None):
    r"""Log-likelihood of rows by a Parzen window around samples, in nats.

    .. math:: \log \hat p(x) = \log \frac1m \sum_{i=1}^m
       \mathcal{N}(x; s_i, \sigma^2 I)

    It is a density, in the columns' own units, of rows of any model that can be sampled
    from. In many dimensions it says little of the model: samples can never be many
    enough, it is far from the log-likelihood, it may rank models wrongly, and the
    centres of k-means can do better than data [1]_. It is here to compare with figures
    of papers that give it.

    Rows are equal to ``score_samples`` of scikit-learn's ``KernelDensity`` with all
    samples in one leaf; with its own leaves that loses tens of nats in a hundred
    columns (scikit-learn 1.9).

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
    samples : array-like of shape (n_samples, n_features)
        Of the model, on the same scale as X.
    sigma : float, default=None
        The bandwidth; by default the one that makes ``X_valid`` most likely.
    X_valid : array-like of shape (n_valid, n_features), default=None
        Rows to choose the bandwidth by, neither in X nor among the samples. Needed, and
        used, only if ``sigma`` is None.
    sigmas : array-like of float, default=None
        The bandwidths to choose from. In [2]_ pixels are in [0, 1], and these are
        ``np.logspace(-1, 0, 10)``. By default any: the best one of such a grid, which
        moves on while that is at its end, and then a search between its neighbours, to
        a thousandth.

    Returns
    -------
    parzen : Parzen

    Raises
    ------
    ValueError
        A value is missing, or numbers of columns differ; there is neither ``sigma`` nor
        ``X_valid``, or both; or all rows of ``X_valid`` are among the samples, which
        are most likely at a bandwidth of zero; or a bandwidth is not above 0.
    TypeError
        ``sigma`` is no number.

    Warns
    -----
    DataRangeWarning
        Rows and samples seem to be on different scales.

    References
    ----------
    .. [1] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
       models. ICLR.
    .. [2] Goodfellow et al. (2014). Generative adversarial nets. NeurIPS.

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
    X, samples = check_pair(X, samples, ("X", "samples"))
    if (sigma is None) == (X_valid is None):
        raise ValueError(
            "Give either sigma, the bandwidth, or X_valid, rows to choose it by."
        )
    if sigma is None:
        X_valid, _ = check_pair(X_valid, samples, ("X_valid", "samples"))
        sigma = _best(X_valid, samples, sigmas)
    elif sigmas is not None:
        raise ValueError("sigmas are to choose from, but sigma is given.")
    check_number(sigma, "sigma", min_val=0, include_boundaries="neither")
    rows = log_densities(X, samples, [sigma])[0]
    se = rows.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.nan
    return Parzen(float(rows.mean()), float(se), float(sigma), rows)


def _best(X, samples, sigmas):
    if sigmas is not None:
        sigmas = check_array(np.ravel(sigmas), ensure_2d=False, input_name="sigmas")
        if sigmas.min() <= 0:
            raise ValueError(f"sigmas must be above 0, but {sigmas.min():g} is not.")
        return sigmas[np.argmax(log_densities(X, samples, sigmas).mean(axis=1))]
    sigma = best_sigma(X, samples)
    if not sigma:
        raise ValueError(
            "All rows of X_valid seem to be among the samples, so that no bandwidth is "
            "too small. Take other rows, or give sigma."
        )
    return sigma
