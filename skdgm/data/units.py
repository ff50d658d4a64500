"""Columns that are units of a Boltzmann machine, of one kind or of several."""

import re
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from skdgm.data.codes import count_sizes, refuse
from skdgm.data.kinds import check
from skdgm.data.mixed import MixedColumns

# Kinds of columns; "binomial(n)" are counts up to n.
UNITS = (
    *("bernoulli", "categorical", "gaussian", "rectified", "interval"),
    *("poisson", "binomial"),
)
_COUNTED = re.compile(r"(binomial|categorical)\(([1-9][0-9]{0,8})\)")
_COUNTS = "poisson", "binomial"


class UnitFacts(NamedTuple):
    """Statistics of columns beyond those of :class:`~skdgm.data.kinds.Mixed`.

    Parameters
    ----------
    limits : ndarray of int, of shape (n_columns,)
        Highest count of "binomial" columns; 1 for others.
    gains : ndarray of shape (n_columns,)
        Powers of 2, near the inverse of the standard deviation; 1 for other columns
        than counts and intervals.
    base : ndarray of shape (n_columns,)
        Mean of the log base measure of counts; 0 for other columns.
    """

    limits: np.ndarray
    gains: np.ndarray
    base: np.ndarray


def parsed(name):
    """Kind of units, and the number n in "binomial(n)" or "categorical(n)", or None."""
    found = _COUNTED.fullmatch(name)
    return (found[1], int(found[2])) if found else (name, None)


def of_block(kind):
    """Kinds of columns whose units are in the block of a kind."""
    return ("categorical", "ordinal") if kind == "categorical" else (kind,)


def checked_kinds(visible):
    """Raise ValueError where an option names an unknown kind of visible columns.

    Parameters
    ----------
    visible : str, dict or sequence of str
    """
    single = isinstance(visible, str)
    names = [visible] if single else visible
    names = names.values() if isinstance(names, dict) else names
    for name in names:
        known = isinstance(name, str) and parsed(name)[0] in UNITS
        known = known and not name.startswith("categorical(")
        if not known and not (single and name == "mixed"):
            raise ValueError(
                f"visible must be 'mixed', or one kind for all columns or for each, of "
                f"{', '.join(map(repr, UNITS))} and 'binomial(n)'; got {name!r}."
            )


class UnitColumns(MixedColumns):
    """Columns of units: one kind for all, one for each, or those of a DataFrame's types.

    Parameters
    ----------
    kinds : str, dict or sequence of str
        One of :data:`UNITS` for all columns or for each, or "mixed"; a dict has those
        of some columns by name. Columns of numbers whose kind is taken from a DataFrame
        are "gaussian", or categories where they have few values.
    """

    @property
    def takes_times(self):
        """Whether the types of a DataFrame say what columns are."""
        return isinstance(self.kinds, dict) or self.kinds == "mixed"

    @property
    def tags(self):
        """Input tags: those of columns that are all of one kind differ."""
        alike = isinstance(self.kinds, str) and self.kinds not in ("mixed", "gaussian")
        return {"positive_only": alike, "categorical": self.takes_times}

    def _kinds(self, rows):
        """Kind of each column, as told, "numeric" where a DataFrame says so."""
        if self.takes_times:
            known = rows.codec.kinds if rows.codec else ["gaussian"] * rows.shape[1]
            return np.array([parsed(name)[0] for name in known], "U11")
        if isinstance(self.kinds, str):
            return np.full(rows.shape[1], parsed(self.kinds)[0], "U11")
        if len(self.kinds) != rows.shape[1]:
            raise ValueError(
                f"visible has {len(self.kinds)} entries, but X has {rows.shape[1]} "
                "columns."
            )
        return np.array([parsed(name)[0] for name in self.kinds], "U11")

    def _told(self, rows):
        """The number n that is told for each column, 0 where none is."""
        if self.takes_times:
            names = rows.codec.kinds if rows.codec else ["gaussian"] * rows.shape[1]
        else:
            one = isinstance(self.kinds, str)
            names = [self.kinds] * rows.shape[1] if one else self.kinds
        return np.array([parsed(name)[1] or 0 for name in names], int)

    def _check(self, rows, kinds, who, sizes, known):
        check(rows, kinds, who, sizes)
        least = np.flatnonzero(np.isin(kinds, ("rectified", *_COUNTS)))
        within = np.flatnonzero(kinds == "interval")
        limits = self._told(rows) if known is None else known.units.limits
        binomial = np.flatnonzero((kinds == "binomial") & (limits > 0))
        for which, why in (
            (least, "is negative: these are amounts or counts"),
            (within, "is outside [0, 1]: scale the column, or choose another kind"),
            (binomial, "is more than the highest count: give this as 'binomial(n)'"),
        ):
            names = [rows.name_of(j) for j in which]
            for block in rows.blocks() if len(which) else ():
                part = rows.take(block)[:, which]
                wrong = part < 0
                if which is within:
                    wrong |= part > 1
                if which is binomial:
                    wrong = part > limits[which]
                refuse(part, wrong, names, who, why)

    def _scaled(self, table, kinds):
        """Kinds with "ordinal" for numbers of few values, and scales of these."""
        told = kinds == "numeric"
        kinds, scales = super()._scaled(table, kinds)
        many = told & (kinds == "numeric")
        kinds = np.where(many, "gaussian", kinds)
        return kinds, tuple(None if m else s for m, s in zip(many, scales))

    def _first(self, table, seen, total):
        columns = super()._first(table, seen, total)
        kinds, n_columns = columns.kinds, len(columns.kinds)
        told = self._told(table.rows)
        limits, which = np.ones(n_columns, int), np.flatnonzero(kinds == "binomial")
        if len(which):
            highest = count_sizes(table, np.ones(len(which), int), which) - 1
            limits[which] = np.where(told[which], told[which], np.maximum(highest, 1))
        mean, spread, base = self._moments_of(table, kinds, seen, total)
        gained = np.isin(kinds, ("interval", *_COUNTS))
        spread = np.where(gained & (spread > 0), spread, 1.0)
        gains = np.where(gained, 2.0 ** -np.rint(np.log2(spread)), 1.0)
        halves = kinds == "rectified"
        size = np.sqrt(mean**2 + spread**2) if halves.any() else mean
        scale = np.where(halves & (size > 0), size, columns.scale)
        return columns._replace(scale=scale, units=UnitFacts(limits, gains, base))

    def _moments_of(self, table, kinds, seen, total):
        """Means, standard deviations and mean log base measures of columns."""
        mean, square = total / np.maximum(seen, 1e-300), np.zeros(len(kinds))
        base = np.zeros(len(kinds))
        counts = np.isin(kinds, _COUNTS)
        for block in table.rows.blocks(n_rows=len(table.index)):
            part = table.rows.take(table.index[block])
            weight = table.weight[block]
            square += weight @ np.nan_to_num((part - mean) ** 2)
            base[counts] -= weight @ np.nan_to_num(gammaln(part[:, counts] + 1))
        square, base = (own / np.maximum(seen, 1e-300) for own in (square, base))
        return mean, np.sqrt(square), base

    def moments_of(self, columns, kind):
        """Smoothed means of the columns of a kind, in the units of the model; pairs of
        means and variances for "gaussian" and "rectified" ones."""
        which = np.isin(columns.kinds, of_block(kind))
        if kind == "categorical":
            return self.frequencies(columns)
        if kind == "gaussian":
            return 0.0, 1.0
        seen, total = columns.seen[which], columns.total[which]
        most = columns.units.limits[which]
        if kind == "poisson":
            return (total + 0.5) / (seen + 1)
        if kind == "rectified":
            mean = (total / columns.scale[which] + 0.5) / (seen + 1)
            return mean, np.ones(len(seen))
        # Bits, shares and counts up to n: as if a 0 and an n more had been seen.
        return (total + most) / (seen + 2)
