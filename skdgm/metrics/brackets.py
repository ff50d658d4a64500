r"""Log partition function and mean log-likelihoods, with lower and upper estimates.

.. math:: \log Z_\text{lower} \le \log Z \le \log Z_\text{upper}, \qquad
   \log p(v) = \log \tilde p(v) - \log Z

Both estimates of log Z are by annealed importance sampling (AIS): forward from a base
model, and in reverse from tempered samples of the model. The unnormalized term is
exact, a lower bound, or estimated by importance sampling. For gray rows it is averaged
over draws of their bits.
"""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import ndtri
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skdgm.metrics.bits import bit_columns, gray_columns, highest, of_bits
from skdgm.metrics.models import check_can, seed_of
from skdgm.partition import AISOptions, Bracket
from skdgm.typing import Data, Seed
from skdgm.utils.counts import count
from skdgm.utils.wrapped import density_of

_OPTIONS = {
    "estimator": "no_validation",
    "schedule": [StrOptions({"linear", "quadratic", "sigmoid", "adaptive"})],
    "confidence": [Interval(Real, 0, 1, closed="neither")],
    "max_gap": [Interval(Real, 0, None, closed="neither")],
    "max_bits": [Interval(Integral, 0, 22, closed="both")],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}


@validate_params(_OPTIONS, prefer_skip_nested_validation=True)
def partition_bracket(
    estimator: object,
    *,
    n_chains: int = 100,
    n_betas: int | Sequence[int] = (300, 1000, 3000),
    schedule: Literal["linear", "quadratic", "sigmoid", "adaptive"] = "quadratic",
    burn_in: int = 1000,
    n_steps: int = 200,
    confidence: float = 0.95,
    max_gap: float = 1.0,
    max_bits: int = 20,
    n_jobs: int | None = None,
    random_state: Seed = None,
) -> Bracket:
    r"""Bracket of log Z by forward and reverse annealed importance sampling.

    .. math:: \mathbb{E}[\log \hat Z_\text{forward}] \le \log Z \le
       \mathbb{E}[\log \hat Z_\text{reverse}]

    Chains start from their states at the end of training, run ``burn_in`` Gibbs steps,
    and are tempered between the model and a base model. The reverse estimate anneals
    their states to the base model, and the forward estimate anneals other chains from
    the base model to the model. If the two estimates disagree, a warning recommends
    larger numbers. A search for the most probable hidden states gives a further
    estimate if the chains do not visit these states. The highest estimate is used, and
    the sum over the states is a lower bound.

    Covariance machines (:class:`~skdgm.MeanCovarianceRBM`,
    :class:`~skdgm.MeanProductOfT`) use Hamiltonian trajectories in place of Gibbs
    steps, and each leapfrog step counts as a step. They use neither tempering nor
    enumeration nor search, so that ``n_steps``, ``max_bits`` and ``n_jobs`` have no
    effect, and ``schedule="adaptive"`` raises a ValueError.

    Parameters
    ----------
    estimator : object
        Fitted estimator with a partition function.
    n_chains : int, default=100
        Number of annealed chains of each estimate.
    n_betas : int or sequence of int, default=(300, 1000, 3000)
        Number of inverse temperatures. If it is a sequence, the numbers are tried in
        turn until the estimates agree.
    schedule : {"linear", "quadratic", "sigmoid", "adaptive"}, default="quadratic"
        Spacing of the inverse temperatures: "quadratic" is denser near the model,
        "adaptive" where the weights of a first run vary most.
    burn_in : int, default=1000
        Number of Gibbs steps before tempering.
    n_steps : int, default=200
        Number of tempering steps.
    confidence : float, default=0.95
        Confidence level of the bootstrap interval of each estimate. The bracket is the
        hull of the two intervals.
    max_gap : float, default=1.0
        Difference of the estimates, in nats, above which there is a warning.
    max_bits : int, default=20
        Log Z is computed exactly if the smaller color of layers has at most this many
        binary units; at most 22.
    n_jobs : int, default=None
        Number of threads that share the chains, in addition to the threads of the
        kernels; useful for real units. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the chains; by default the seed of the fit, so that each call returns
        the same result.

    Returns
    -------
    bracket : Bracket
        Named tuple with ``log_Z``, ``lower``, ``upper``, ``se`` and ``ess``, and the
        estimates ``forward``, ``reverse`` and ``tempered`` (by the tempered chains),
        each with ``log_w`` for each chain. The estimates are None if log Z is exact.

    Raises
    ------
    TypeError
        The estimator has no partition function.
    ValueError
        A number is too low, or parameters are not finite.

    Warns
    -----
    LikelihoodWarning
        The estimates disagree, the effective number of chains is low, or tempered
        chains or the most probable states have a larger log Z.

    References
    ----------
    Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
    networks. ICML. Burda, Grosse and Salakhutdinov (2015). Accurate and conservative
    estimates of MRF log-likelihood using reverse annealing. AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import partition_bracket
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(32, n_iter=5, random_state=0).fit(X)
    >>> found = partition_bracket(rbm)
    >>> bool(found.lower < found.log_Z < found.upper)
    True
    """
    check_can("bracket", estimator, "partition_bracket")
    numbers = np.atleast_1d(n_betas)
    if numbers.ndim != 1 or not len(numbers) or numbers.min() < 2:
        raise ValueError("n_betas must be at least 2, or a sequence of such numbers.")
    betas = tuple(count(number, "n_betas", 2) for number in numbers)
    for name, value, low in (
        ("n_chains", n_chains, 2),
        ("burn_in", burn_in, 0),
        ("n_steps", n_steps, 2),
    ):
        count(value, name, low)
    effort = AISOptions(betas, schedule, burn_in, n_steps, confidence, max_gap, n_jobs)
    density, seed = density_of(estimator), seed_of(random_state)
    return density.bracket(n_chains, effort, seed=seed, max_bits=max_bits)


class LikelihoodBracket(NamedTuple):
    """Mean log-likelihood of rows with a lower and an upper estimate.

    Parameters
    ----------
    log_likelihood : float
        Mean over rows, in nats.
    lower, upper : float
        Lower and upper estimate: the ends for log Z, widened by the uncertainty of the
        unnormalized terms of the rows.
    se : float
        Standard error of the estimate for these rows, excluding the sampling of rows.
    ess : float
        Effective number of annealed chains; their total number if log Z is exact.
    kind : {"exact", "lower bound", "estimate"}
        Kind of the log-likelihood: exact; a lower bound, in expectation if it is a mean
        over draws; or an estimate by annealing or importance sampling, which is low on
        average.
    rows : ndarray of shape (n_samples,)
        Log-likelihood of each row, or its mean over draws of a gray row's bits.
    log_Z : Bracket
        Bracket of the log partition function.

    See Also
    --------
    likelihood_bracket : Function that returns the result.
    skdgm.plotting.LikelihoodBracketDisplay : Plot of the result.
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
    estimator: object,
    X: Data,
    *,
    n_draws: int = 100,
    n_bit_draws: int = 10,
    confidence: float = 0.95,
    random_state: Seed = None,
    **options: Any,
) -> LikelihoodBracket:
    r"""Mean log-likelihood of rows with a lower and an upper estimate, in nats.

    .. math:: \frac1n \sum_i \log \tilde p(v_i) - \log Z

    Parameters
    ----------
    estimator : object
        Fitted estimator with a partition function.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Missing entries (NaN) are marginalized if the estimator supports it. Values
        between 0 and 1 in binary columns are probabilities of 1.
    n_draws : int, default=100
        Number of draws per row of the intermediate layers of deep models; unused for
        models whose rows are evaluated exactly.
    n_bit_draws : int, default=10
        Number of draws of the bits of gray rows. All models of the rows are evaluated
        on the same bits.
    confidence : float, default=0.95
        Confidence level of the lower and upper estimate.
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
    check_can("bracket", estimator, "likelihood_bracket")
    count(n_draws, "n_draws")
    count(n_bit_draws, "n_bit_draws", 2)
    top, weights = highest(estimator), []
    gray = gray_columns(X, bit_columns(estimator), top)
    density = density_of(estimator)

    def log_weight(rows):
        weights.append(density.numerator(rows, n_draws))
        return weights[-1][0]

    rng = check_random_state(0 if random_state is None else random_state)
    log_p, se = of_bits(log_weight, X, gray, n_bit_draws, rng, top)
    if not len(gray):
        se = weights[0][1]
    kind, options["random_state"] = weights[0][2], random_state
    log_Z = partition_bracket(estimator, confidence=confidence, **options)
    if kind == "exact" and log_Z.se:
        kind = "estimate"
    mean, se_of_mean = log_p.mean(), np.sqrt((se**2).sum()) / len(se)
    reach = ndtri(0.5 + confidence / 2) * se_of_mean
    return LikelihoodBracket(
        log_likelihood=float(mean - log_Z.log_Z),
        lower=float(mean - reach - log_Z.upper),
        upper=float(mean + reach - log_Z.lower),
        se=float(np.hypot(se_of_mean, log_Z.se)),
        ess=log_Z.ess,
        kind=kind,
        rows=log_p - log_Z.log_Z,
        log_Z=log_Z,
    )
