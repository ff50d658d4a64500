"""Classes, attributes and lengths given beside rows, read as numbers.

A table has it as :class:`~skdgm.utils.given.Given`. Where rows are to be drawn, one
value may stand for all of them.
"""

import numpy as np

from skdgm.data.attributes import Known, learned
from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import as_column, codes_of, of_classes, weight_of_classes
from skdgm.utils.counts import WHOLE
from skdgm.utils.given import Given


def refuse_both(options):
    """Raise ValueError for options that ask for classes and for attributes."""
    if options.class_conditional and options.attribute_conditional:
        raise ValueError(
            "class_conditional and attribute_conditional exclude each other: with the "
            "latter, classes are attributes."
        )


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


def attribute_numbers(attributes, y, owner, n_rows):
    """Numbers of the attributes y of rows, or of all; ValueError if the owner depends
    on none."""
    if attributes is None:
        raise ValueError(
            f"{owner} is not conditional: leave out y, or fit with "
            "attribute_conditional=True and y."
        )
    return attributes.of_rows(y, owner, n_rows)


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
    if options.attribute_conditional or not hasattr(options, "class_conditional"):
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


def shares_of(counts):
    """Frequencies of classes, each counted once more; None of no classes."""
    return None if counts is None else (counts + 1) / (counts + 1).sum()


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


def given_lengths(lengths, n_rows=None):
    """Lengths of documents or sequences that a user asks for, in float64; one may stand
    for all rows.

    ValueError if they are not numbers from 0 to 2 ** 53, or not as many as rows.
    """
    found = np.asarray(lengths)
    wrong = found.dtype.kind not in "iuf" or found.ndim > 1
    if wrong or not ((found >= 0) & (found <= WHOLE)).all():
        raise ValueError(
            "lengths must be a number from 0 to 2 ** 53, or one for each; got "
            f"{lengths!r}."
        )
    if n_rows is None:
        return np.atleast_1d(found).astype(np.float64)
    if found.ndim and len(found) != n_rows:
        raise ValueError(f"{len(found)} lengths are given for {n_rows} rows.")
    return np.broadcast_to(found, n_rows).astype(np.float64)
