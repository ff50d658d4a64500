"""Methods of estimators that options make conditional on classes or attributes.

The classes of several families assign these functions as methods.
"""

import numpy as np
from sklearn.utils.validation import _num_samples, check_is_fitted

from skdgm.base import frames
from skdgm.base.attributes import documented_as
from skdgm.base.frames import filled_in, rows_of
from skdgm.data.attributes import Known, learned
from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import as_column, codes_of, of_classes, weight_of_classes
from skdgm.typing import Any, ArrayOrFrame, Data, Filling, Seed, Target
from skdgm.utils.given import Given


@property
def attribute_types_(self: Any) -> dict:
    """Type of each attribute, by its name or number."""
    check_is_fitted(self)
    attributes = getattr(self, "_attributes_", None)
    if attributes is None:
        raise AttributeError(f"{self._name} is not conditional: it has no types.")
    return attributes.types()


def impute(
    self: Any,
    X: Data,
    y: Target = None,
    *,
    method: Filling = "mean",
    random_state: Seed = None,
) -> ArrayOrFrame:
    """Impute missing entries given the known entries of their row.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN where missing.
    y : object, dict or array-like, default=None
        For conditional models: the class, or the attributes, of all rows or of each
        row. By default unknown; a conditional :class:`~skdgm.Flow` requires y.
    method : {"mean", "sample"}, default="mean"
        "mean" imputes means of ``n_draws`` draws, which are the same at each call;
        "sample" imputes draws.
    random_state : int, RandomState instance or None, default=None
        For "sample".

    Returns
    -------
    X_filled : ndarray of shape (n_samples, n_features)
        Known entries are unchanged. A DataFrame with the index of X if X and the
        training rows are DataFrames.

    Raises
    ------
    ValueError
        ``method`` or a class is unknown, or the model is not conditional.
    """
    condition = condition_argument(self, y, _num_samples(X))
    return filled_in(self, X, self.density_.fill(X, method, random_state, **condition))


@documented_as(
    frames.conditional_sample,
    """
    y : object, dict or array-like, default=None
        For conditional models: the class, or the attributes, of all rows or of each
        row. By default unknown; a conditional :class:`~skdgm.Flow` requires y.
    """,
)
def conditional_sample(
    self: Any,
    X: Data,
    y: Target = None,
    *,
    n_samples: int = 1,
    random_state: Seed = None,
) -> ArrayOrFrame:
    X = rows_of(self, X)
    condition = condition_argument(self, y, _num_samples(X))
    drawn = self.density_.fill(
        X, "sample", random_state, n_samples=n_samples, **condition
    )
    return filled_in(self, X, drawn)


def given_classes(model, rows, y, fresh):
    """Rows with the codes of their classes, and a dict with ``classes_``, which a
    ``fresh`` fit learns.

    ValueError if y is missing, or has values that are not classes or not in
    ``classes_``.
    """
    if y is None:
        raise ValueError(f"{model._name} is conditional: fit needs y.")
    y = as_column(as_values(y, model))
    check_length(y, rows.shape[0])
    # This name avoids an error that suggests the option ``unlabeled``.
    y = of_classes(y, f"y of {model._name}")
    classes = np.unique(y) if fresh else model.classes_
    codes = codes_of(y, classes, ": all must be in the first call of partial_fit")
    return rows._replace(given=Given(codes)), {"classes_": classes}


def given_attributes(model, rows, y, fresh):
    """Rows with the values of their attributes as numbers, and a dict with
    ``_attributes_``, which a ``fresh`` fit learns.

    ValueError if y or some of its values are missing, or it has other attributes or
    unknown classes.
    """
    y = as_values(y, model._name) if y is None else y
    types = model._options.attribute_types
    attributes = learned(y, model._name, types) if fresh else model._attributes_
    numbers = attributes.numbers(y, model._name)
    check_length(numbers, rows.shape[0])
    return rows._replace(given=Given(numbers)), {"_attributes_": attributes}


def rows_with_condition(model, rows, y, fresh):
    """Rows with the classes or attributes that options require, and a dict of
    attributes that a ``fresh`` fit learns."""
    if model._options.attribute_conditional:
        return given_attributes(model, rows, y, fresh)
    if model._options.class_conditional:
        return given_classes(model, rows, y, fresh)
    return rows, {}


def condition_argument(model, y, n_rows):
    """Keyword argument of a density for the classes or attributes y of requested rows;
    empty if y is None. ValueError as by :func:`class_codes`."""
    if y is None:
        return {}
    options = model._options
    if options.attribute_conditional or options.class_conditional is None:
        return {"y": y}
    return {"codes": class_codes(model, y, n_rows)}


def scale_attributes(model, table, fresh):
    """Learn the scale of attributes in a ``fresh`` fit, and update their range."""
    if fresh:
        forget(model, "classes_", "_label_counts")
        model._attributes_ = model._attributes_.fitted(table)
    model._attributes_ = model._attributes_.reached(table)


def count_attributes(model, table, fresh):
    """Learn the scale of attributes in a ``fresh`` fit, update their range, and
    remember the attributes of training rows."""
    scale_attributes(model, table, fresh)
    model._known = Known.of(table, None if fresh else model._known)


def count_classes(model, table, fresh):
    """Add the weights of the classes of a table's rows to the counts of former fits; a
    ``fresh`` fit starts from zero."""
    if fresh:
        forget(model, "_label_counts", "_attributes_", "_known")
        if table.rows.given is None:
            forget(model, "classes_")
    if table.rows.given is not None:
        weights = weight_of_classes(table, len(model.classes_))
        model._label_counts = getattr(model, "_label_counts", 0) + weights


def forget(model, *names):
    """Delete attributes of a former fit, if there are any."""
    for name in names:
        vars(model).pop(name, None)


def class_codes(model, y, n_rows):
    """Codes of requested classes, of shape (n_rows,); None if y is None. A single class
    applies to all rows.

    ValueError if the model is not conditional on classes, a class is unknown, or y has
    another length.
    """
    if y is None:
        return None
    classes = getattr(model, "classes_", None)
    if classes is None:
        reason = "depends on no classes: leave out y."
        if hasattr(model, "class_conditional"):
            reason = "is not conditional: fit with class_conditional=True and y."
            if hasattr(model, "attribute_conditional"):
                reason = reason[:-1] + ", or with attribute_conditional=True."
        raise ValueError(f"{model._name} {reason}")
    values = as_values(y, model)
    values = np.full(n_rows, values) if values.ndim == 0 else as_column(values)
    if len(values) != n_rows:
        raise ValueError(f"y has {len(values)} classes for {n_rows} rows.")
    return codes_of(of_classes(values, f"y of {model._name}"), classes)


def chain_codes(model, y, n_samples, thin):
    """Codes of labels to which chains are clamped, of shape (n_samples,), or (1,) if
    one label applies to all chains.

    ValueError as by :func:`class_codes`; or if there are several labels, but each chain
    gives several rows.
    """
    if np.ndim(y) and thin is not None:
        raise ValueError("thin is for chains, which have one label each: give one y.")
    n_labels = np.size(y)
    if np.ndim(y) and n_labels != n_samples:
        raise ValueError(f"y has {n_labels} labels, but n_samples={n_samples}.")
    return class_codes(model, y, n_labels)
