"""Columns that are units of a Boltzmann machine, of one type or of several."""

import re
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln
from sklearn.utils._param_validation import StrOptions

from skdgm.data.codes import count_sizes, refuse
from skdgm.data.kinds import kinds_by_column
from skdgm.data.mixed import MixedColumns
from skdgm.exceptions import DataRangeWarning
from skdgm.utils.counts import WHOLE
from skdgm.utils.threading.callers import warn

# Types of columns; "binomial(n)" are counts up to n.
UNITS = (
    *("bernoulli", "categorical", "gaussian", "rectified", "interval"),
    *("poisson", "binomial"),
)
_COUNTED = re.compile(r"(binomial|categorical)\(([1-9][0-9]{0,8})\)")
_COUNTS = "poisson", "binomial"


class Kinds(StrOptions):
    """Constraint of options that are types of units. It accepts any string, because
    :func:`checked_kinds` raises more specific errors."""

    def is_satisfied_by(self, val):
        """Return whether a value is a string."""
        return isinstance(val, str)


class Clipped(NamedTuple):
    """Scale of a column with values beyond its limits."""

    low: float
    high: float

    def forward(self, x):
        """Values clipped to the limits."""
        return x.clip(self.low, self.high)


class UnitFacts(NamedTuple):
    """Statistics of columns beyond :class:`~skdgm.data.kinds.Mixed`, of shape
    (n_columns,).

    ``limits`` are the maximum counts of "binomial" columns, otherwise 1. ``gains`` are
    powers of 2 near the inverse standard deviation of counts and intervals, otherwise
    1. ``base`` is the mean log base measure of counts, and ``mean`` the mean in the
    first fit.
    """

    limits: np.ndarray
    gains: np.ndarray
    base: np.ndarray
    mean: np.ndarray


def parsed(name):
    """Type of units, and the number n in "binomial(n)" or "categorical(n)"."""
    match = _COUNTED.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, None)


def of_block(kind):
    """Types of columns whose units are in the block of a type."""
    return ("categorical", "ordinal") if kind == "categorical" else (kind,)


def checked_kinds(column_types):
    """Raise ValueError if the option, a type, a dict or a sequence of types, contains
    an unknown type of visible columns."""
    single = isinstance(column_types, str)
    names = [column_types] if single else column_types
    names = names.values() if isinstance(names, dict) else names
    for name in names:
        known = isinstance(name, str) and parsed(name)[0] in UNITS
        if not known and not (single and name == "mixed"):
            known = ", ".join(map(repr, UNITS))
            raise ValueError(
                "column_types must be 'mixed', or one kind for all columns or for "
                f"each, of {known}, 'categorical(n)' and 'binomial(n)'; got {name!r}."
            )


def _least_deviation(kinds, mean, limits):
    """Minimum standard deviation for scaling. Counts that are nearly always 0 vary
    little now, but more if a hidden unit turns them on: up to the deviation of fair
    bits, or of a Poisson variable of rate 1."""
    minimum = np.where(kinds == "poisson", np.sqrt(np.maximum(mean, 1)), 0.25)
    return np.where(kinds == "binomial", 0.5 * np.sqrt(limits), minimum)


def _limits(kinds, limits):
    """Minimum and maximum of each column, infinite where there is none; counts without
    a given maximum are at most 2 ** 53."""
    bounded = np.isin(kinds, ("interval", "rectified", *_COUNTS))
    high = np.where(kinds == "interval", 1.0, np.inf)
    high = np.where(np.isin(kinds, _COUNTS), WHOLE, high)
    high = np.where((kinds == "binomial") & (limits > 0), limits, high)
    return np.where(bounded, 0.0, -np.inf), high


class UnitColumns(MixedColumns):
    """Columns of units; ``kinds`` are among :data:`UNITS`, one for all columns or one
    for each, "mixed", or a dict by name. Numeric columns whose type follows from a
    DataFrame are "gaussian", or categories if they have few values."""

    @property
    def takes_times(self):
        """True if the dtypes of a DataFrame determine the types of columns."""
        return isinstance(self.kinds, dict) or self.kinds == "mixed"

    @property
    def tags(self):
        """Input tags: whether all columns are nonnegative, and whether strings are
        categories."""
        amounts = not self.takes_times and "gaussian" not in np.ravel(self.kinds)
        return {"positive_only": amounts, "categorical": self.takes_times}

    def _kinds(self, rows):
        """Type of each column; "numeric" if the type in a DataFrame decides."""
        names = kinds_by_column(self.kinds, rows)
        return np.array([parsed(name)[0] for name in names], "U11")

    def _given(self, rows):
        """Number n in the type of each column, such as "binomial(n)", or 0."""
        names = kinds_by_column(self.kinds, rows)
        return np.array([parsed(name)[1] or 0 for name in names], int)

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate data. Values beyond the limits of a column are errors in fits, and
        clipped with a warning otherwise."""
        rows = super().rows(
            model, X, columns=columns, reset=reset, fitting=fitting, dtype=dtype
        )
        kinds = self._kinds(rows) if reset else columns.kinds
        limits = self._given(rows) if reset else columns.units.limits
        low, high = _limits(kinds, limits)
        which = np.flatnonzero(np.isfinite(low))
        raw, scales = rows.raw, list(rows.scales or (None,) * len(kinds))
        for block in rows.blocks() if len(which) else ():
            part = raw.take(block)[:, which]
            for is_bad, reason in (
                (part < low[which], "is negative: these are amounts or counts"),
                (
                    part > high[which],
                    "is more than the highest value: choose another "
                    "kind for the column, or give a count's limit as 'binomial(n)'",
                ),
            ):
                if is_bad.any() and (reset or fitting):
                    names = [rows.name_of(j) for j in which]
                    refuse(part, is_bad, names, type(model).__name__, reason)
                for j in which[is_bad.any(axis=0)]:
                    scales[j] = Clipped(float(low[j]), float(high[j]))
        beyond = [j for j in which if isinstance(scales[j], Clipped)]
        if not beyond:
            return rows
        warn(
            f"{type(model).__name__} got values beyond the limits of columns "
            f"{[rows.name_of(j) for j in beyond]}, and clips them.",
            DataRangeWarning,
        )
        return rows._replace(scales=tuple(scales))

    def _least(self, rows):
        """Minimum number of categories of each column: n in "categorical(n)"."""
        return np.maximum(self._given(rows), 1)

    def _scaled(self, table, kinds):
        """Types, with "ordinal" for numeric columns of few values, and scales."""
        numeric = kinds == "numeric"
        kinds, scales = super()._scaled(table, kinds)
        many = numeric & (kinds == "numeric")
        kinds = np.where(many, "gaussian", kinds)
        return kinds, tuple(None if m else s for m, s in zip(many, scales))

    def _first(self, table, seen, total):
        columns = super()._first(table, seen, total)
        kinds, n_columns = columns.kinds, len(columns.kinds)
        n_given = self._given(table.rows)
        limits, which = np.ones(n_columns, int), np.flatnonzero(kinds == "binomial")
        if len(which):
            highest = count_sizes(table, np.ones(len(which), int), which) - 1
            limits[which] = np.where(
                n_given[which], n_given[which], np.maximum(highest, 1)
            )
        mean, deviation, base = self._moments_of(table, kinds, seen, total)
        gained = np.isin(kinds, ("interval", *_COUNTS))
        spread = np.maximum(deviation, _least_deviation(kinds, mean, limits))
        gains = np.where(gained, 2.0 ** -np.rint(np.log2(spread)), 1.0)
        halves = kinds == "rectified"
        size = np.hypot(mean, deviation)
        scale = np.where(halves & (size > 0), size, columns.scale)
        return columns._replace(scale=scale, units=UnitFacts(limits, gains, base, mean))

    def _moments_of(self, table, kinds, seen, total):
        """Means, standard deviations and mean log base measures of columns."""
        mean, square = total / np.maximum(seen, 1e-300), np.zeros(len(kinds))
        base = np.zeros(len(kinds))
        counts, has_fractions = np.isin(kinds, _COUNTS), np.zeros(len(kinds), bool)
        for block in table.rows.blocks(n_rows=len(table.index)):
            part = table.rows.take(table.index[block])
            weight = table.weight[block]
            has_fractions |= (np.abs(part - np.rint(part)) > 0).any(axis=0)
            square += weight @ np.nan_to_num((part - mean) ** 2)
            base[counts] -= weight @ np.nan_to_num(gammaln(part[:, counts] + 1))
        which = np.flatnonzero(counts & has_fractions)
        if len(which):
            names = [table.rows.name_of(j) for j in which]
            warn(
                f"Columns {names} are counts, but have fractions, so that likelihoods "
                'are meaningless: choose another type, such as "rectified".',
                DataRangeWarning,
            )
        square, base = (sums / np.maximum(seen, 1e-300) for sums in (square, base))
        return mean, np.sqrt(square), base

    def moments_of(self, columns, kind):
        """Smoothed means of the columns of a type, in the units of the model; pairs of
        means and variances for "gaussian" and "rectified"."""
        which = np.isin(columns.kinds, of_block(kind))
        if kind == "categorical":
            return self.frequencies(columns)
        if kind == "gaussian":
            return 0.0, 1.0
        seen, total = columns.seen[which], columns.total[which]
        limits = columns.units.limits[which]
        if kind == "poisson":
            return (total + 0.5) / (seen + 1)
        if kind == "rectified":
            mean = (total / columns.scale[which] + 0.5) / (seen + 1)
            return mean, np.ones(len(seen))
        # Laplace smoothing of bits, intervals and counts up to n.
        return (total + limits) / (seen + 2)


class SeriesColumns(UnitColumns):
    """Columns of series: numbers without a given type are bits if all values are 0 or
    1, except for steps in time."""

    def _scaled(self, table, kinds):
        kinds_found, scales = super()._scaled(table, kinds)
        undecided = ("numeric", "gaussian") if self.kinds == "mixed" else ("numeric",)
        bits, is_observed = np.isin(kinds, undecided), np.zeros(len(kinds), bool)
        if not self.takes_times or not bits.any():
            return kinds_found, scales
        codec = table.rows.codec
        if codec is not None and codec.steps is not None:
            bits[[scale.place for scale in codec.steps.columns]] = False
        for block in table.rows.blocks(n_rows=len(table.index)):
            part = table.rows.raw.take(table.index[block])
            missing = np.isnan(part)
            bits &= (missing | (part == 0) | (part == 1)).all(axis=0)
            is_observed |= ~missing.all(axis=0)
        bits &= is_observed
        scales = tuple(None if bit else scale for bit, scale in zip(bits, scales))
        return np.where(bits, "bernoulli", kinds_found), scales
