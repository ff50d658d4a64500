"""Checks of estimators before they are evaluated."""

import inspect

from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skdgm.utils.random import MAX_SEED
from skdgm.utils.wrapped import capabilities_of

_MACHINES = "BernoulliRBM, GaussianRBM, RBMClassifier, DBM, DBMClassifier"
# Descriptions of the estimators with a capability.
_ABLE = {
    "annealed": f"layered Boltzmann machines ({_MACHINES}, DBN, and estimators that "
    "contain one)",
    "bracket": f"models with a partition function ({_MACHINES}, DBN, covariance "
    "machines, and estimators that contain one)",
    "trace": f"models with Markov chains ({_MACHINES}, DBN, denoising and other "
    "autoencoders, GSN)",
    "visible_fields": f"models whose columns are independent given hidden units that "
    f"chains draw ({_MACHINES}, DBN, denoising and other autoencoders, GSN)",
    "log_prob": f"estimators with score_samples ({_MACHINES}, DBN, VAE, autoregressive "
    "models, or scikit-learn's KernelDensity and GaussianMixture)",
    "free_energy": f"estimators with free_energy ({_MACHINES})",
}


def check_can(capability, estimator, subject):
    """Raise NotFittedError, or TypeError if the estimator lacks the capability."""
    check_is_fitted(estimator)
    if capability not in capabilities_of(estimator):
        raise TypeError(
            f"{subject} is for {_ABLE[capability]}; {type(estimator).__name__} has "
            "none."
        )


def check_names(subject, options, *functions):
    """Raise TypeError unless options of ``subject`` are parameters of the functions."""
    known = {name for f in functions for name in inspect.signature(f).parameters}
    known -= {"estimator", "X", "options"}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise TypeError(
            f"{subject} has no argument {unknown[0]!r}: besides its own, it takes "
            f"those of {functions[0].__name__}, {', '.join(sorted(known))}."
        )


def seed_of(random_state):
    """Draw a seed from a random state; None means the estimator's own seed."""
    if random_state is None:
        return None
    return check_random_state(random_state).randint(MAX_SEED)
