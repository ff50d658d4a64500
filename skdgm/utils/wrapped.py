"""What estimators that wrap a model share: metadata for its ``fit``, and its seeds."""

from sklearn import get_config
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from skdgm.utils.random import MAX_SEED


def routing_of(owner, model):
    """Routing of metadata from an estimator's ``fit`` to that of its model."""
    mapping = MethodMapping().add(caller="fit", callee="fit")
    return MetadataRouter(owner=owner).add(estimator=model, method_mapping=mapping)


def routed(owner, fit_params):
    """Arguments of the model's ``fit``: with metadata routing, those it requests."""
    if get_config()["enable_metadata_routing"]:
        return process_routing(owner, "fit", **fit_params).estimator.fit
    return fit_params


def seed(model, rng):
    """Set each ``random_state`` of a model that is None, in the order of names."""
    for name, value in sorted(model.get_params().items()):
        if name.rsplit("__")[-1] == "random_state" and value is None:
            model.set_params(**{name: rng.randint(MAX_SEED)})
