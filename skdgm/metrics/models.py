"""Checks of estimators before they are evaluated."""

import inspect

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdgm.utils.random import MAX_SEED
from skdgm.utils.wrapped import capabilities_of

ENERGY_BASED = "BernoulliRBM, GaussianRBM, RBMClassifier, DBM, DBMClassifier, DBN"
DENSITIES = (
    f"{ENERGY_BASED}, VAE, autoregressive models, or scikit-learn's KernelDensity and "
    "GaussianMixture"
)


def check_energy(estimator, who):
    """Raise NotFittedError, or TypeError where there is no partition function."""
    check_is_fitted(estimator)
    if "bracket" not in capabilities_of(estimator):
        raise TypeError(
            f"{who} is for models with a partition function ({ENERGY_BASED}, and what "
            f"has such a one inside); {type(estimator).__name__} has none."
        )


def check_density(estimator, who):
    """Raise NotFittedError, or TypeError where there is no log-likelihood."""
    check_is_fitted(estimator)
    if "log_prob" not in capabilities_of(estimator):
        raise TypeError(
            f"{who} is for estimators with score_samples ({DENSITIES}); "
            f"{type(estimator).__name__} has none."
        )


def check_names(who, options, *functions):
    """Raise TypeError unless options of ``who`` are arguments of one of the
    functions."""
    known = {name for f in functions for name in inspect.signature(f).parameters}
    known -= {"estimator", "X", "options"}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise TypeError(
            f"{who} has no argument {unknown[0]!r}: besides its own, it takes those of "
            f"{functions[0].__name__}, {', '.join(sorted(known))}."
        )


def seed_of(random_state):
    """Seed drawn from a random state; None, for the estimator's own, if it is None."""
    if random_state is None:
        return None
    return check_random_state(random_state).randint(MAX_SEED)
