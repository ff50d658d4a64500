"""What is asked of a wrapped model: its density, what that can do, and its seeds."""

from inspect import signature

from skdgm.utils.random import MAX_SEED


def density_of(estimator):
    """Density of a fitted estimator; None if it does not tell its density."""
    return getattr(estimator, "density_", None)


def capabilities_of(estimator):
    """What a fitted estimator of a density can do, with which argument, and how well,
    as :attr:`skdgm.base.Density.capabilities`. One without ``density_`` is asked for
    its methods: scores are exact unless it has a ``density_kind_``."""
    density = density_of(estimator)
    if density is not None:
        return density.capabilities
    found = {}
    if hasattr(estimator, "score_samples"):
        kind = getattr(estimator, "density_kind_", "exact")
        found["log_prob"] = dict.fromkeys(("complete", "missing"), kind)
    if hasattr(estimator, "sample"):
        names = {"nothing", *signature(estimator.sample).parameters}
        found["sample"] = dict.fromkeys(names & {"nothing", "conditions"}, "estimate")
    return found


def has_mass(estimator, X):
    """Boolean array, True for entries of X that have a probability under a fitted
    estimator, and not a density; broadcasts to the shape of X. None if it does not tell
    the kinds of its columns."""
    if hasattr(estimator, "_has_mass"):
        return estimator._has_mass(X)
    density = density_of(estimator)
    tell = getattr(getattr(density, "domain", None), "has_mass", None)
    return tell and tell(density.columns, density.read(X))


def drawn_by(model, X, rng):
    """X with missing entries drawn by a fitted estimator, by a stream of random numbers
    for each row; by one seed of all if it does not tell its density."""
    own = rng if density_of(model) is not None else rng.root % MAX_SEED
    return model.impute(X, method="sample", random_state=own)


def seed(model, rng):
    """Set each ``random_state`` of a model that is None, in the order of names."""
    for name, value in sorted(model.get_params().items()):
        if name.rsplit("__")[-1] == "random_state" and value is None:
            model.set_params(**{name: rng.randint(MAX_SEED)})
