r"""Conservative log-likelihoods by reverse annealing (RAISE).

.. math:: \log \hat p(v) = \log \frac1n \sum_{k=1}^n \frac{\tilde p(v)}{Z_0} w_k

with chains that are annealed from the row itself down to a base model without
couplings. Their weights tell how likely chains that come up from there end at the
row [1]_.

References
----------
.. [1] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates of
   MRF log-likelihood using reverse annealing. AISTATS.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_scalar

from skdgm.metrics._models import check_energy, seed_of
from skdgm.partition import ladder
from skdgm.partition.equilibrium import reach
from skdgm.utils.math import log_mean_exp


class Annealing(NamedTuple):
    """The way down from rows.

    Parameters
    ----------
    base : pair
        A model without couplings, and its log Z.
    betas : ndarray
    n_jobs : int or None
    """

    base: tuple
    betas: np.ndarray
    n_jobs: int = None


def raise_log_likelihood(
    estimator,
    X,
    *,
    n_betas=1000,
    n_chains=10,
    n_samples=100,
    return_se=False,
    n_jobs=None,
    random_state=None,
):
    r"""Log-likelihood of rows by the reverse AIS estimator (RAISE), in nats.

    .. math:: \log \frac1n \sum_{k=1}^n \frac{\tilde p(v)}{Z_0} w_k

    with weights of chains from v down to a base model, whose Z_0 is known. It is
    conservative: the log-likelihood of a model that chains from the base model reach in
    so many temperatures, the expectation of its logarithm being lower still.

    Parameters
    ----------
    estimator : object
        Fitted, with an energy.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Without missing values.
    n_betas : int, default=1000
        Inverse temperatures.
    n_chains : int, default=10
        Chains for each row.
    n_samples : int, default=100
        Of the model, from whose means the base model is.
    return_se : bool, default=False
    n_jobs : int, default=None
    random_state : int, RandomState instance or None, default=None
        By default the seed of the fit.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
    se : ndarray of shape (n_samples,)
        If asked for.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import raise_log_likelihood
    >>> X = load_digits().data.round() > 7
    >>> rbm = BernoulliRBM(16, n_iter=20, random_state=0).fit(X)
    >>> bool(raise_log_likelihood(rbm, X[:20]).mean() < rbm.score(X[:20]) + 0.1)
    True
    """
    check_energy(estimator, "raise_log_likelihood")
    for name, value, low in (
        ("n_betas", n_betas, 2),
        ("n_chains", n_chains, 1),
        ("n_samples", n_samples, 2),
    ):
        check_scalar(value, name, Integral, min_val=low)
    rng, problem = estimator._problem(n_samples, seed_of(random_state))
    base = reach(rng, problem, burn_in=100, n_steps=20).base
    annealing = Annealing(base, ladder.quadratic(n_betas), n_jobs)
    log_p = np.stack(
        [estimator._annealed(X, rng.fold(k), annealing) for k in range(n_chains)]
    )
    found, se = log_mean_exp(log_p)
    return (found, se) if return_se else found
