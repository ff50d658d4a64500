r"""Log-likelihoods of grey rows, averaged over several draws of their bits.

.. math:: \mathbb{E}_{x \sim \mathrm{Bernoulli}(v)}[\log p(x)]
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_features, check_scalar

from skdgm.metrics._bits import bit_columns, grey_columns, of_bits, outside
from skdgm.metrics._models import check_density


def average_over_draws(estimator, X, *, n_draws=10, random_state=0):
    r"""Mean log-likelihood of each grey row over draws of its bits, in nats.

    .. math:: \mathbb{E}_{x \sim \mathrm{Bernoulli}(v)}[\log p(x)]

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``score_samples``.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Probabilities of 1; NaN is missing. For a model of columns of several kinds,
        only binary columns are drawn and others may have any values. For a Pipeline,
        and for an estimator that does not declare its columns, all columns are drawn.
    n_draws : int, default=10
        Number of draws; at least 2.
    random_state : int, RandomState instance or None, default=0
        Seed of the bits.

    Returns
    -------
    mean : ndarray of shape (n_samples,)
    se : ndarray of shape (n_samples,)
        Standard error of the mean over draws; zeros if no value is grey.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no ``score_samples``.
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
    check_density(estimator, "average_over_draws")
    check_scalar(n_draws, "n_draws", Integral, min_val=2)
    told = hasattr(estimator, "_domain")
    columns = bit_columns(estimator) if told else np.arange(_num_features(X))
    if outside(X, columns):
        raise ValueError("X must be probabilities, in [0, 1]: scale it.")
    rng, grey = check_random_state(random_state), grey_columns(X, columns)
    return of_bits(estimator.score_samples, X, grey, n_draws, rng)
