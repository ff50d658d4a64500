"""Functions through which a model reads its component estimators."""

from copy import copy
from types import SimpleNamespace

from skdgm.base.groups import assign


def options_of(estimator):
    """Options of the last fit of an estimator; before the first fit, its present
    options."""
    return estimator._options


def model_of(estimator):
    """The :class:`~skdgm.base.Model` of the family of an estimator."""
    return estimator._MODEL


def facts_of(estimator):
    """The :class:`~skdgm.base.Facts` of an estimator whose columns are known, with the
    learned structure, if any."""
    return estimator._facts(vars(estimator).get("_learned"))


def state_of(estimator):
    """Training state of a fitted estimator."""
    return estimator._state()


def attributes_of(estimator, state):
    """Fitted attributes of a training state of an estimator, a dict by name."""
    return estimator._attributes(state)


def set_state(estimator, state):
    """Set the fitted attributes of a training state, and discard results of other
    states."""
    attributes = attributes_of(estimator, state)
    estimator._forget()
    vars(estimator).update(attributes)


def with_state(estimator, state):
    """Copy of a fitted estimator with another training state."""
    other = copy(estimator)
    set_state(other, state)
    return other


def altered(estimator, n_features, columns=None, **options):
    """Copy of a fitted estimator with other options, for rows with ``n_features``
    unnamed columns, and other statistics of columns if given."""
    other, changed = copy(estimator), vars(options_of(estimator)) | options
    assign(other, **options)
    attributes = vars(other)
    attributes |= {"_asked": SimpleNamespace(**changed), "_form": None}
    attributes["n_features_in_"] = n_features
    if columns is not None:
        attributes["_columns"] = columns
    for name in ("_learned", "feature_names_in_"):
        attributes.pop(name, None)
    return other
