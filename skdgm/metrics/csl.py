r"""Conservative sampling-based log-likelihoods (CSL).

.. math:: \log \hat p(v) = \log \frac1n \sum_{k=1}^n p(v \mid h_k), \qquad h_k \sim p(h)

with samples :math:`h_k` of the model's hidden units [1]_. It does not need log Z.

References
----------
.. [1] Bengio, Yao and Cho (2013). Bounding the test log-likelihood of generative
   models. arXiv:1311.6184.
"""

from numbers import Integral

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_scalar

from skdgm.metrics._models import check_energy, density_of, seed_of
from skdgm.utils.random import stream

# Entries of a block of rows times samples.
_ENTRIES = 2**24


def csl_log_likelihood(
    estimator, X, *, n_samples=10_000, n_steps=1000, random_state=None
):
    r"""Conservative sampling-based log-likelihood (CSL) of rows, in nats.

    .. math:: \log \frac1n \sum_{k=1}^n p(v \mid h_k), \qquad h_k \sim p(h)

    In expectation it is below the log-likelihood, and far below in high dimensions,
    where hardly any sample is close to a row.

    Parameters
    ----------
    estimator : object
        Fitted estimator with an energy.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to score. Missing entries (NaN) are summed out.
    n_samples : int, default=10000
        Number of samples :math:`h_k`, each from a chain of its own.
    n_steps : int, default=1000
        Number of Gibbs steps of each chain, from its state at the end of training.
    random_state : int, RandomState instance or None, default=None
        Seed of the chains; by default that of the fit.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
        In nats, one for each row of X.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no partition function.
    ValueError
        A number is too low, or X is not valid input of the estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import csl_log_likelihood
    >>> X = load_digits().data.round() > 7
    >>> rbm = BernoulliRBM(16, n_iter=20, random_state=0).fit(X)
    >>> few = csl_log_likelihood(rbm, X[:20], n_samples=100).mean()
    >>> many = csl_log_likelihood(rbm, X[:20]).mean()
    >>> bool(few < many < rbm.score(X[:20]))
    True
    """
    check_energy(estimator, "csl_log_likelihood")
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    check_scalar(n_steps, "n_steps", Integral, min_val=1)
    density, seed = density_of(estimator), seed_of(random_state)
    rows, rng = density.read(X), stream(density.seed if seed is None else seed)
    unit, eta = density.visible_fields(n_samples, rng, n_steps)
    log_A, parts = unit.log_partition(eta), []
    for part in gen_batches(rows.shape[0], max(1, _ENTRIES // n_samples)):
        v = rows.take(part)
        held = ~np.isnan(v)
        log_p = unit.log_evidence(eta, np.where(held, v, 0), held) - log_A
        parts.append(logsumexp(log_p, axis=1) - np.log(n_samples))
    volume = density.domain.log_volume(density.columns, rows)
    return np.concatenate(parts) + volume
