"""Methods of estimators whose rows may be given classes or attributes, by options.

Each class takes those that it has: one function serves all, as one attribute does.
"""

import numpy as np
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base.frames import filled_in, rows_of
from skdgm.data.attributes import Known, learned
from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import as_column, codes_of, of_classes, weight_of_classes
from skdgm.typing import Any, ArrayOrFrame, Data, Filling, Seed, Target
from skdgm.utils.given import Given


@property
def attribute_types_(self: Any) -> dict:
    """Kind of each attribute, by its name or number."""
    check_is_fitted(self)
    found = getattr(self, "_attributes_", None)
    if found is None:
        raise AttributeError(f"{self._name} is not conditional: it has no types.")
    return found.types()


def impute(
    self: Any,
    X: Data,
    y: Target = None,
    *,
    method: Filling = "mean",
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Fill missing entries, given the others of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN where missing.
    y : object, dict or array-like, default=None
        Class, or attributes, of all rows, or of each, of a conditional model. By
        default rows are of any; a conditional :class:`~skdgm.Flow` needs them.
    method : {"mean", "sample"}, default="mean"
        "mean" fills in means of ``n_draws`` draws, the same at each call; "sample"
        fills in draws.
    random_state : int, RandomState instance or None, default=None
        For "sample".

    Returns
    -------
    X_filled : ndarray of shape (n_samples, n_features)
        Known entries are unchanged. A DataFrame with its index if X and what the
        model was fitted to are such.

    Raises
    ------
    ValueError
        ``method`` or a class is unknown, or the model is not conditional.
    """
    told = asked_by_option(self, y, _num_samples(X))
    return filled_in(self, X, self.density_.fill(X, method, random_state, **told))


def conditional_sample(
    self: Any,
    X: Data,
    y: Target = None,
    *,
    n_samples: int = 1,
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Draw missing entries several times, given the others of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix, dict} of shape (n_rows, n_features)
        NaN where missing; or a dict of values by name of column, or of lists of these,
        where ``fit`` was given a DataFrame: other columns are missing.
    y : object, dict or array-like, default=None
        Class, or attributes, of all rows, or of each, of a conditional model. By
        default rows are of any; a conditional :class:`~skdgm.Flow` needs them.
    n_samples : int, default=1
        Draws for each row.
    random_state : int, RandomState instance or None, default=None
        By default NumPy's global generator: other rows at each call.

    Returns
    -------
    X_drawn : ndarray of shape (n_rows * n_samples, n_features)
        All draws for the first row come first. A DataFrame with its index, each
        label ``n_samples`` times, if X and what the model was fitted to are such;
        with ``column_types="mixed"`` also if X is an array.
    """
    X = rows_of(self, X)
    told = asked_by_option(self, y, _num_samples(X))
    drawn = self.density_.fill(X, "sample", random_state, n_samples=n_samples, **told)
    return filled_in(self, X, drawn)


def given_classes(model, rows, y, fresh):
    """Rows with the codes of their classes, of which none is unknown, and a dict of the
    ``classes_``, on which a ``fresh`` fit decides.

    ValueError if y is missing, or has values that are no classes or new ones.
    """
    if y is None:
        raise ValueError(f"{model._name} is conditional: fit needs y.")
    y = as_column(as_values(y, model))
    check_length(y, rows.shape[0])
    # By this name, no option for rows without a label is suggested: there is none.
    y = of_classes(y, f"y of {model._name}")
    classes = np.unique(y) if fresh else model.classes_
    codes = codes_of(y, classes, ": all must be in the first call of partial_fit")
    return rows._replace(given=Given(codes)), {"classes_": classes}


def given_attributes(model, rows, y, fresh):
    """Rows with the numbers of their attributes, and a dict of ``_attributes_``, what
    these are, on which a ``fresh`` fit decides.

    ValueError if y is missing, or has missing values, other attributes or unknown
    classes.
    """
    y = as_values(y, model._name) if y is None else y
    attributes = None if fresh else model._attributes_
    if fresh:
        attributes = learned(y, model._name, model._options.attribute_types)
    numbers = attributes.numbers(y, model._name)
    check_length(numbers, rows.shape[0])
    return rows._replace(given=Given(numbers)), {"_attributes_": attributes}


def given_by_option(model, rows, y, fresh):
    """Rows with their classes or attributes, if options of a model ask for these, and a
    dict of what a ``fresh`` fit decides on."""
    if model._options.attribute_conditional:
        return given_attributes(model, rows, y, fresh)
    if model._options.class_conditional:
        return given_classes(model, rows, y, fresh)
    return rows, {}


def asked_by_option(model, y, n_rows):
    """Classes or attributes of rows, or of all, that a user of such a model asks for,
    as an argument of its density; ValueError as of :func:`class_codes`."""
    if y is None:
        return {}
    options = model._options
    if options.attribute_conditional or options.class_conditional is None:
        return {"y": y}
    return {"codes": class_codes(model, y, n_rows)}


def scale_attributes(model, table, fresh):
    """Standardise the attributes that a model has learned of, in a ``fresh`` fit, and
    learn their range."""
    if fresh:
        forget(model, "classes_", "_label_counts")
        model._attributes_ = model._attributes_.fitted(table)
    model._attributes_ = model._attributes_.reached(table)


def count_attributes(model, table, fresh):
    """Standardise the attributes that a model has learned of, in a ``fresh`` fit, and
    remember those of the rows."""
    scale_attributes(model, table, fresh)
    model._known = Known.of(table, None if fresh else model._known)


def count_classes(model, table, fresh):
    """Count the classes of a table's rows, if the model depends on them, in addition to
    those of former fits unless ``fresh``."""
    if fresh:
        forget(model, "_label_counts", "_attributes_", "_known")
        if table.rows.given is None:
            forget(model, "classes_")
    if table.rows.given is not None:
        found = weight_of_classes(table, len(model.classes_))
        model._label_counts = getattr(model, "_label_counts", 0) + found


def forget(model, *names):
    """Delete attributes of a former fit, if there are any."""
    for name in names:
        vars(model).pop(name, None)


def class_codes(model, y, n_rows):
    """Codes of the classes that a user asks for, of shape (n_rows,), or None if y is;
    one may stand for all.

    ValueError if the model depends on no classes, one is unknown, or y has another
    length.
    """
    if y is None:
        return None
    classes = getattr(model, "classes_", None)
    if classes is None:
        why = "depends on no classes: leave out y."
        if hasattr(model, "class_conditional"):
            why = "is not conditional: fit with class_conditional=True and y."
            if hasattr(model, "attribute_conditional"):
                why = why[:-1] + ", or with attribute_conditional=True."
        raise ValueError(f"{model._name} {why}")
    values = as_values(y, model)
    values = np.full(n_rows, values) if values.ndim == 0 else as_column(values)
    if len(values) != n_rows:
        raise ValueError(f"y has {len(values)} classes for {n_rows} rows.")
    return codes_of(of_classes(values, f"y of {model._name}"), classes)


def chain_codes(model, y, n_samples, thin):
    """Codes of labels to which chains are clamped: of shape (n_samples,), or (1,) where
    one stands for all.

    ValueError as of :func:`class_codes`, or if there are labels for each row of chains
    that give several.
    """
    if np.ndim(y) and thin is not None:
        raise ValueError("thin is for chains, which have one label each: give one y.")
    n_labels = np.size(y)
    if np.ndim(y) and n_labels != n_samples:
        raise ValueError(f"y has {n_labels} labels, but n_samples={n_samples}.")
    return class_codes(model, y, n_labels)
