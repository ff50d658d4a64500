"""Conditions on columns, in the values of the data, as events in the units of a model.

A condition is a value; a list, set, ``range`` or array of values; or a range with its
ends: a ``slice`` with None for an open end, or an Interval of pandas.
"""

from collections.abc import Mapping
from numbers import Real

import numpy as np

from skdgm.data.reach import tell_beyond, within_reach
from skdgm.data.series import brief, named, place_of
from skdgm.distributions import Event

_NONE = np.zeros((0, 2))
# Share of a step by which the cell of a value is narrower, so that rounding stays in,
# and by which values may be off because of rounding errors, at most a tenth.
_INSIDE, _OFF = 1e-6, 0.1
# Most values of a condition, each of which is looked up.
_MANY = 100_000


def events_of(columns, kinds, conditions, names, who, bounded=True):
    """Convert conditions, a dict by name of column, to values that are known, and
    events of the others, for columns of these kinds and names.

    Returns the values of columns that have a single one, as numbers and in the units of
    the model, NaN for all others, and a list of {Event, None}. ValueError, which names
    the model ``who``, if there is no such column, or a condition has no probability.
    If ``bounded``, units beyond the range seen are the ends of this, with a warning.
    """
    names = list(names)
    x, events = np.full(len(names), np.nan), [None] * len(names)
    v = x.copy()
    for name, condition in by_name(conditions, names, who).items():
        j = names.index(name)
        reader = _Reader(columns, j, str(kinds[j]), name, who)
        low_high, values = reader.parsed(condition)
        if low_high is None and len(values) == 1:
            x[j], v[j] = reader.point(values[0])
        else:
            events[j] = reader.event(low_high, values)
            if events[j].empty:
                reader.refuse(condition)
    if bounded:
        (v,), beyond = within_reach(columns, v[None])
        tell_beyond(who, beyond, names.__getitem__)
    return x, v, events


def by_name(conditions, names, who):
    """Conditions as a dict; raise TypeError if they are none, and ValueError where one
    names no column."""
    if not isinstance(conditions, Mapping) and not hasattr(conditions, "to_dict"):
        raise TypeError(
            f"{who}: conditions must be a dict by the name of a column, such as "
            f"{{{names[0]!r}: value}}; got {brief(conditions)}."
        )
    for name in (conditions := dict(conditions)):
        if name not in names:
            raise ValueError(
                f"{who}: conditions names {name!r}, but the columns are {named(names)}."
            )
    return conditions


def spelled(condition, name, who, categories=None):
    """Ends of a range and whether they are in it, or None; and values. One of the
    column's categories is a value, whatever its type.

    ValueError if a slice has a step, or there are too many values.
    """
    if categories is not None and place_of(condition, categories) >= 0:
        return None, [condition]
    if isinstance(condition, slice):
        if condition.step is not None:
            raise ValueError(
                f"{who}: the condition {condition!r} on column {name!r} has a step, "
                "and takes the ends of a range only: give slice(low, high), or a list "
                "of values."
            )
        return (condition.start, condition.stop, True, True), ()
    if all(hasattr(condition, part) for part in ("left", "right", "closed")):
        closed = condition.closed
        ends = condition.left, condition.right
        return (*ends, closed in ("left", "both"), closed in ("right", "both")), ()
    several = isinstance(condition, list | tuple | set | frozenset | range)
    if getattr(condition, "ndim", 1) and (several or hasattr(condition, "__array__")):
        if len(condition) > _MANY:
            raise ValueError(
                f"{who}: the condition on column {name!r} has {len(condition)} values: "
                "give a range, slice(low, high)."
            )
        return None, list(condition)
    return None, [condition]


class _Reader:
    """Conditions of one column."""

    def __init__(self, columns, j, kind, name, who):
        self.j, self.kind, self.name, self.who = j, kind, name, who
        self.codec = getattr(columns, "codec", None)
        scales = getattr(columns, "scales", ())
        self.scale = scales[j] if len(scales) else None
        self.size = int(columns.sizes[j])
        # Value that stands for 1.
        scale = getattr(columns, "scale", 1.0)
        self.top = float(scale) if np.ndim(scale) == 0 else 1.0
        if kind == "gaussian":
            self.mean, self.sd = columns.mean, columns.scale
        self.dense = kind in ("numeric", "gaussian")

    def refuse(self, condition):
        """Raise an error: the condition has no probability."""
        known = ""
        if self.kind == "bernoulli":
            known = f": its values are 0 and {self.top:g}"
        elif self.kind == "numeric":
            ends = [self.scale.low, self.scale.high]
            ends = self.codec.shown(self.j, ends) if self.codec else ends
            known = f": its values are from {ends[0]} to {ends[1]}"
        elif self.kind in ("categorical", "ordinal"):
            values = np.arange(self.size)
            if self.kind == "ordinal":
                values = self.scale.values
            values = self.codec.shown(self.j, values) if self.codec else values.tolist()
            known = f": its values are {named(values)}"
        raise ValueError(
            f"{self.who}: the condition {brief(condition)} on column {self.name!r} has "
            f"no probability{known}."
        )

    def parsed(self, condition):
        """Ends of a range as numbers, or None; and the values, as numbers."""
        categories = self.codec.categories[self.j] if self.codec else None
        ends, values = spelled(condition, self.name, self.who, categories)
        if ends is not None:
            return self._range(*ends), ()
        found = [self._number(value) for value in values]
        lost = [own for own, number in zip(values, found) if not self._possible(number)]
        if isinstance(condition, range):
            # An interval of whole numbers, of which some may be beyond those seen.
            found, lost = [number for number in found if self._possible(number)], ()
        if lost or not found:
            self.refuse(lost if len(found) > 1 else condition)
        return None, found

    def _range(self, low, high, with_low, with_high):
        ends = [
            default if end is None else self._number(end)
            for end, default in ((low, -np.inf), (high, np.inf))
        ]
        if self.kind == "categorical" and self.codec is not None and -1 in ends:
            raise ValueError(
                f"{self.who}: the condition on column {self.name!r} ends at a value "
                "that is not one of its categories: "
                f"{brief((low, high)[ends.index(-1)])}."
            )
        if not ends[0] <= ends[1]:
            raise ValueError(
                f"{self.who}: the condition on column {self.name!r} ends at "
                f"{brief(high)}, before it begins, at {brief(low)}."
            )
        return *ends, with_low, with_high

    def _number(self, value):
        """Number that stands for a value in the column."""
        if self.codec is not None:
            return self.codec.number(self.j, value, self.name)
        try:
            if isinstance(value, Real | np.bool_):
                return float(value)
        except (TypeError, OverflowError):
            pass
        raise ValueError(
            f"{self.who}: the condition {brief(value)} on column {self.name!r} is no "
            "number, which the column takes."
        )

    def point(self, value):
        """A single value, as it is and in the units of the model."""
        if self.kind == "gaussian":
            return value, (value - self.mean[self.j]) / self.sd[self.j]
        if self.kind == "numeric":
            return value, self.scale.forward(np.array([value]))[0]
        return value, self._code(value)

    def _possible(self, value):
        """Whether a value is one that the column may have."""
        if self.dense:
            return self._drawn(value) if self.kind == "numeric" else np.isfinite(value)
        return self._code(value) is not None

    def _drawn(self, value):
        """Whether a value of a "numeric" column is within the range, and as round."""
        own = self.scale
        if not own.low <= value <= own.high:
            return False
        at = self._place(value) if own.step else 0
        return at == np.rint(at) or own.is_atom(np.array([value]))[0]

    def _place(self, value):
        """Value in steps: whole numbers in spite of rounding errors."""
        at, eps = value / self.scale.step, np.finfo(np.float32).eps
        if np.isinf(at):
            return at
        near = np.rint(at)
        off = min(_OFF, max(_INSIDE, 4 * eps * abs(near)))
        return near if abs(at - near) <= off else at

    def _code(self, value):
        """Code of a value, or None."""
        if self.kind == "ordinal":
            code = self.scale.forward(np.array([value]))[0]
            return None if np.isnan(code) else int(code)
        size = 2 if self.kind == "bernoulli" else self.size
        value = value / self.top
        return int(value) if 0 <= value < size and value == int(value) else None

    def event(self, ends, values):
        """Event of a range or of several values."""
        if not self.dense:
            size = 2 if self.kind == "bernoulli" else self.size
            known = np.arange(size) * self.top
            if self.kind == "ordinal":
                known = self.scale.values
            if ends is not None:
                return Event(_between(known, *ends), _NONE)
            codes = [self._code(value) for value in values]
            mask = np.zeros(size, bool)
            mask[codes] = True
            return Event(mask, _NONE)
        if self.kind == "gaussian":
            if ends is None:
                self._refuse_points()
            parts = [(end - self.mean[self.j]) / self.sd[self.j] for end in ends[:2]]
            return Event(np.zeros(0, bool), np.array([parts]))
        return self._numeric(ends, values)

    def _numeric(self, ends, values):
        own = self.scale
        half = own.step * (0.5 - _INSIDE)
        if ends is not None:
            low, high, with_low, with_high = ends
            atoms = _between(own.atoms, *ends)
            if own.step:
                places = [self._place(end) for end in (low, high)]
                first, last = np.ceil(places[0]), np.floor(places[1])
                first += not with_low and first == places[0]
                last -= not with_high and last == places[1]
                low, high = first * own.step - half, last * own.step + half
            spans = [(max(low, own.x[0]), min(high, own.x[-1]))]
        else:
            atoms = np.isin(own.atoms, values)
            others = [v for v in values if not own.is_atom(np.array([v]))[0]]
            if others and not own.step:
                self._refuse_points()
            spans = [(v - half, v + half) for v in sorted(set(others))]
        spans = np.array([span for span in spans if span[0] < span[1]]).reshape(-1, 2)
        return Event(atoms, own.forward(spans.ravel()).reshape(-1, 2))

    def _refuse_points(self):
        raise ValueError(
            f"{self.who}: several exact values of column {self.name!r}, which has real "
            "numbers, have no probability: give a range, slice(low, high)."
        )


def _between(values, low, high, with_low, with_high):
    """True for values in a range."""
    above = values >= low if with_low else values > low
    return above & (values <= high if with_high else values < high)
