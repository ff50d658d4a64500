r"""Log-likelihoods of grey rows, averaged over several draws of their bits.

.. math:: \mathbb{E}_{x \sim \mathrm{Bernoulli}(v)}[\log p(x)]
"""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import _num_features, check_scalar

from skdgm.metrics._bits import bit_columns, grey_columns, of_bits, outside
from skdgm.metrics._models import check_density, density_of
from skdgm.metrics.density import unwound


def average_over_draws(estimator, X, *, n_draws=10, random_state=0):
    r"""Mean log-likelihood of each grey row over draws of its bits, in nats.

    .. math:: \mathbb{E}_{x \sim \mathrm{Bernoulli}(v)}[\log p(x)]

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``score_samples``, Pipeline that ends with one, or outlier
        detector of such; as for :func:`log_density`.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Input of the estimator; NaN is missing. Binary columns, after all preceding
        steps of a Pipeline, hold probabilities of 1 and are drawn; others may have any
        values. If an estimator does not declare its columns, all of them are drawn.
    n_draws : int, default=10
        Number of draws; at least 2.
    random_state : int, RandomState instance or None, default=0
        Seed of the bits.

    Returns
    -------
    mean : ndarray of shape (n_samples,)
        For densities in the units of X.
    se : ndarray of shape (n_samples,)
        Standard error of the mean over draws; zeros if no value is grey.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        There is no ``score_samples``, or a step before a density has no known
        determinant.
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
    last, seen, log_det = unwound(estimator, X)
    told = density_of(last) is not None
    columns = bit_columns(last) if told else np.arange(_num_features(seen))
    if outside(seen, columns):
        raise ValueError("X must be probabilities, in [0, 1]: scale it.")
    rng, grey = check_random_state(random_state), grey_columns(seen, columns)
    mean, se = of_bits(last.score_samples, seen, grey, n_draws, rng)
    return mean + log_det, se
