"""Conditions on columns, converted from values of the data to events of the model.

A condition is a value; a list, tuple, set, ``range`` or array of values; or an
interval, either a ``slice`` (with None for an open end) or an Interval of pandas. A
tuple of two increasing numbers or dates is ambiguous, and refused.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from skdgm.data.reach import warn_of_beyond, within_reach
from skdgm.data.series import brief, named, place_of
from skdgm.distributions import Event

_NONE = np.zeros((0, 2))
# Cells around values are narrower than a step by this fraction, because of rounding.
# Values may differ from multiples of the step by this fraction, at most by a tenth.
_INSIDE, _OFF = 1e-6, 0.1
# Maximum number of values of a condition.
_MAX_VALUES = 100_000


class Interval(NamedTuple):
    """Interval with ends that may be None, and ``closed`` as of pandas."""

    left: object
    right: object
    closed: str


def events_of(columns, kinds, conditions, names, subject, bounded=True):
    """Convert conditions, a dict by name of column, to known values and events.

    Returns an array of the values of columns with a single value, NaN for other
    columns; the same in the units of the model; and a list of Event or None. If
    ``bounded``, units beyond the training range are clipped, with a warning.
    ValueError, which names the model ``subject``, for unknown columns and for
    conditions of probability 0.
    """
    names = list(names)
    x, v = np.full(len(names), np.nan), np.full(len(names), np.nan)
    events: list[Any] = [None] * len(names)
    for name, condition in by_name(conditions, names, subject).items():
        j = names.index(name)
        reader = _Reader(columns, j, str(kinds[j]), name, subject)
        low_high, values = reader.parsed(condition)
        if low_high is None and len(values) == 1:
            x[j], v[j] = reader.point(values[0])
        else:
            event = reader.event(low_high, values)
            if event.empty:
                reader.refuse(condition)
            events[j] = event
    if bounded:
        (v,), beyond = within_reach(columns, v[None])
        warn_of_beyond(subject, beyond, names.__getitem__)
    return x, v, events


def by_name(conditions, names, subject):
    """Conditions as a dict; TypeError for other types, ValueError for names that are
    not columns."""
    if not isinstance(conditions, Mapping) and not hasattr(conditions, "to_dict"):
        raise TypeError(
            f"{subject}: conditions must be a dict by the name of a column, such as "
            f"{{{names[0]!r}: value}}; got {brief(conditions)}."
        )
    for name in (conditions := dict(conditions)):
        if name not in names:
            raise ValueError(
                f"{subject}: conditions names {name!r}, but the columns are "
                f"{named(names)}."
            )
    return conditions


def spelled(condition, name, subject, categories=None):
    """Interval of a condition (low, high, includes low, includes high), or None; and a
    list of its values. A category of the column is a value, whatever its type.

    ValueError if a slice has a step, if there are too many values, or if a tuple of two
    increasing values, on a column without ``categories``, may be meant as a range.
    """
    if categories is not None and place_of(condition, categories) >= 0:
        return None, [condition]
    if isinstance(condition, slice):
        if condition.step is not None:
            raise ValueError(
                f"{subject}: the condition {condition!r} on column {name!r} has a "
                "step, and takes the ends of a range only: give slice(low, high), or a "
                "list of values."
            )
        return (condition.start, condition.stop, True, True), ()
    if all(hasattr(condition, part) for part in ("left", "right", "closed")):
        closed = condition.closed
        ends = condition.left, condition.right
        return (*ends, closed in ("left", "both"), closed in ("right", "both")), ()
    if categories is None and _looks_like_range(condition):
        low, high = condition
        raise ValueError(
            f"{subject}: the condition {brief(condition)} on column {name!r} may be a "
            f"range or two values: give slice({low!r}, {high!r}) for all values of the "
            f"range, or [{low!r}, {high!r}] for the two values."
        )
    several = isinstance(condition, list | tuple | set | frozenset | range)
    if getattr(condition, "ndim", 1) and (several or hasattr(condition, "__array__")):
        if len(condition) > _MAX_VALUES:
            raise ValueError(
                f"{subject}: the condition on column {name!r} has {len(condition)} "
                "values: give a range, slice(low, high)."
            )
        return None, list(condition)
    return None, [condition]


def _looks_like_range(condition):
    """Return whether a condition is a tuple of two values in increasing order."""
    if not isinstance(condition, tuple) or len(condition) != 2:
        return False
    if isinstance(condition[0], bool | np.bool_):
        return False
    try:
        return bool(condition[0] < condition[1])
    except (TypeError, ValueError):
        return False


class _Reader:
    """Reader of the conditions on one column."""

    def __init__(self, columns, j, kind, name, subject):
        self.j, self.kind, self.name, self.subject = j, kind, name, subject
        self.codec = getattr(columns, "codec", None)
        scales = getattr(columns, "scales", ())
        self.scale: Any = scales[j] if len(scales) else None
        self.size = int(columns.sizes[j])
        # Value that stands for 1.
        scale = getattr(columns, "scale", 1.0)
        self.top = float(scale) if np.ndim(scale) == 0 else 1.0
        if kind == "gaussian":
            self.mean, self.sd = columns.mean, columns.scale
        self.dense = kind in ("numeric", "gaussian")

    def refuse(self, condition):
        """Raise ValueError: the condition has no probability."""
        reason = ""
        if self.kind == "bernoulli":
            reason = f": its values are 0 and {self.top:g}"
        elif self.kind == "numeric":
            ends = [self.scale.low, self.scale.high]
            ends = self.codec.shown(self.j, ends) if self.codec else ends
            reason = f": its values are from {ends[0]} to {ends[1]}"
        elif self.kind in ("categorical", "ordinal"):
            values = np.arange(self.size)
            if self.kind == "ordinal":
                values = self.scale.values
            values = self.codec.shown(self.j, values) if self.codec else values.tolist()
            reason = f": its values are {named(values)}"
        raise ValueError(
            f"{self.subject}: the condition {brief(condition)} on column {self.name!r} "
            f"has no probability{reason}."
        )

    def parsed(self, condition):
        """Interval of a condition as numbers, or None; and its values as numbers."""
        categories = self.codec.categories[self.j] if self.codec else None
        if categories is None and self.kind in ("categorical", "bernoulli"):
            # Codes have no order.
            categories = np.zeros(0)
        ends, values = spelled(condition, self.name, self.subject, categories)
        if self.codec is not None:
            ends, values = self.codec.whole_spans(self.j, condition, ends, values)
        if ends is not None:
            return self._range(ends), ()
        numbers = [self._number(value) for value in values]
        refused = [
            v for v, number in zip(values, numbers) if not self._possible(number)
        ]
        if isinstance(condition, range):
            # An interval of integers; impossible values are dropped.
            numbers, refused = [n for n in numbers if self._possible(n)], ()
        if refused or not numbers:
            self.refuse(refused if len(numbers) > 1 else condition)
        return None, numbers

    def _range(self, interval):
        low, high, with_low, with_high = interval
        ends = [
            default if end is None else self._number(end)
            for end, default in ((low, -np.inf), (high, np.inf))
        ]
        if self.kind == "categorical" and self.codec is not None and -1 in ends:
            raise ValueError(
                f"{self.subject}: the condition on column {self.name!r} ends at a "
                "value that is not one of its categories: "
                f"{brief((low, high)[ends.index(-1)])}."
            )
        if not ends[0] <= ends[1]:
            raise ValueError(
                f"{self.subject}: the condition on column {self.name!r} ends at "
                f"{brief(high)}, before it begins, at {brief(low)}."
            )
        return *ends, with_low, with_high

    def _number(self, value):
        """Number that represents a value in the column."""
        if self.codec is not None:
            return self.codec.number(self.j, value, self.name)
        try:
            if isinstance(value, Real | np.bool_):
                return float(value)
        except (TypeError, OverflowError):
            pass
        raise ValueError(
            f"{self.subject}: the condition {brief(value)} on column {self.name!r} is "
            "no number, which the column takes."
        )

    def point(self, value):
        """A single value, as a number and in the units of the model."""
        if self.kind == "gaussian":
            return value, (value - self.mean[self.j]) / self.sd[self.j]
        if self.kind == "numeric":
            return value, self.scale.forward(np.array([value]))[0]
        return value, self._code(value)

    def _possible(self, value):
        """Return whether the column may have a value."""
        if self.dense:
            return self._drawn(value) if self.kind == "numeric" else np.isfinite(value)
        return self._code(value) is not None

    def _drawn(self, value):
        """Return whether a value of a "numeric" column is in the range, and a multiple
        of the step or an atom."""
        scale = self.scale
        if not scale.low <= value <= scale.high:
            return False
        place = self._place(value) if scale.step else 0
        return place == np.rint(place) or scale.is_atom(np.array([value]))[0]

    def _place(self, value):
        """Value in units of the step; an integer in spite of rounding errors."""
        place, eps = value / self.scale.step, np.finfo(np.float32).eps
        if np.isinf(place):
            return place
        nearest = np.rint(place)
        tolerance = min(_OFF, max(_INSIDE, 4 * eps * abs(nearest)))
        return nearest if abs(place - nearest) <= tolerance else place

    def _code(self, value):
        """Code of a value, or None."""
        if self.kind == "ordinal":
            code = self.scale.forward(np.array([value]))[0]
            return None if np.isnan(code) else int(code)
        size = 2 if self.kind == "bernoulli" else self.size
        value = value / self.top
        return int(value) if 0 <= value < size and value == int(value) else None

    def event(self, ends, values):
        """Event of an interval or of several values."""
        if not self.dense:
            size = 2 if self.kind == "bernoulli" else self.size
            levels = np.arange(size) * self.top
            if self.kind == "ordinal":
                levels = self.scale.values
            if ends is not None:
                return Event(_between(levels, ends), _NONE)
            codes: list[Any] = [self._code(value) for value in values]
            mask = np.zeros(size, bool)
            mask[codes] = True
            return Event(mask, _NONE)
        if self.kind == "gaussian":
            if ends is None:
                self._refuse_points()
            interval = [(end - self.mean[self.j]) / self.sd[self.j] for end in ends[:2]]
            return Event(np.zeros(0, bool), np.array([interval]))
        return self._numeric(ends, values)

    def _numeric(self, ends, values):
        scale = self.scale
        half = scale.step * (0.5 - _INSIDE)
        if ends is not None:
            low, high, with_low, with_high = ends
            atoms = _between(scale.atoms, ends)
            if scale.step:
                places = [self._place(end) for end in (low, high)]
                first, last = np.ceil(places[0]), np.floor(places[1])
                first += not with_low and first == places[0]
                last -= not with_high and last == places[1]
                low, high = first * scale.step - half, last * scale.step + half
            spans = [(max(low, scale.x[0]), min(high, scale.x[-1]))]
        else:
            atoms = np.isin(scale.atoms, values)
            no_atoms = [v for v in values if not scale.is_atom(np.array([v]))[0]]
            if no_atoms and not scale.step:
                self._refuse_points()
            spans = [(v - half, v + half) for v in sorted(set(no_atoms))]
        spans = np.array([span for span in spans if span[0] < span[1]]).reshape(-1, 2)
        return Event(atoms, scale.forward(spans.ravel()).reshape(-1, 2))

    def _refuse_points(self):
        raise ValueError(
            f"{self.subject}: several exact values of column {self.name!r}, which has "
            "real numbers, have no probability: give a range, slice(low, high)."
        )


def _between(values, ends):
    """Mask of the values in an interval."""
    low, high, with_low, with_high = ends
    above = values >= low if with_low else values > low
    return above & (values <= high if with_high else values < high)
