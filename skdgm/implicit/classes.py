"""Classes that a generator depends on, as codes."""

import numpy as np

from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import as_column, codes_of, of_classes


def learned(model, rows, y, fresh):
    """Rows with the codes of their classes, and a dict of the classes.

    Parameters
    ----------
    model : estimator
    rows : Rows
    y : array-like of shape (n_rows,)
    fresh : bool
        Whether this is the first fit, which decides on the classes.

    Returns
    -------
    rows : Rows
    known : dict
        Of ``classes_``.

    Raises
    ------
    ValueError
        y is missing, or has values that are no classes or new ones.
    """
    if y is None:
        raise ValueError(f"{model._name} is conditional: fit needs y.")
    y = as_column(as_values(y, model))
    check_length(y, rows.shape[0])
    # By this name, no option for rows without a label is suggested: there is none.
    y = of_classes(y, f"y of {model._name}")
    classes = np.unique(y) if fresh else model.classes_
    codes = codes_of(y, classes, ": all must be in the first call of partial_fit")
    return rows._replace(labels=codes), {"classes_": classes}


def asked(model, y, n_rows):
    """Codes of the classes that a user asks rows of.

    Parameters
    ----------
    model : estimator
    y : object or array-like of shape (n_rows,), or None
        One class or one for each row.
    n_rows : int

    Returns
    -------
    codes : ndarray of int, of shape (n_rows,), or None

    Raises
    ------
    ValueError
        The model is not conditional; a class is unknown; or y has another length.
    """
    if y is None:
        return None
    classes = getattr(model, "classes_", None)
    if classes is None and not hasattr(model, "class_conditional"):
        raise ValueError(f"{model._name} depends on no classes: leave out y.")
    if classes is None:
        raise ValueError(
            f"{model._name} is not conditional: fit with class_conditional=True and y."
        )
    y = np.full(n_rows, y) if np.ndim(y) == 0 else as_column(as_values(y, model))
    if len(y) != n_rows:
        raise ValueError(f"y has {len(y)} classes for {n_rows} rows.")
    return codes_of(of_classes(y, f"y of {model._name}"), classes)
