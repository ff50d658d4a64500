"""Conditions on columns, in the values of the data, as events in the units of a model.

A condition is a value; a list, set or array of values; or a range with its ends: a
``slice`` with None for an open end, or an Interval of pandas.
"""

from numbers import Real

import numpy as np

from skdgm.data.series import named
from skdgm.distributions import Event

_NONE = np.zeros((0, 2))
# Share of a step by which the cell of a value is narrower, so that rounding stays in,
# and by which values may be off because of rounding errors, at most a tenth.
_INSIDE, _OFF = 1e-6, 0.1


def events_of(columns, kinds, conditions, names, who):
    """Convert conditions to values that are known, and events of the others.

    Parameters
    ----------
    columns : Columns, Codes or Mixed
    kinds : ndarray of str, of shape (n_columns,)
        Kind of each column.
    conditions : dict
        Conditions by name of column.
    names : sequence
        Names of the columns.
    who : str
        Name of the model, for messages.

    Returns
    -------
    x, v : ndarray of shape (n_columns,), float64
        Values of columns that have a single one, as numbers, and in the units of the
        model; NaN for all others.
    events : list of {Event, None}
        Of each column.

    Raises
    ------
    ValueError
        There is no such column, or the condition has no probability.
    """
    names = list(names)
    x, events = np.full(len(names), np.nan), [None] * len(names)
    v = x.copy()
    for name, condition in conditions.items():
        if name not in names:
            raise ValueError(
                f"{who}: conditions names {name!r}, but the columns are {named(names)}."
            )
        j = names.index(name)
        reader = _Reader(columns, j, str(kinds[j]), name, who)
        low_high, values = reader.parsed(condition)
        if low_high is None and len(values) == 1:
            x[j], v[j] = reader.point(values[0], condition)
        else:
            events[j] = reader.event(low_high, values)
            if events[j].empty:
                reader.refuse(condition)
    return x, v, events


class _Reader:
    """Conditions of one column."""

    def __init__(self, columns, j, kind, name, who):
        self.j, self.kind, self.name, self.who = j, kind, name, who
        self.codec = getattr(columns, "codec", None)
        scales = getattr(columns, "scales", ())
        self.scale = scales[j] if len(scales) else None
        self.size = int(columns.sizes[j])
        if kind == "gaussian":
            self.mean, self.sd = columns.mean, columns.scale
        self.dense = kind in ("numeric", "gaussian")

    def refuse(self, condition):
        """Raise an error: the condition has no probability."""
        known = ""
        if self.kind == "numeric":
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
            f"{self.who}: the condition {condition!r} on column {self.name!r} has no "
            f"probability{known}."
        )

    def parsed(self, condition):
        """Ends of a range as numbers, or None; and the values, as numbers."""
        if isinstance(condition, slice):
            ends = condition.start, condition.stop
            return self._range(*ends, True, True), ()
        if all(hasattr(condition, part) for part in ("left", "right", "closed")):
            ends = condition.left, condition.right
            closed = condition.closed
            return self._range(
                *ends, closed in ("left", "both"), closed in ("right", "both")
            ), ()
        several = isinstance(condition, list | tuple | set | frozenset | np.ndarray)
        if several or hasattr(condition, "to_list"):
            values = list(condition)
        else:
            values = [condition]
        if not values:
            self.refuse(condition)
        return None, [self._number(value) for value in values]

    def _range(self, low, high, with_low, with_high):
        ends = [
            default if end is None else self._number(end)
            for end, default in ((low, -np.inf), (high, np.inf))
        ]
        if self.kind == "categorical" and self.codec is not None and -1 in ends:
            raise ValueError(
                f"{self.who}: the condition on column {self.name!r} ends at a value "
                f"that is none of its categories: {(low, high)[ends.index(-1)]!r}."
            )
        if not ends[0] <= ends[1]:
            raise ValueError(
                f"{self.who}: the condition on column {self.name!r} ends at {high!r}, "
                f"before it begins, at {low!r}."
            )
        return *ends, with_low, with_high

    def _number(self, value):
        """Number that stands for a value in the column."""
        if self.codec is not None:
            return self.codec.number(self.j, value, self.name)
        if not isinstance(value, Real):
            raise ValueError(
                f"{self.who}: the condition {value!r} on column {self.name!r} is no "
                "number."
            )
        return float(value)

    def point(self, value, condition):
        """A single value, as it is and in the units of the model."""
        if self.kind == "gaussian":
            if not np.isfinite(value):
                self.refuse(condition)
            return value, (value - self.mean[self.j]) / self.sd[self.j]
        if self.kind == "numeric":
            if not self._drawn(value):
                self.refuse(condition)
            return value, self.scale.forward(np.array([value]))[0]
        code = self._code(value)
        return (value, code) if code is not None else self.refuse(condition)

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
        return int(value) if 0 <= value < size and value == int(value) else None

    def event(self, ends, values):
        """Event of a range or of several values."""
        if not self.dense:
            size = 2 if self.kind == "bernoulli" else self.size
            known = self.scale.values if self.kind == "ordinal" else np.arange(size)
            if ends is not None:
                return Event(_between(known, *ends), _NONE)
            codes = [self._code(value) for value in values]
            mask = np.zeros(size, bool)
            mask[[code for code in codes if code is not None]] = True
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
            others = [v for v in others if self._drawn(v)]
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
