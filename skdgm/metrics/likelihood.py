r"""Log-likelihoods between two ends.

.. math:: \log p(v) = \log \tilde p(v) - \log Z, \qquad
   \log Z_\text{lower} \le \log Z \le \log Z_\text{upper}

where the first term is exact, or found by importance sampling.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from skdgm.metrics._models import check_energy
from skdgm.metrics.partition import partition_bracket
from skdgm.partition import Bracket


class LikelihoodBracket(NamedTuple):
    """The mean log-likelihood of rows, and where it is.

    Parameters
    ----------
    log_likelihood : float
        In nats a row.
    lower, upper : float
        Its ends: those of log Z, and what is uncertain of the rows beside.
    se : float
        Standard error of the estimate on these rows; not that of having few rows.
    ess : float
        Effective number of annealed chains; infinite where log Z is exact.
    kind : {"exact", "lower bound", "estimate"}
        What is told of: the log-likelihood, a lower bound on it, or an estimate of it
        by importance sampling, which is on average below.
    rows : ndarray of shape (n_samples,)
        The log-likelihood of each row.
    log_Z : Bracket
    """

    log_likelihood: float
    lower: float
    upper: float
    se: float
    ess: float
    kind: str
    rows: np.ndarray
    log_Z: Bracket


def likelihood_bracket(estimator, X, *, n_draws=100, confidence=0.95, **options):
    r"""The mean log-likelihood of rows, between two ends.

    .. math:: \frac1n \sum_i \log \tilde p(v_i) - \log Z

    Parameters
    ----------
    estimator : object
        Fitted, with a partition function.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN is missing, and summed out, where the estimator can.
    n_draws : int, default=100
        Draws for each row, of what deep models have between data and their top.
    confidence : float, default=0.95
    **options
        As of :func:`partition_bracket`.

    Returns
    -------
    bracket : LikelihoodBracket

    Raises
    ------
    TypeError
        The estimator has no partition function.
    ValueError
        A number is too low, or X is not what the estimator takes.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import likelihood_bracket
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X)
    >>> found = likelihood_bracket(rbm, X)
    >>> found.kind, found.upper == found.lower  # 16 hidden units are enumerated.
    ('exact', True)
    """
    check_energy(estimator, "likelihood_bracket")
    log_p, se, kind = estimator._numerator(X, n_draws)
    log_Z = partition_bracket(estimator, confidence=confidence, **options)
    if kind == "exact" and log_Z.se:
        kind = "estimate"
    mean, own = log_p.mean(), np.sqrt((se**2).sum()) / len(se)
    reach = ndtri(0.5 + confidence / 2) * own
    return LikelihoodBracket(
        float(mean - log_Z.log_Z),
        float(mean - reach - log_Z.upper),
        float(mean + reach - log_Z.lower),
        float(np.hypot(own, log_Z.se)),
        log_Z.ess,
        kind,
        log_p - log_Z.log_Z,
        log_Z,
    )
