r"""Log-likelihoods of grey rows, over several draws of their bits.

.. math:: \mathbb{E}_{x \sim \mathrm{Bernoulli}(v)}[\log p(x)]
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_scalar

from skdgm.metrics._models import check_density


def average_over_draws(estimator, X, *, n_draws=10, random_state=0):
    """Mean log-likelihood of each grey row, over draws of its bits.

    Parameters
    ----------
    estimator : object
        Fitted, with ``score_samples``.
    X : array-like of shape (n_samples, n_features)
        Probabilities of 1; NaN where missing.
    n_draws : int, default=10
    random_state : int, RandomState instance or None, default=0

    Returns
    -------
    mean : ndarray of shape (n_samples,)
    se : ndarray of shape (n_samples,)
        Standard error of the mean over draws.

    Raises
    ------
    TypeError
        The estimator has no ``score_samples``.
    ValueError
        A value is not in [0, 1].

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
    check_density(estimator, "average_over_draws")
    check_scalar(n_draws, "n_draws", Integral, min_val=2)
    X = check_array(X, ensure_all_finite="allow-nan", dtype=[np.float64, np.float32])
    if np.nanmin(X) < 0 or np.nanmax(X) > 1:
        raise ValueError("X must be probabilities, in [0, 1]: scale it.")
    rng, found = check_random_state(random_state), []
    for _ in range(n_draws):
        bits = (rng.random_sample(X.shape) < X).astype(X.dtype)
        bits[np.isnan(X)] = np.nan
        found.append(estimator.score_samples(bits))
    return np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(n_draws)
