"""Attributes of rows (classes, styles, transformations) as inputs of a net.

A categorical attribute has an input for each of its classes (one-hot), a real attribute
a single input.
"""

from typing import NamedTuple

import numpy as np

from skdgm.data.columns import standards
from skdgm.data.foreign import as_pandas, is_foreign
from skdgm.data.inputs import as_numbers, as_values, check_length
from skdgm.data.kinds import ColumnType
from skdgm.data.labels import codes_of, of_classes
from skdgm.data.reach import read_within
from skdgm.data.scales import tail
from skdgm.exceptions import DataRangeWarning
from skdgm.training import column_sums
from skdgm.utils.domains import is_frame
from skdgm.utils.math import distinct
from skdgm.utils.threading.callers import warn

KINDS = "categorical", "gaussian"
HINT = ": all must be in the first fit, or call of partial_fit"
# Maximum number of distinct attributes; range, in standard deviations, for files that
# lack one (nets in float32 overflow; no value among a million rows is farther out).
_MAX_DISTINCT, _DEFAULT_RANGE = 1000, 1000.0


class Attributes(NamedTuple):
    """Attributes of rows: their names or numbers, types and ranges.

    ``flat`` is True for a single attribute from a one-dimensional array. ``classes``
    has the sorted classes of each attribute, empty if it is real. ``mean`` and
    ``scale``, of shape (n_attributes,), standardize real attributes, and are 0 and 1
    for categorical ones. ``range``, of shape (2, n_attributes), has the minimum and
    maximum standardized value in all fits, and ``seen`` the weight of their rows.
    """

    names: list
    flat: bool
    classes: list
    mean: np.ndarray | float = 0.0
    scale: np.ndarray | float = 1.0
    range: np.ndarray = np.array([[-_DEFAULT_RANGE], [_DEFAULT_RANGE]])
    seen: float = np.inf
    # Fields that older files lack.
    LATER = ("range", "seen")

    @property
    def real(self):
        """Mask of the real attributes."""
        return np.array([not len(classes) for classes in self.classes])

    @property
    def sizes(self):
        """Number of inputs of each attribute."""
        return np.array([max(1, len(classes)) for classes in self.classes])

    def types(self):
        """Dict of the :class:`~skdgm.data.ColumnType` of each attribute, by name."""
        types_of_columns = [
            ColumnType("categorical", classes.dtype, classes.tolist())
            if len(classes)
            else ColumnType("gaussian")
            for classes in self.classes
        ]
        return dict(zip(self.names, types_of_columns))

    def fitted(self, table):
        """Attributes with the means and scales of a table."""
        numbers = table._replace(rows=table.rows.given.rows)
        seen, total = column_sums(numbers)
        mean, scale, _ = standards(numbers, seen, total, real=self.real)
        nothing = np.zeros((2, len(self.real)))
        return self._replace(mean=mean, scale=scale, range=nothing, seen=0.0)

    def reached(self, table):
        """Attributes with a range that includes the values of a table."""
        numbers = table.rows.accompanying(table.index)
        inputs = np.where(self.real, (numbers - self.mean) / self.scale, 0)
        low = np.minimum(self.range[0], inputs.min(axis=0, initial=np.inf))
        high = np.maximum(self.range[1], inputs.max(axis=0, initial=-np.inf))
        seen = self.seen + table.weight.sum()
        return self._replace(range=np.stack([low, high]), seen=seen)

    def numbers(self, y, owner):
        """Codes of classes and real numbers, (n_rows, n_attributes) in float64, for
        attributes y: an array, a DataFrame, or a dict of the attributes of one row.

        ValueError, which names the owner, for other attributes or unknown classes.
        """
        if isinstance(y, dict):
            missing = [name for name in self.names if name not in y]
            if missing:
                raise ValueError(f"y has no attribute {missing[0]!r}.")
            other = [name for name in y if name not in self.names]
            if other:
                raise ValueError(
                    f"y has {other[0]!r}, but the attributes are {self.names}."
                )
            several = [name for name in self.names if np.size(y[name]) != 1]
            if several:
                raise ValueError(
                    f"y has {np.size(y[several[0]])} values of {several[0]!r}, but a "
                    "dict has the attributes of one row: give a DataFrame."
                )
            parts = [np.array([y[name]]) for name in self.names]
        else:
            names, parts, flat = parts_of(y, owner)
            if flat and len(self.names) > 1:
                if len(parts[0]) != len(self.names):
                    raise ValueError(
                        f"y has {len(parts[0])} values of one attribute, but {owner} "
                        f"has learned of {len(self.names)}: {self.names}."
                    )
                parts = list(parts[0][:, None])
            self._check(names, len(parts), owner)
        numbers = np.empty((len(parts[0]), len(parts)))
        for j, part in enumerate(parts):
            numbers[:, j] = self._number(j, part, owner)
        return numbers

    def of_rows(self, y, owner, n_rows):
        """As :meth:`numbers`, with ``n_rows`` rows; a single row of y is repeated."""
        numbers = self.numbers(y, owner)
        numbers = np.repeat(numbers, n_rows if len(numbers) == 1 else 1, axis=0)
        check_length(numbers, n_rows)
        return numbers

    def _check(self, names, n, owner):
        if n != len(self.names):
            raise ValueError(
                f"y has {n} attributes, but {owner} has learned of "
                f"{len(self.names)}: {self.names}."
            )
        if names is None or not isinstance(self.names[0], str):
            return
        if list(names) != list(self.names):
            raise ValueError(
                f"y has the columns {list(names)}, but the attributes are {self.names}."
            )

    def _number(self, j, values, owner):
        name = "y" if self.flat else f"Attribute {self.names[j]!r}"
        if not len(self.classes[j]):
            numbers = as_numbers(values, owner)
            if np.isnan(numbers).any():
                raise ValueError(
                    f"{name} has missing values (NaN): leave these rows out."
                )
            return numbers
        hint, values = HINT, as_values(values, owner)
        if self.classes[j].dtype.kind in "iuf":
            hint += '; numbers that are no classes are "gaussian" by attribute_types'
            finite = values[np.isfinite(values)] if values.dtype.kind == "f" else ()
            if np.any(np.mod(finite, 1)):
                raise ValueError(
                    f"{name} of {owner} has numbers that are not whole, but it was "
                    f"learned as classes{hint}."
                )
        labels = of_classes(values, f"{name} of {owner}")
        return codes_of(labels, self.classes[j], hint)

    def inputs(self, numbers, dtype):
        """Inputs of a net, of shape (n_rows, n_inputs): one-hot classes and
        standardized numbers."""
        return self.standardized(self.encoded(numbers)).astype(dtype)

    def encoded(self, numbers):
        """One-hot classes and unscaled numbers, of shape (n_rows, n_inputs)."""
        parts = [
            np.eye(len(c))[numbers[:, j].astype(int)] if len(c) else numbers[:, [j]]
            for j, c in enumerate(self.classes)
        ]
        return np.concatenate(parts, axis=1)

    def standardized(self, encoded):
        """Inputs of a net, given the result of :meth:`encoded` or mixtures of such
        rows. Numbers beyond the training range and a tail are clipped to the range,
        with a DataRangeWarning."""
        mean, scale = (np.repeat(x, self.sizes) for x in (self.mean, self.scale))
        with np.errstate(over="ignore"):
            inputs = (encoded - mean) / scale
        is_real = np.repeat(self.real, self.sizes)
        ends = np.broadcast_to(self.range, (2, len(self.sizes)))
        low, high = np.where(is_real, np.repeat(ends, self.sizes, axis=1), [[0], [1]])
        margin = tail(self.seen) * (high - low)
        outer = low - margin, high + margin
        inputs, far = read_within(inputs, outer, (low, high))
        if far.any():
            name = self.names[np.repeat(np.arange(len(self.sizes)), self.sizes)[far][0]]
            warn(
                f"Attribute {name!r} is far beyond its range in the training rows; it "
                "is clipped to the end of this range.",
                DataRangeWarning,
            )
        return inputs


class Known(NamedTuple):
    """Distinct attributes of training rows, of shape (n_distinct, n_attributes) in
    sorted order, and the total weight of their rows."""

    numbers: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, table, before=None):
        """Attributes of a table, added to those in ``before``. More than 1,000 are
        reduced by systematic sampling by weight."""
        numbers, weight = table.rows.accompanying(table.index), table.weight
        if before is not None:
            numbers = np.concatenate([before.numbers, numbers])
            weight = np.concatenate([before.weight, weight])
        numbers, place = distinct(numbers)
        weight = np.bincount(place, weight, minlength=len(numbers))
        if len(numbers) > _MAX_DISTINCT:
            ends, total = np.cumsum(weight), weight.sum()
            ticks = (np.arange(_MAX_DISTINCT) + 0.5) * total / _MAX_DISTINCT
            chosen = np.searchsorted(ends, ticks).clip(max=len(ends) - 1)
            distinct_indices, times = np.unique(chosen, return_counts=True)
            numbers, weight = numbers[distinct_indices], times * (total / _MAX_DISTINCT)
        return cls(numbers, weight)

    def chosen(self, u):
        """Indices drawn by weight, by inversion of uniform numbers u."""
        return chosen(self.weight, u)


def chosen(weight, u):
    """Indices drawn by weight, by inversion of uniform numbers u."""
    ends = np.cumsum(weight)
    return np.searchsorted(ends, u * ends[-1], side="right").clip(max=len(ends) - 1)


def learned(y, owner, types):
    """Attributes of a first fit, without means and scales.

    ``types`` is "auto", or a tuple or dict of types; errors name the owner.
    """
    names, parts, flat = parts_of(y, owner)
    names = list(range(len(parts))) if names is None else list(names)
    classes = []
    for kind, part in zip(_kinds(types, names, parts), parts):
        classes_of_column = np.zeros(0)
        if kind == "categorical":
            labels = as_values(part, owner)
            classes_of_column = np.unique(of_classes(labels, f"y of {owner}"))
        classes.append(classes_of_column)
    return Attributes(names, flat, classes)


def _kinds(types, names, parts):
    """Type of each attribute."""
    kinds = types.values() if isinstance(types, dict) else types
    if types != "auto" and not set(kinds) <= set(KINDS):
        raise ValueError(f"attribute_types must be of {KINDS}; got {types!r}.")
    if isinstance(types, tuple) and len(types) != len(parts):
        raise ValueError(
            f"attribute_types has {len(types)} entries, but y has {len(parts)} "
            "attributes."
        )
    if isinstance(types, tuple):
        return types
    explicit = {} if types == "auto" else types
    unknown = [name for name in explicit if name not in names]
    if unknown:
        raise ValueError(
            f"attribute_types names {unknown[0]!r}, which is no attribute of y."
        )
    return [
        explicit.get(n) or _kind(part, len(parts) == 1) for n, part in zip(names, parts)
    ]


def _kind(values, single):
    """Type of an attribute without a given type: strings and booleans are
    "categorical", as are integers of a single attribute; other numbers are "gaussian".
    """
    if values.dtype.kind == "O":
        kinds = {isinstance(v, bool | np.bool_ | str | bytes) for v in values.tolist()}
        if kinds != {False}:
            return "categorical"
        try:
            values = values.astype(float)
        except (TypeError, ValueError, OverflowError):
            return "categorical"
    kind = values.dtype.kind
    if kind not in "iuf":
        return "categorical"
    with np.errstate(invalid="ignore"):
        is_integer = kind != "f" or (values == np.rint(values)).all()
    return "categorical" if single and is_integer else "gaussian"


def parts_of(y, owner):
    """Names of the attributes (columns of a DataFrame) or None; a list of arrays of
    shape (n_rows,); and True if y has one dimension or is an array with one column."""
    if isinstance(y, dict):
        raise ValueError(
            f"y of {owner} is a dict, which has the attributes of one row: give a "
            "DataFrame."
        )
    if is_foreign(y) and hasattr(y, "columns"):
        y = as_pandas(y)
    if is_frame(y):
        parts = [_plain(y.iloc[:, j]) for j in range(y.shape[1])]
        return list(y.columns), parts, False
    values = _plain(y) if hasattr(y, "dtypes") else as_values(y, owner)
    if values.ndim < 2 or values.shape[1:] == (1,):
        return None, [np.atleast_1d(values).ravel()], True
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(
            "y should be an array of shape (n_samples,) or (n_samples, n_attributes); "
            f"got one of shape {values.shape}."
        )
    return None, list(values.T), False


def _plain(series):
    """Values of a pandas column; an object array if they are not numeric."""
    is_text = str(series.dtype) == "category" or series.dtype.kind not in "biuf"
    return np.asarray(series, dtype=object if is_text else None)
