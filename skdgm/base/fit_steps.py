"""Steps of the fit of an estimator, for fits that distribute its rows.

A distributed fit reads rows in parts, each of which updates the statistics of the
columns, trains states outside the estimator, and sets the result.
"""

from copy import copy

from skdgm.base import fits
from skdgm.base.attributes import shallow
from skdgm.base.parts import attributes_of, options_of
from skdgm.base.series import Series
from skdgm.data.inputs import tabulate


def current_options_of(estimator):
    """Options that the next fit of an estimator will use, a namespace."""
    return estimator._current_options()


def is_of_series(estimator):
    """Return whether an estimator learns from sequences of rows."""
    options = vars(current_options_of(estimator))
    return "sequence_length" in options or bool(options.get("n_lags"))


def has_one_objective(estimator):
    """Return whether a single objective trains all parameters of an estimator."""
    return hasattr(type(estimator), "_objective") and estimator._ONE_OBJECTIVE


def take_options(estimator):
    """Make the present options of an estimator those of its fit."""
    estimator._fit_options = current_options_of(estimator)


def choose_batch_size(estimator, table):
    """Choose the batch size by the rows of a table, of which only the number counts,
    if the estimator has batch_size="auto"."""
    options = own_options(estimator)
    options.batch_size = current_options_of(estimator).batch_size
    fits.choose_batch_size(estimator, table)


def own_options(estimator):
    """Copy the options of the last fit, so that changes do not affect copies of the
    estimator; returns the new namespace."""
    estimator._fit_options = copy(options_of(estimator))
    return estimator._fit_options


def check_options(estimator, fresh):
    """Take the present options; ValueError if they are invalid, or if a fit that is not
    ``fresh`` cannot continue with them."""
    take_options(estimator)
    estimator._check_options()
    if not fresh:
        estimator._check_unchanged()


def begin(estimator, X, y, weight, fresh, classes=None):
    """Begin a fit: validate the arguments, and set the attributes that precede
    training; returns the training table."""
    return estimator._begin(X, y, weight, fresh, classes)


def begin_with_targets(estimator, learned, table, seed):
    """Begin a fresh fit with the attributes ``learned`` from targets; ``table`` has the
    rows with a target."""
    estimator._seed = seed
    vars(estimator).update(learned | estimator._initial_attributes())
    estimator._count(table, True)


def labels_of(estimator, rows, y, fresh):
    """Rows with their labels, and a dict of attributes learned from the labels."""
    return estimator._label(rows, y, fresh, None)


def table_of(estimator, X, y, weight, dtype=None, *, reset=False, listed=True):
    """Table of rows in the units of the data. With ``reset``, the options determine the
    types of columns; without ``listed``, rows are not stored as lists."""
    series = None
    if isinstance(X, Series):
        X, _, weight, series = estimator._in_order(X, weight, False)
    rows = estimator._rows(X, dtype=dtype, reset=reset, fitting=True)
    rows, _ = estimator._label(rows, y, False, series)
    return tabulate(rows, weight, in_memory=listed and estimator._STORES_LISTS)


def learn_columns(estimator, table):
    """Statistics of the columns updated by a further table, or None if components have
    them; and the table in the units of the model."""
    return estimator._learn_columns(table, False)


def read_further(estimator, table):
    """Update the statistics of columns and labels by a further table, which is returned
    in the units of the model."""
    columns, table = learn_columns(estimator, table)
    if columns is not None:
        estimator._columns = columns
    estimator._count(table, False)
    return table


def by_sequence(estimator, X, table, weight):
    """Table of sequences, given a table of their rows, if X is a Series."""
    if not isinstance(X, Series):
        return table
    return estimator._by_sequence(table, X.lengths, weight, False)


def scale_reach(estimator, factor):
    """Multiply the reach of columns, which training uses as the size of outliers."""
    columns = vars(estimator).get("_columns")
    if hasattr(columns, "reach"):
        estimator._columns = columns._replace(reach=columns.reach * factor)


def take_format(estimator, component):
    """Let an estimator take over names, types and dtypes of the columns from a fitted
    component, which draws arrays from then on."""
    for name in (
        "n_features_in_",
        "feature_names_in_",
        "_frame_format",
        "_inferred_types",
    ):
        if name in vars(component):
            setattr(estimator, name, vars(component)[name])
    component._frame_format = None


def n_epochs_of(estimator, table):
    """Number of epochs of a fit to a table, of which only the size counts."""
    return estimator._n_epochs(table)


def objective_of(estimator, table):
    """Objective of an estimator's epochs on a table."""
    return estimator._objective(table, estimator.n_iter_)


def with_seed(estimator, seed):
    """Shallow copy of an estimator with another seed of training."""
    other = copy(estimator)
    other._seed = seed
    return other


def report_end(estimator, learned, n_epochs, watch):
    """Raise an error or warn if training failed, as ``fit`` does."""
    estimator._report(learned, n_epochs, watch)


def report_outcome(estimator, outcome, n_epochs):
    """Raise an error or warn if training diverged or was interrupted."""
    fits.report(outcome, n_epochs, estimator._name, estimator._remedy())


def set_outcome(estimator, begun, outcome):
    """Set the fitted attributes of an outcome of training; ``begun`` is a copy of the
    estimator with the attributes from before training."""
    new = shallow(begun)
    for name in estimator._TRANSIENT:
        vars(new).pop(name, None)
    vars(new).update(estimator.get_params(deep=False))
    vars(new).update(attributes_of(new, outcome.state))
    # Delete results that depend on former parameters.
    for name in vars(estimator).keys() - vars(new).keys():
        delattr(estimator, name)
    new.n_iter_ += len(outcome.losses)
    new.loss_curve_ = begun.loss_curve_ + outcome.losses
    new.validation_curve_ = begun.validation_curve_ + outcome.validation
    new._ended = "stopped" if outcome.ended == "stopped" else "complete"
    vars(estimator).update(vars(new))
