"""What users give beside rows, read as numbers: classes, and lengths.

A table has it as :class:`~skdgm.utils.given.Given`. Where rows are to be drawn, one
value may stand for all of them.
"""

import numpy as np

from skdgm.data.inputs import as_values, check_length
from skdgm.data.labels import as_column, codes_of, of_classes
from skdgm.utils.counts import WHOLE
from skdgm.utils.given import Given


def given_classes(model, rows, y, fresh):
    """Rows with the codes of their classes, of which none is unknown, and a dict of the
    classes.

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
    return rows._replace(given=Given(codes)), {"classes_": classes}


def class_codes(model, y, n_rows):
    """Codes of the classes of rows that a user asks for.

    Parameters
    ----------
    model : estimator
        Fitted, with ``classes_``.
    y : object or array-like of shape (n_rows,)
        One class or one for each row.
    n_rows : int

    Returns
    -------
    codes : ndarray of int, of shape (n_rows,)

    Raises
    ------
    ValueError
        A class is unknown, or y has another length.
    """
    values = as_values(y, model)
    values = np.full(n_rows, values) if values.ndim == 0 else as_column(values)
    if len(values) != n_rows:
        raise ValueError(f"y has {len(values)} classes for {n_rows} rows.")
    return codes_of(of_classes(values, f"y of {model._name}"), model.classes_)


def given_lengths(lengths, n_rows=None):
    """Lengths of documents or sequences that a user asks for.

    Parameters
    ----------
    lengths : float or array-like of shape (n_lengths,)
    n_rows : int, optional
        Number of lengths; one stands for all.

    Returns
    -------
    lengths : ndarray of shape (n_lengths,), float64

    Raises
    ------
    ValueError
        They are not numbers from 0 to 2 ** 53, or not as many as rows.
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
