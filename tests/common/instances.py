"""Every public estimator, in the shapes in which the common tests meet it."""

import skdgm
from skdgm import BernoulliRBM, GaussianRBM, RBMClassifier

INSTANCES = [
    BernoulliRBM(n_components=6, n_iter=4, random_state=0),
    BernoulliRBM(
        n_components=24,
        n_iter=4,
        gradient="cd",
        n_steps=(1, 2),
        momentum=0.5,
        schedule="invscaling",
        l1=1e-4,
        l2=1e-4,
        resample=True,
        early_stopping=True,
        validation_fraction=0.3,
        random_state=0,
    ),
    BernoulliRBM(
        n_components=5,
        n_iter=3,
        n_chains=7,
        n_steps=2,
        init="zeros",
        schedule="constant",
        resample=True,
        random_state=0,
    ),
    BernoulliRBM(
        n_components=7,
        n_iter=4,
        gradient="fpcd",
        fast_learning_rate=0.05,
        centering="moving",
        max_norm=1.5,
        momentum=(0.3, 0.6),
        n_chains=None,
        random_state=0,
    ),
    BernoulliRBM(
        n_components=6,
        n_iter=4,
        gradient="tempering",
        n_chains=9,
        n_temperatures=4,
        centering="data",
        solver="adam",
        learning_rate=0.02,
        momentum=0.9,
        sparsity_target=0.2,
        random_state=0,
    ),
    GaussianRBM(n_components=6, n_iter=4, precision="fixed", random_state=0),
    GaussianRBM(
        n_components=12,
        n_iter=4,
        gradient="cd",
        n_steps=(1, 2),
        solver="adam",
        learning_rate=0.003,
        momentum=0.9,
        sparsity_target=0.2,
        l1=1e-4,
        early_stopping=True,
        validation_fraction=0.3,
        random_state=0,
    ),
    GaussianRBM(
        n_components=5,
        n_iter=4,
        precision="scalar",
        quadratic=True,
        learning_rate=0.05,
        gradient="tempering",
        n_chains=7,
        n_temperatures=3,
        centering="moving",
        momentum=0.5,
        max_norm=2.0,
        schedule="constant",
        random_state=0,
    ),
    RBMClassifier(n_components=6, n_iter=4, alpha=0.1, random_state=0),
    RBMClassifier(
        n_components=12,
        n_iter=6,
        learning_rate=0.03,
        visible="gaussian",
        objective="discriminative",
        centering="data",
        sparsity_target=0.3,
        early_stopping=True,
        n_iter_no_change=6,
        validation_fraction=0.3,
        random_state=0,
    ),
    RBMClassifier(
        n_components=6,
        n_iter=4,
        objective="generative",
        unlabeled=-9,
        gradient="tempering",
        n_chains=9,
        n_temperatures=3,
        centering="start",
        solver="sgd",
        learning_rate=0.1,
        resample=True,
        random_state=0,
    ),
    RBMClassifier(
        n_components=8,
        n_iter=6,
        learning_rate=0.03,
        visible="gaussian",
        alpha=0.3,
        quadratic=True,
        gradient="fpcd",
        fast_learning_rate=0.01,
        schedule="constant",
        random_state=0,
    ),
]

ESTIMATORS = [
    getattr(skdgm, name)
    for name in skdgm.__all__
    if isinstance(getattr(skdgm, name), type)
]


def name_of(instance):
    """A short name for a test."""
    return f"{type(instance).__name__}-{INSTANCES.index(instance)}"
