"""Every public estimator, in the shapes in which the common tests meet it."""

import skdgm
from skdgm import BernoulliRBM

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
]

ESTIMATORS = [
    getattr(skdgm, name)
    for name in skdgm.__all__
    if isinstance(getattr(skdgm, name), type)
]


def name_of(instance):
    """A short name for a test."""
    return f"{type(instance).__name__}-{INSTANCES.index(instance)}"
