r"""Log Z between two ends.

.. math:: \log Z_\text{lower} \le \log Z \le \log Z_\text{upper}

both by annealed importance sampling [1]_ [2]_: from a base model up, and from tempered
samples of the model down.

References
----------
.. [1] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [2] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skdgm.metrics._models import check_energy, seed_of
from skdgm.partition import Effort

_OPTIONS = {
    "n_chains": [Interval(Integral, 2, None, closed="left")],
    "n_betas": [Interval(Integral, 2, None, closed="left"), "array-like"],
    "schedule": [StrOptions({"linear", "quadratic", "sigmoid", "adaptive"})],
    "burn_in": [Interval(Integral, 0, None, closed="left")],
    "n_steps": [Interval(Integral, 2, None, closed="left")],
    "confidence": [Interval(Real, 0, 1, closed="neither")],
    "max_gap": [Interval(Real, 0, None, closed="neither")],
    "max_bits": [Interval(Integral, 0, 22, closed="both")],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}


@validate_params(
    {"estimator": "no_validation", **_OPTIONS}, prefer_skip_nested_validation=True
)
def partition_bracket(
    estimator,
    *,
    n_chains=100,
    n_betas=(300, 1000, 3000),
    schedule="quadratic",
    burn_in=1000,
    n_steps=200,
    confidence=0.95,
    max_gap=1.0,
    max_bits=20,
    n_jobs=None,
    random_state=None,
):
    r"""Log Z from both sides.

    Chains start where training left them, run, and change places with others between
    the model and a base model. From where they are they are annealed down to the base
    model, others from there up. A warning says where the two sides disagree, and what
    to raise.

    Parameters
    ----------
    estimator : object
        Fitted, with a partition function.
    n_chains : int, default=100
    n_betas : int or sequence of int, default=(300, 1000, 3000)
        Inverse temperatures of annealing; of several numbers the next is tried while
        both sides disagree.
    schedule : {"linear", "quadratic", "sigmoid", "adaptive"}, default="quadratic"
        How they lie: "quadratic" is closer at the model, "adaptive" where a first run's
        weights vary most.
    burn_in : int, default=1000
        Gibbs steps before tempering.
    n_steps : int, default=200
        Steps of tempered chains.
    confidence : float, default=0.95
        Of each side's bootstrap interval; the bracket is the hull of both.
    max_gap : float, default=1.0
        Nats between the sides above which there is a warning.
    max_bits : int, default=20
        Log Z is exact where the smaller colour of layers has at most so many binary
        units, 22 at most.
    n_jobs : int, default=None
        Threads that share the chains, beside those of kernels; useful for real units.
        The result is the same for any number.
    random_state : int, RandomState instance or None, default=None
        By default the seed of the fit, so that the result is the same at each call.

    Returns
    -------
    bracket : Bracket
        With ``log_Z``, ``lower``, ``upper``, ``se``, ``ess``; the estimates
        ``forward``, ``reverse`` and ``tempered`` (a third opinion, by the tempered
        chains), each with ``log_w``, one a chain.

    Raises
    ------
    TypeError
        The estimator has no partition function.
    ValueError
        A number is too low, or parameters are not finite.

    Warns
    -----
    LikelihoodWarning
        Both sides disagree, few chains count, or tempered chains find more.

    References
    ----------
    Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates of MRF
    log-likelihood using reverse annealing. AISTATS.

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
    check_energy(estimator, "partition_bracket")
    several = np.atleast_1d(n_betas)
    if several.ndim != 1 or not len(several) or several.min() < 2:
        raise ValueError(
            f"n_betas must be at least 2, or a sequence of such, not {n_betas!r}."
        )
    effort = Effort(
        tuple(int(number) for number in several),
        schedule,
        burn_in,
        n_steps,
        confidence,
        max_gap,
        n_jobs,
    )
    seed = seed_of(random_state)
    return estimator._bracket(n_chains, effort, seed=seed, max_bits=max_bits)
