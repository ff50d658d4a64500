r"""Conservative log-likelihoods, by samples (CSL) or by reverse annealing (RAISE).

.. math:: \log \frac1n \sum_{k=1}^n p(v \mid h_k), \qquad
   \log \frac1n \sum_{k=1}^n \frac{\tilde p(v)}{Z_0} w_k
"""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import validate_params

from skdgm.metrics.models import check_can, seed_of
from skdgm.partition import ladder
from skdgm.partition.equilibrium import reach
from skdgm.typing import Data, Seed
from skdgm.utils.counts import count
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import stream
from skdgm.utils.wrapped import density_of

_OPTIONS = {
    "return_se": ["boolean"],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}
# Entries of a block of rows times samples.
_ENTRIES = 2**24


def csl_log_likelihood(
    estimator: object,
    X: Data,
    *,
    n_samples: int = 10_000,
    n_steps: int = 1000,
    random_state: Seed = None,
) -> np.ndarray:
    r"""Conservative sampling-based log-likelihood (CSL) of rows, in nats.

    .. math:: \log \frac1n \sum_{k=1}^n p(v \mid h_k), \qquad h_k \sim p(h)

    In expectation CSL is below the log-likelihood, and far below it in high dimensions,
    where hardly any sample is close to a row. It evaluates the stationary distribution
    of the model's chains. For denoising autoencoders and generative stochastic
    networks, which have no likelihood, h is the corrupted row or the hidden units of a
    chain.

    Parameters
    ----------
    estimator : object
        Fitted estimator whose chains draw hidden units such that columns are
        independent given the units: a Boltzmann machine, a deep belief network, or an
        autoencoder with chains.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to score. Missing entries (NaN) are marginalized.
    n_samples : int, default=10000
        Number of samples :math:`h_k`, each from a separate chain.
    n_steps : int, default=1000
        Number of steps of each chain from its state at the end of training, or for
        autoencoders from independent columns.
    random_state : int, RandomState instance or None, default=None
        Seed of the chains; by default the seed of the fit.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
        Log-likelihood of each row, in nats.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no chains.
    ValueError
        A number is too low, or X is not valid input of the estimator.

    References
    ----------
    Bengio, Yao and Cho (2013). Bounding the test log-likelihood of generative models.
    arXiv:1311.6184.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import csl_log_likelihood
    >>> X = load_digits().data.round() > 7
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X)
    >>> few = csl_log_likelihood(rbm, X[:20], n_samples=10).mean()
    >>> many = csl_log_likelihood(rbm, X[:20], n_samples=100).mean()
    >>> bool(few < many < rbm.score(X[:20]))
    True
    """
    check_can("visible_fields", estimator, "csl_log_likelihood")
    count(n_samples, "n_samples")
    count(n_steps, "n_steps")
    density, seed = density_of(estimator), seed_of(random_state)
    rows, rng = density.read(X), stream(density.seed if seed is None else seed)
    unit, eta = density.visible_fields(n_samples, rng, n_steps)
    log_A, parts = unit.log_partition(eta), []
    for part in gen_batches(rows.shape[0], max(1, _ENTRIES // n_samples)):
        v = rows.take(part)
        known = ~np.isnan(v)
        log_p = unit.log_evidence(eta, np.where(known, v, 0), known) - log_A
        parts.append(logsumexp(log_p, axis=1) - np.log(n_samples))
    volume = density.domain.log_volume(density.columns, rows)
    return np.concatenate(parts) + volume


class Annealing(NamedTuple):
    """Annealing path from rows to the base model: parameters of the base model and its
    log Z, inverse temperatures, and number of threads or None."""

    base: tuple
    betas: np.ndarray
    n_jobs: int = None


@validate_params(_OPTIONS, prefer_skip_nested_validation=True)
def raise_log_likelihood(
    estimator: object,
    X: Data,
    *,
    n_betas: int = 1000,
    n_chains: int = 10,
    n_samples: int = 100,
    return_se: bool = False,
    n_jobs: int | None = None,
    random_state: Seed = None,
) -> Any:
    r"""Log-likelihood of rows by the reverse AIS estimator (RAISE), in nats.

    .. math:: \log \frac1n \sum_{k=1}^n \frac{\tilde p(v)}{Z_0} w_k

    with weights :math:`w_k` of chains that are annealed from v to a base model with
    known :math:`Z_0`. Consider the distribution of the end points of chains that are
    annealed from the base model to the model. The mean inside the logarithm is an
    unbiased estimate of the likelihood under this distribution, so that its logarithm
    is low in expectation.

    Parameters
    ----------
    estimator : object
        Fitted estimator with an energy.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows to score, without missing values.
    n_betas : int, default=1000
        Number of inverse temperatures.
    n_chains : int, default=10
        Number of chains for each row.
    n_samples : int, default=100
        Number of samples of the model whose means define the base model.
    return_se : bool, default=False
        Whether to return standard errors.
    n_jobs : int, default=None
        Number of threads that share the chains; the result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the chains; by default the seed of the fit.

    Returns
    -------
    log_likelihood : ndarray of shape (n_samples,)
        Log-likelihood of each row, in nats.
    se : ndarray of shape (n_samples,)
        Standard error over chains. Only if ``return_se`` is True.

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no partition function.
    ValueError
        A number is too low, or X has missing values.

    References
    ----------
    Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates of MRF
    log-likelihood using reverse annealing. AISTATS.

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
    check_can("annealed", estimator, "raise_log_likelihood")
    for name, value, low in (
        ("n_betas", n_betas, 2),
        ("n_chains", n_chains, 1),
        ("n_samples", n_samples, 2),
    ):
        count(value, name, low)
    density = density_of(estimator)
    rng, problem = density.problem(n_samples, seed_of(random_state))
    base = reach(rng, problem, burn_in=100, n_steps=20).base
    annealing = Annealing(base, ladder.quadratic(n_betas), n_jobs)
    log_p = np.stack(
        [density.annealed(X, rng.fold(k), annealing) for k in range(n_chains)]
    )
    log_likelihood, se = log_mean_exp(log_p)
    return (log_likelihood, se) if return_se else log_likelihood
