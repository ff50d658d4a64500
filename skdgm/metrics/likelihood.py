r"""Mean log-likelihoods with lower and upper ends.

.. math:: \log p(v) = \log \tilde p(v) - \log Z, \qquad
   \log Z_\text{lower} \le \log Z \le \log Z_\text{upper}

The first term is exact, a lower bound, or estimated by importance sampling; for grey
rows it is a mean over draws of their bits.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_scalar

from skdgm.metrics._bits import bit_columns, grey_columns, of_bits
from skdgm.metrics._models import check_energy, density_of
from skdgm.metrics.partition import partition_bracket
from skdgm.partition import Bracket


class LikelihoodBracket(NamedTuple):
    """Mean log-likelihood of rows with its lower and upper ends.

    Parameters
    ----------
    log_likelihood : float
        Mean over rows, in nats.
    lower, upper : float
        Ends of its bracket: those of log Z, widened by the rows' own uncertainty.
    se : float
        Standard error of the estimate for these rows, without that of sampling them.
    ess : float
        Effective number of annealed chains; all of them where log Z is exact.
    kind : {"exact", "lower bound", "estimate"}
        Kind of the figures: the log-likelihood of bits, a lower bound on it, or an
        estimate, by annealing or by importance sampling, which is low on average.
    rows : ndarray of shape (n_samples,)
        Log-likelihood of each row, or its mean over draws of a grey row's bits.
    log_Z : Bracket
        Bracket of the log partition function.
    """

    log_likelihood: float
    lower: float
    upper: float
    se: float
    ess: float
    kind: str
    rows: np.ndarray
    log_Z: Bracket

    def __repr__(self):
        return (
            f"LikelihoodBracket({self.log_likelihood:.3f} nats a row of "
            f"{len(self.rows)}, {self.kind}, from {self.lower:.3f} to "
            f"{self.upper:.3f}, se {self.se:.2g};\n"
            f"                  log Z {self.log_Z.log_Z:.3f}, from "
            f"{self.log_Z.lower:.3f} to {self.log_Z.upper:.3f}, ESS {self.ess:.0f})"
        )


def likelihood_bracket(
    estimator,
    X,
    *,
    n_draws=100,
    n_bit_draws=10,
    confidence=0.95,
    random_state=None,
    **options,
):
    r"""Mean log-likelihood of rows with a lower and an upper end, in nats.

    .. math:: \frac1n \sum_i \log \tilde p(v_i) - \log Z

    Parameters
    ----------
    estimator : object
        Fitted estimator with a partition function.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Missing entries (NaN) are summed out if the estimator can. Values between 0 and
        1 in binary columns are probabilities of 1.
    n_draws : int, default=100
        Number of draws per row of the intermediate layers of deep models; unused for
        models whose rows are evaluated exactly.
    n_bit_draws : int, default=10
        Number of draws of grey rows' bits to average over. The bits are the same for
        all models of these rows.
    confidence : float, default=0.95
        Confidence level of the ends.
    random_state : int, RandomState instance or None, default=None
        Seed of the bits, by default 0, and of :func:`partition_bracket`.
    **options
        Further arguments of :func:`partition_bracket`.

    Returns
    -------
    bracket : LikelihoodBracket

    Raises
    ------
    TypeError
        The estimator has no partition function.
    ValueError
        A number is too low, or X is not valid input of the estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import likelihood_bracket
    >>> X = load_digits().data > 7
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X)
    >>> found = likelihood_bracket(rbm, X)
    >>> found.kind, found.upper == found.lower  # 16 hidden units are enumerated.
    ('exact', True)
    """
    check_energy(estimator, "likelihood_bracket")
    check_scalar(n_draws, "n_draws", Integral, min_val=1)
    check_scalar(n_bit_draws, "n_bit_draws", Integral, min_val=2)
    grey, told = grey_columns(X, bit_columns(estimator)), []
    density = density_of(estimator)

    def log_weight(rows):
        told.append(density.numerator(rows, n_draws))
        return told[-1][0]

    rng = check_random_state(0 if random_state is None else random_state)
    log_p, se = of_bits(log_weight, X, grey, n_bit_draws, rng)
    if not len(grey):
        se = told[0][1]
    kind, options["random_state"] = told[0][2], random_state
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
