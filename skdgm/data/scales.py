r"""Scales of columns of numbers, learned from the data: levels, or normal scores.

A column of few values is a choice among these. A column of many is read in normal
scores of its smoothed distribution function F, as a Gaussian copula reads it [1]_,

.. math:: z = \Phi^{-1}(F(x)), \qquad
    \log p(x) = \log p(z) + \log \frac{\mathrm{d} z}{\mathrm{d} x}

where F is continuous and linear between few knots, so that heavy tails and edges are no
burden of the model. Single values that many rows share are atoms: they have
probabilities, and the other values a density.

References
----------
.. [1] Nelsen (2006). An introduction to copulas. Springer, second edition.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr, ndtr, ndtri

from skdgm.utils.domains import HUGE

# Columns with at most this many distinct values, and on average this many rows of each
# (more where they are not whole), are read as levels.
LEVELS, REPEATS, _FRACTIONS = 20, 10, 50
# Most levels of a column whose value is a function of a category in as many rows.
MANY = 1000
# An atom has at least this share of the rows, this many, stands out from the values
# around it by this factor, and by as many standard errors; most of a column.
_SHARE, _COUNT, _PEAK, _ERRORS, _ATOMS = 0.002, 5, 2, 4, 50
# Most segments of a distribution function, and rows for each.
_SEGMENTS, _ROWS = 64, 30
# Least share of F that is uniform over the range, so that it increases everywhere.
_UNIFORM = 1e-3
# Values differ by no more than this, relative to a level's size, to be that level.
_SAME = 1e-6
# Values of numbers in standard units, which nets read beside scores, end here.
_END = 3.0
_DIGITS = 6
# Rounding errors up to which a score is an atom's.
_NEAR = 16
# Relative rounding error of decimal fractions in single precision.
_ROUNDING = 4 * np.finfo(np.float32).eps


class Levels(NamedTuple):
    """A column of few values, in increasing order, whose units are their ranks."""

    values: np.ndarray

    @property
    def size(self):
        """Number of inputs of a net: that of levels."""
        return len(self.values)

    def forward(self, x):
        """Ranks of values, from 0 on; NaN where missing or not a level."""
        found = np.searchsorted(self.values, x).clip(1, max(1, len(self.values) - 1))
        if len(self.values) == 1:
            found, near = np.zeros(len(x)), np.broadcast_to(self.values, len(x))
        else:
            below = x - self.values[found - 1] < self.values[found] - x
            found = found - below
            near = self.values[found]
        room = _SAME * np.maximum(np.abs(near), _SAME)
        if (self.values == np.rint(self.values)).all():
            # Other whole numbers are not near, as single precision has these digits.
            room = np.minimum(room, np.maximum(0.5, _ROUNDING * np.abs(near)))
        return np.where(np.abs(x - near) <= room, found, np.nan)

    def backward(self, v):
        """Values of ranks, with fractions between two."""
        return np.interp(v, np.arange(len(self.values)), self.values)


class Scores(NamedTuple):
    """A column of many values, whose units are normal scores.

    ``x`` and ``z`` are values and their scores at knots, both increasing; scores are
    linear between these, and beyond them, with the mean slope. ``atoms`` are values
    with probabilities of their own; ``low`` and ``high`` the least and largest value
    seen, which end the range of all that is drawn, rounded to ``step``, of which all
    values are multiples, unless it is 0. ``center`` is the mean of all values, and
    ``span`` the unit in which they lie within 3 of it. ``waves`` are periods, in the
    unit of the values, whose phases nets read, too: a year, a week and a day of dates,
    and parts of these. ``share``, of shape (size,), has smoothed frequencies of atoms,
    the mean score of the rows, 0 at an atom, 0, and mean phases.
    """

    x: np.ndarray
    z: np.ndarray
    atoms: np.ndarray
    low: float
    high: float
    step: float
    center: float
    span: float
    share: np.ndarray
    waves: np.ndarray = np.zeros(0)
    # Fields that older files lack.
    LATER = ("waves",)

    @property
    def size(self):
        """Number of inputs of a net: one for each atom, two more, and two of each
        wave."""
        return len(self.atoms) + 2 + 2 * len(self.waves)

    @property
    def entropy(self):
        """Differential entropy of the column in scores, in nats."""
        p = self.share[: len(self.atoms)]
        p = np.append(p, max(0.0, 1 - p.sum()))
        return float(entr(p).sum() + p[-1] * 0.5 * np.log(2 * np.pi * np.e))

    @property
    def slope(self):
        """Mean slope of the scores."""
        return (self.z[-1] - self.z[0]) / (self.x[-1] - self.x[0])

    @property
    def ends(self):
        """Scores between which nets read values: those of the range, wider by a tail;
        see :func:`tail`."""
        room = (self.z[-1] - self.z[0]) * tail(0.5 / ndtr(self.z[0]) - 1)
        return np.array([self.z[0] - room, self.z[-1] + room])

    @property
    def marks(self):
        """Scores of the atoms."""
        return self.forward(self.atoms)

    def forward(self, x):
        """Scores of values, NaN where missing."""
        inside = np.interp(x, self.x, self.z)
        beyond = np.minimum(x - self.x[0], 0) + np.maximum(x - self.x[-1], 0)
        most = HUGE / max(1.0, self.slope)
        return inside + self.slope * np.clip(beyond, -most, most)

    def backward(self, z):
        """Values of scores, within the range, rounded; atoms exactly."""
        x, codes = self.rounded(np.interp(z, self.z, self.x)), self.codes(z)
        at = codes < len(self.atoms)
        x[at] = self.atoms[codes[at].astype(int)]
        return x

    def codes(self, z):
        """Numbers of the atoms that scores are, the number of atoms for all others, and
        NaN where missing."""
        marks, found = self.marks, np.full(len(z), float(len(self.atoms)))
        near = self.tolerance(marks, z.dtype)
        for number, mark in enumerate(marks):
            found[np.abs(z - mark) <= near[number]] = number
        return np.where(np.isnan(z), np.nan, found)

    @staticmethod
    def tolerance(marks, dtype):
        """Rounding errors of a dtype up to which a score is one of these marks."""
        return _NEAR * np.finfo(dtype).eps * np.maximum(1, np.abs(marks))

    def rounded(self, x):
        """Values within the range, as multiples of the step."""
        x = x.clip(self.low, self.high)
        if not self.step:
            return x
        return np.round(x, round(-np.log10(self.step)))

    def is_atom(self, x, dtype=np.float64):
        """Boolean array, True for values that are atoms, and have scores of these in
        a dtype."""
        near = np.abs(x[:, None] - self.atoms) <= _SAME * np.abs(self.atoms)
        same = self.codes(self.forward(x).astype(dtype)) < len(self.atoms)
        return same & near.any(axis=1)

    def log_slope(self, x, dtype=np.float64):
        """Log slope of the scores at each value: 0 at atoms, and where missing."""
        place = np.searchsorted(self.x, x, side="right")
        inner = np.diff(self.z) / np.diff(self.x)
        slopes = np.concatenate([[self.slope], inner, [self.slope]])
        none = np.isnan(x) | self.is_atom(x, dtype)
        return np.where(none, 0.0, np.log(slopes[np.where(none, 0, place)]))

    def standard(self, x):
        """Values in units of the span, from the center."""
        return (x - self.center) / self.span

    def phases(self, x):
        """Cosines and sines of the phases of values, (n_rows, 2 * n_waves)."""
        angle = 2 * np.pi * (x[:, None] / self.waves)
        return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)

    def value(self, standard):
        """Values of what :meth:`standard` gives."""
        return self.center + self.span * standard


def tail(n_rows):
    r"""Share of a range by which values of the same distribution may be beyond it.

    .. math:: 2 / \sqrt{n}

    One of some ten thousand rows of a normal column is beyond the range of n rows by
    more.
    """
    return 2 / np.sqrt(np.maximum(n_rows, 1))


def few(values, weight):
    """Return whether a column of these distinct values is one of levels."""
    each = REPEATS if (values == np.rint(values)).all() else _FRACTIONS
    return len(values) <= max(2, min(LEVELS, weight.sum() / each))


def step_of(values):
    """Largest step of which all values, of shape (n_values,), are multiples, or 0."""
    size = np.abs(values)
    if size.max() > 2**53:
        return 0.0
    if (values == np.rint(values)).all():
        return 1.0
    for digits in range(1, _DIGITS + 1):
        unit = 10.0**-digits
        near = np.abs(np.round(values, digits) - values)
        if (near <= np.minimum(_ROUNDING * size, 0.01 * unit)).all():
            return unit
    return 0.0


def scores_of(values, weight, waves=()):
    """Learn the scores of a column from its distinct values, at least two, in
    increasing order, and the weight of each; ``waves`` are periods to be read."""
    total, step = weight.sum(), step_of(values)
    around = _around(weight)
    clear = np.maximum(_PEAK * around, around + _ERRORS * np.sqrt(around))
    heavy = weight >= np.maximum(clear, max(_SHARE * total, _COUNT))
    heavy[np.argsort(np.where(heavy, weight, 0), kind="stable")[:-_ATOMS]] = False
    atoms, others, own = values[heavy], values[~heavy], weight[~heavy]
    x, z = _knots(values, atoms, others, own, step)
    center = float(weight @ values / total)
    span = float(max(values[-1] - center, center - values[0]) / _END)
    facts = float(values[0]), float(values[-1]), step, center, span
    found = Scores(x, z, atoms, *facts, np.zeros(0), np.array(waves, float))
    mean = own @ found.forward(others) / total if len(others) else 0.0
    each = (weight[heavy] + 1) / (total + len(atoms) + 1)
    phases = weight @ found.phases(values) / total
    return found._replace(share=np.concatenate([each, [mean, 0.0], phases]))


def _around(weight):
    """Median weight of the three values before and after each one."""
    near = np.pad(weight, 3, constant_values=np.nan)
    near = np.lib.stride_tricks.sliding_window_view(near, 7)
    return np.nanmedian(np.delete(near, 3, axis=1), axis=1)


def _knots(values, atoms, others, weight, step):
    """Knots of the scores: at quantiles of the other values, and around the atoms."""
    total, half = max(weight.sum(), 1.0), (step or np.diff(values).min()) / 2
    ends = np.array([values[0] - half, values[-1] + half])
    if step:
        # Cells of values end half a step from them: between two at one place, or two.
        around = np.concatenate([atoms - half, atoms + half])
        cells = np.concatenate([others[:-1] + half, others[1:] - half, around, ends])
        # The same places are equal in spite of rounding errors.
        places = np.unique(np.rint(cells / half)) * half
        always = np.isin(places, np.rint(np.concatenate([around, ends]) / half) * half)
    else:
        places = np.concatenate([ends[:1], (others[:-1] + others[1:]) / 2, ends[1:]])
        always = np.isin(places, ends)
    below = np.concatenate([[0.0], np.cumsum(weight)])
    below = below[np.searchsorted(others, places, side="right")]
    uniform = (places - places[0]) / (places[-1] - places[0])
    blend = max(_UNIFORM, 1 / (total + 1))
    share = (1 - blend) * below / total + blend * uniform
    # The first place at or above each quantile, the ends, and those around atoms.
    n = int(np.clip(total / _ROWS, 1, _SEGMENTS))
    always[np.searchsorted(share, np.arange(1, n) / n)] = True
    room = 0.5 / (total + 1)
    return places[always], ndtri(room + (1 - 2 * room) * share[always])
