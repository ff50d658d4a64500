"""Functions through which a model reads its component estimators."""

from copy import copy
from types import SimpleNamespace

from skdgm.base.groups import assign


def name_of(estimator):
    """Name of an estimator in messages."""
    return estimator._name


def seed_of(estimator):
    """Seed of the fit of an estimator."""
    return estimator._seed


def domain_of(estimator):
    """Type of the columns of an estimator."""
    return estimator._domain


def columns_of(estimator):
    """Statistics of the columns of a fitted estimator."""
    return estimator._columns


def dtype_of(estimator):
    """Floating-point type of the parameters of an estimator."""
    return estimator._dtype


def budget_of(estimator):
    """The :class:`~skdgm.training.Budget` of epochs of an estimator."""
    return estimator._BUDGET


def updates_of(stack):
    """Sufficient number of updates of each layer of a stack, for small tables."""
    return stack._UPDATES


def stores_lists(estimator):
    """Return whether an estimator stores rows of bits as lists of ones."""
    return estimator._STORES_LISTS


def in_units_of(estimator, table):
    """Table in the units of the model of a fitted estimator."""
    rows = estimator._domain.in_units(table.rows, estimator._columns)
    return table._replace(rows=rows)


def check_parameters(estimator):
    """Raise ValueError for invalid parameters or options."""
    estimator._validate_params()
    estimator._check_options()


def was_interrupted(estimator):
    """Return whether the last fit of an estimator was interrupted."""
    return estimator._ended == "interrupted"


def options_of(estimator):
    """Options of the last fit of an estimator; before the first fit, its present
    options."""
    return estimator._options


def model_of(estimator):
    """The :class:`~skdgm.base.Model` of the family of an estimator."""
    return estimator._MODEL


def facts_of(estimator, structure=None):
    """The :class:`~skdgm.base.Facts` of an estimator, with the learned structure, if
    any, or another one."""
    if structure is None:
        structure = vars(estimator).get("_learned")
    return estimator._facts(structure)


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


def set_role(
    component,
    *,
    title=None,
    reading=None,
    names=None,
    begins_a_net=None,
    initial=None,
    n_updates=None,
):
    """Set the role of an unfitted component estimator; None changes nothing.

    ``title`` is its name in messages, ``reading`` the types of columns that the whole
    estimator read, ``names`` those of the columns. ``begins_a_net`` tells whether its
    parameters only initialize a net. ``initial`` are its initial parameters, and
    ``n_updates`` is a sufficient number of updates of each layer of a stack.
    """
    role = {"_title": title, "_inferred_types": reading or None, "_names": names}
    role |= {"_initializes_net": begins_a_net, "_given": initial}
    role["_UPDATES"] = n_updates
    vars(component).update({k: v for k, v in role.items() if v is not None})


def begins_a_net(estimator):
    """Return whether the parameters of an estimator only initialize a net."""
    return estimator._initializes_net


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
    attributes |= {"_fit_options": SimpleNamespace(**changed), "_frame_format": None}
    attributes["n_features_in_"] = n_features
    if columns is not None:
        attributes["_columns"] = columns
    for name in ("_learned", "feature_names_in_"):
        attributes.pop(name, None)
    return other
