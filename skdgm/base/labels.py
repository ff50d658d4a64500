"""Labels, and the mark of rows that have none, among the values of y."""

from collections.abc import Hashable
from numbers import Real

import numpy as np
from sklearn.utils import assert_all_finite

from skdgm.base.targets import is_missing, missing


def marked(values, mark):
    """Which values are the mark of rows without a label, as a boolean array.

    Parameters
    ----------
    values : ndarray
    mark : object
        None if no row is without. Where it is missing itself (NaN, NA, NaT), all
        values that are, in any of these ways, are marks.

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
    found = [_equal(value, mark) for value in values.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(values.shape)


def of_one_kind(values, name="y"):
    """Labels as an array of numbers, text or dates, none of them missing or infinite.

    Raises
    ------
    ValueError
        They are of several kinds, or of another one; or some are missing.
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
    """Whether a value is the mark, and of its type: True is not 1."""
    if is_missing(value) or _is_bool(value) != _is_bool(mark):
        return False
    equal = value == mark
    return _is_bool(equal) and bool(equal)


def _is_bool(value):
    return isinstance(value, bool | np.bool_)
