r"""Parzen-window log-likelihoods: a normal kernel around each sample.

.. math:: \log p(x) = \log \frac1m \sum_{i=1}^m \mathcal{N}(x; s_i, \sigma^2 I)

It needs nothing of a model but samples [1]_, and is worth little in high dimensions:
k-means centres can beat the data themselves [2]_.

References
----------
.. [1] Breuleux, Bengio and Vincent (2011). Quickly generating representative samples
   from an RBM-derived process. Neural Computation.
.. [2] Theis, van den Oord and Bethge (2016). A note on the evaluation of generative
   models. ICLR.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics import euclidean_distances
from sklearn.utils import check_array, gen_batches

from skdgm.exceptions import DataRangeWarning
from skdgm.utils.warn import warn

# Entries of a table of rows and samples.
_ENTRIES = 2**24
# Widths, in deviations of samples; and by what factor spreads may differ.
_WIDTHS, _FAR = np.logspace(-1.5, 0.5, 21), 10.0


class Parzen(NamedTuple):
    """Parzen-window log-likelihoods.

    Parameters
    ----------
    log_likelihood : float
        The rows' mean, in nats.
    se : float
        Its standard error, of having these rows and no others.
    sigma : float
        The kernel's standard deviation.
    rows : ndarray of shape (n_samples,)
    """

    log_likelihood: float
    se: float
    sigma: float
    rows: np.ndarray


def parzen_log_likelihood(X, samples, *, sigma=None, X_valid=None, sigmas=None):
    r"""Log-likelihood of rows under a Parzen window on samples, in nats.

    .. math:: \log \frac1m \sum_i \exp\left(-\frac{\|x - s_i\|^2}{2 \sigma^2}\right)
       - \frac{d}{2} \log(2 \pi \sigma^2)

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
    samples : array-like of shape (n_samples, n_features)
    sigma : float, default=None
        The kernel's width; chosen by ``X_valid`` if None.
    X_valid : array-like of shape (n_valid, n_features), default=None
        Rows whose likelihood is highest at the width that is taken. Not those of X, of
        which it would tell too much.
    sigmas : array-like, default=None
        Widths to choose among; by default 21 between 0.03 and 3 standard deviations
        of the samples.

    Returns
    -------
    parzen : Parzen

    Raises
    ------
    ValueError
        There is no width and no ``X_valid``, columns do not match, or a value is wrong.

    Warns
    -----
    DataRangeWarning
        Rows and samples are on different scales.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import parzen_log_likelihood
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(64, n_iter=20, random_state=0).fit(X[:1000])
    >>> samples = rbm.inverse_transform(rbm.transform(rbm.sample(500, random_state=0)))
    >>> found = parzen_log_likelihood(X[1400:], samples, X_valid=X[1000:1400])
    >>> bool(0.1 < found.sigma < 0.5)
    True
    """
    X = check_array(X, dtype=np.float64, input_name="X")
    samples = check_array(samples, dtype=np.float64, input_name="samples")
    _check_alike(X, samples)
    if sigma is None:
        sigma = _chosen(X_valid, samples, sigmas)
    if not sigma > 0:
        raise ValueError(f"sigma must be positive, not {sigma!r}.")
    (rows,) = _log_p(X, samples, [sigma])
    se = rows.std(ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.nan
    return Parzen(float(rows.mean()), float(se), float(sigma), rows)


def _chosen(X_valid, samples, sigmas):
    """The width under which other rows are likeliest."""
    if X_valid is None:
        raise ValueError("sigma is needed, or X_valid to choose it by.")
    X_valid = check_array(X_valid, dtype=np.float64, input_name="X_valid")
    _check_alike(X_valid, samples)
    if sigmas is None:
        spread = samples.std(axis=0).mean()
        sigmas = _WIDTHS * (spread if spread > 0 else 1.0)
    sigmas = np.asarray(sigmas, dtype=float)
    if sigmas.ndim != 1 or not sigmas.size or not (sigmas > 0).all():
        raise ValueError("sigmas must be a list of positive numbers.")
    return sigmas[np.argmax(_log_p(X_valid, samples, sigmas).mean(axis=1))]


def _log_p(X, samples, sigmas):
    """Log-likelihoods, a row for each width."""
    n, d = samples.shape
    constants = [0.5 * d * np.log(2 * np.pi * sigma**2) + np.log(n) for sigma in sigmas]
    found = np.empty((len(sigmas), len(X)))
    for part in gen_batches(len(X), max(1, _ENTRIES // n)):
        squares = euclidean_distances(X[part], samples, squared=True)
        for row, (sigma, constant) in enumerate(zip(sigmas, constants)):
            log_p = logsumexp(squares / (-2 * sigma**2), axis=1)
            found[row, part] = log_p - constant
    return found


def _check_alike(X, samples):
    if X.shape[1] != samples.shape[1]:
        raise ValueError(
            f"rows have {X.shape[1]} columns, but samples have {samples.shape[1]}."
        )
    spreads = np.ptp(X), np.ptp(samples)
    if max(spreads) > _FAR * min(spreads) > 0:
        warn(
            f"values of rows range over {spreads[0]:.3g}, of samples over "
            f"{spreads[1]:.3g}: they are hardly on the same scale.",
            DataRangeWarning,
        )
