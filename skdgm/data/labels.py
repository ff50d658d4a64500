"""Labels of classes: validation, the marker of unlabeled rows, and codes.

The code of a label is its index among the sorted classes.
"""

from collections.abc import Hashable
from numbers import Real

import numpy as np
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skdgm.data.inputs import as_values, is_missing, missing
from skdgm.exceptions import LabelWarning
from skdgm.utils.threading.callers import warn

# Code of rows without a label.
UNKNOWN = -1


def marked(values, mark):
    """Mask of the entries of ``values`` that equal the marker of unlabeled rows.

    A marker of None marks nothing; a missing one (NaN, NA, NaT) marks missing values of
    all types. ValueError if it is not a single value.
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
        # Numbers other than booleans are compared at once.
        is_equal = np.zeros(values.shape, bool) if _is_bool(mark) else values == mark
        return np.asarray(is_equal)
    flags = [_equal(value, mark) for value in values.ravel().tolist()]
    return np.array(flags, dtype=bool).reshape(values.shape)


def of_one_kind(values, name="y"):
    """Labels as numbers, text or dates; ValueError, which calls them ``name``, for
    several types, invalid types, and missing or infinite values."""
    if values.dtype.kind == "O":
        entries = values.ravel().tolist()
        kinds = {type(value) for value in entries if not is_missing(value)}
        numbers = all(issubclass(kind, Real | np.bool_) for kind in kinds)
        if len(kinds) > 1 and not numbers and not _are(kinds, str):
            names = ", ".join(sorted({type(value).__name__ for value in entries}))
            raise ValueError(
                f"{name} has labels of several kinds: {names}. Where rows have no "
                "label, let y be a value of its own, such as -1, and set unlabeled to "
                "it."
            )
        if numbers and not any(map(is_missing, entries)):
            values = np.array(entries).reshape(values.shape)
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
    """Return whether a value equals the marker; True and 1 are different."""
    if is_missing(value) or _is_bool(value) != _is_bool(mark):
        return False
    equal = value == mark
    return _is_bool(equal) and bool(equal)


def _is_bool(value):
    return isinstance(value, bool | np.bool_)


def as_column(values):
    """Labels of shape (n_rows,), given shape (n_rows,) or (n_rows, 1); ValueError if
    there are several columns."""
    if values.ndim == 2 and values.shape[1] == 1:
        return column_or_1d(values, warn=True)
    if values.ndim != 1:
        raise ValueError(
            "y should be a 1d array, of one label for each row; got an array of shape "
            f"{values.shape}. The labels of one-hot rows are y.argmax(axis=1)."
        )
    return values


def of_classes(values, name="y"):
    """Validate labels, which must have a single type and be discrete."""
    labels = of_one_kind(values, name)
    if labels.size:
        try:
            check_classification_targets(labels)
        except ValueError as error:
            raise ValueError(f"{name} has no classes: {error}") from error
    return labels


def sorted_classes(classes, owner):
    """Sorted classes that a user declares; ValueError if they are not one-dimensional,
    or contain the owner's marker of unlabeled rows."""
    classes = as_values(classes, owner, "classes")
    if classes.ndim != 1:
        raise ValueError(
            f"classes should be a 1d array, got an array of shape {classes.shape}."
        )
    if marked(classes, owner.unlabeled).any():
        raise ValueError(
            f"classes has {owner.unlabeled!r}, which is not a label, but the "
            "marker of unlabeled rows (unlabeled): leave it out."
        )
    return np.unique(of_classes(classes, "classes"))


def check_several(classes, owner, name):
    """Raise ValueError unless there are at least two classes."""
    if len(classes) < 2:
        raise ValueError(
            f"{type(owner).__name__} needs labels of at least two classes, but "
            f"{name} has {'one class only' if len(classes) else 'no label at all'}."
        )


def warn_of_mark(classes, owner):
    """Warn if one of the sorted classes looks like a marker of unlabeled rows other
    than the owner's ``unlabeled``."""
    mark = owner.unlabeled
    if classes.dtype.kind == "u" and isinstance(mark, Real) and mark < 0:
        warn(
            f"y is of the type {classes.dtype}, which cannot hold unlabeled="
            f"{mark}: no row is unlabeled, and marks written to such an array are "
            "large labels now. Convert y by y.astype(int) before marking rows.",
            LabelWarning,
        )
    # -1 and 1 are often two classes.
    if classes.dtype.kind != "i" or classes[0] != -1 or classes.tolist() == [-1, 1]:
        return
    warn(
        f"y has the label -1 and labels of at least 0, and unlabeled="
        f"{mark!r}: {type(owner).__name__} treats -1 as a class. If it "
        "marks unlabeled rows, set unlabeled=-1.",
        LabelWarning,
    )


def codes_of(y, classes, hint=""):
    """Indices of labels among the sorted classes, of shape (n_rows,).

    ValueError, whose message ends in ``hint``, for a label that is not a class.
    """
    index, is_known = np.zeros(len(y), dtype=int), np.zeros(len(y), dtype=bool)
    # NumPy would convert numbers to text to compare them with text.
    if kind_of(y) == kind_of(classes):
        index = np.searchsorted(classes, y).clip(max=len(classes) - 1)
        is_known = classes[index] == y
    if not is_known.all():
        unknown = np.unique(y[~is_known]).tolist()
        raise ValueError(
            f"y has labels {unknown} that are not among the classes "
            f"{classes.tolist()}{hint}."
        )
    return index


def kind_of(values):
    """Type of labels: text, dates, durations or numbers."""
    kind = values.dtype.kind
    return kind if kind in "mM" else "text" if kind in "OU" else "number"


def weight_of_classes(table, n_classes):
    """Total weight of the rows with each label, of shape (n_classes,), float64."""
    labels = table.rows.accompanying(table.index)
    labeled = labels != UNKNOWN
    return np.bincount(labels[labeled], table.weight[labeled], minlength=n_classes)
