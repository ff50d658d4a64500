"""Access to wrapped models: density, capabilities and seeds."""

from inspect import signature
from typing import Any

from skdgm.utils.random import MAX_SEED


def density_of(estimator):
    """Density of a fitted estimator; None if it has no ``density_``."""
    return getattr(estimator, "density_", None)


def capabilities_of(estimator):
    """Capabilities of a fitted estimator; see :attr:`skdgm.base.Density.capabilities`.

    For an estimator without ``density_`` they follow from its methods: scores are exact
    unless it has a ``density_kind_``.
    """
    density = density_of(estimator)
    if density is not None:
        return density.capabilities
    result = {}
    if hasattr(estimator, "score_samples"):
        kind = getattr(estimator, "density_kind_", "exact")
        result["log_prob"] = dict.fromkeys(("complete", "missing"), kind)
    if hasattr(estimator, "sample"):
        names = {"unconditional", *signature(estimator.sample).parameters}
        result["sample"] = dict.fromkeys(
            names & {"unconditional", "conditions"}, "estimate"
        )
    return result


def has_mass(estimator, X):
    """Boolean array, True for entries of X that have a probability rather than a
    density under a fitted estimator; it broadcasts to the shape of X. None if the types
    of columns are unknown."""
    if hasattr(estimator, "__skdgm_has_mass__"):
        return estimator.__skdgm_has_mass__(X)
    density: Any = density_of(estimator)
    domain_has_mass = getattr(getattr(density, "domain", None), "has_mass", None)
    return domain_has_mass and domain_has_mass(density.columns, density.read(X))


def drawn_by(model, X, rng):
    """X with missing entries drawn by a fitted estimator, with a random stream for each
    row, or with one seed if the estimator has no ``density_``."""
    random_state = rng if density_of(model) is not None else rng.root % MAX_SEED
    return model.impute(X, method="sample", random_state=random_state)


def seed(model, rng):
    """Set each ``random_state`` of a model that is None, in the order of names."""
    for name, value in sorted(model.get_params().items()):
        if name.rsplit("__")[-1] == "random_state" and value is None:
            model.set_params(**{name: rng.randint(MAX_SEED)})
