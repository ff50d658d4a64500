"""Validation of labels, and the mark of unlabelled rows among them."""

from collections.abc import Hashable
from numbers import Real

import numpy as np
from sklearn.utils import assert_all_finite

from skdgm.data.targets import is_missing, missing


def marked(values, mark):
    """Boolean array, True for values that mark rows without a label.

    Parameters
    ----------
    values : ndarray
    mark : object
        None if all rows have labels. If the mark is a missing value (NaN, NA, NaT),
        missing values of all kinds are marks.

    Returns
    -------
    found : ndarray of bool, of the shape of ``values``

    Raises
    ------
    ValueError
        The mark is not a single value.
    """
    if mark is None:
        return np.zeros(values.shape, dtype=bool)
    if not isinstance(mark, Hashable) or np.ndim(mark):
        raise ValueError(
            "unlabeled must be one value, which y has where a row has no label; got "
            f"{mark!r}."
        )
    if is_missing(mark):
        return missing(values)
    if isinstance(mark, np.generic):
        mark = mark.item()
    if values.dtype.kind in "iuf" and isinstance(mark, int | float):
        # What is no bool is compared at once.
        same = np.zeros(values.shape, bool) if _is_bool(mark) else values == mark
        return np.asarray(same)
    found = [_equal(value, mark) for value in values.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(values.shape)


def of_one_kind(values, name="y"):
    """Validate labels: numbers, text or dates, of one kind, none missing or infinite.

    Parameters
    ----------
    values : ndarray
    name : str, default="y"
        Name of the labels in error messages.

    Returns
    -------
    labels : ndarray of the same shape
        Numbers in an array of objects are converted to a type of numbers.

    Raises
    ------
    ValueError
        Labels are of several kinds or of an invalid type, missing or infinite.
    """
    if values.dtype.kind == "O":
        given = values.ravel().tolist()
        kinds = {type(value) for value in given if not is_missing(value)}
        numbers = all(issubclass(kind, Real | np.bool_) for kind in kinds)
        if len(kinds) > 1 and not numbers and not _are(kinds, str):
            names = ", ".join(sorted({type(value).__name__ for value in given}))
            raise ValueError(
                f"{name} has labels of several kinds: {names}. Where rows have no "
                "label, let y be a value of its own, such as -1, and set unlabeled to "
                "it."
            )
        if numbers and not any(map(is_missing, given)):
            values = np.array(given).reshape(values.shape)
    n_missing = np.count_nonzero(missing(values))
    if n_missing:
        hint = "set unlabeled=np.nan if rows where it has one are without a label"
        raise ValueError(
            f"{name} has {n_missing} missing values (NaN, NA or None): "
            f"{hint if name == 'y' else 'leave them out'}."
        )
    if values.dtype.kind not in "biufUmM" and not _are(map(type, values.flat), str):
        kind = values.dtype.name
        kind = type(values.flat[0]).__name__ if kind == "object" else kind
        raise ValueError(
            f"{name} has labels of the type {kind}, which cannot be classes: make text "
            "or whole numbers, of 64 bits at most, of them."
        )
    if values.dtype.kind == "f":
        assert_all_finite(values, input_name=name)
    return values


def _are(types, kind):
    return all(issubclass(each, kind) for each in types)


def _equal(value, mark):
    """Return whether a value equals the mark, taking True and 1 as different."""
    if is_missing(value) or _is_bool(value) != _is_bool(mark):
        return False
    equal = value == mark
    return _is_bool(equal) and bool(equal)


def _is_bool(value):
    return isinstance(value, bool | np.bool_)
