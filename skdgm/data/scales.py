r"""Scales of columns of numbers, learned from the data: levels, or normal scores.

A column with few distinct values is categorical in its levels. A column with many
values is read in normal scores of its smoothed distribution function F, as in a
Gaussian copula [1]_,

.. math:: z = \Phi^{-1}(F(x)), \qquad
    \log p(x) = \log p(z) + \log \frac{\mathrm{d} z}{\mathrm{d} x}

where F is continuous and piecewise linear with few knots, so that the model need not
learn heavy tails and edges. Single values that many rows share are atoms: they have
probabilities, while other values have a density.

References
----------
.. [1] Nelsen (2006). An introduction to copulas. Springer, second edition.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import entr, ndtr, ndtri

from skdgm.utils.domains import HUGE
from skdgm.utils.equations import step_of

# Columns with at most LEVELS distinct values, and on average at least REPEATS rows of
# each (_FRACTIONS if the values are not integers), are read as levels.
LEVELS, REPEATS, _FRACTIONS = 20, 10, 50
# Maximum number of levels of a column that is a function of a categorical column.
MANY = 1000
# Minimum share and number of the rows of an atom; minimum ratio to the weight of nearby
# values, and minimum difference in standard errors; maximum number of atoms.
_SHARE, _COUNT, _PEAK, _ERRORS, _ATOMS = 0.002, 5, 2, 4, 50
# Maximum number of separate values, average number of rows of each, and maximum share
# of the multiples of their step that they are.
_SEPARATE, _SEVERAL, _SPARSE = 200, 20, 0.1
# Minimum number of values that support a step larger than a power of ten.
_ENOUGH = 15
# Maximum number of segments of a distribution function, and rows for each.
_SEGMENTS, _ROWS = 64, 30
# Ratio of the width per unit of score of the last segment to that of the segment
# before, above which the last one is divided.
_STEEP = 2.0
# Minimum uniform component of F, with which F increases everywhere.
_UNIFORM = 1e-3
# Maximum relative difference of a value from its level.
_SAME = 1e-6
# Minimum score whose probability is distinguished from 0.
_LOWEST = -30.0
# Limit of numbers in standard units, which nets read together with scores.
_END = 3.0
# Maximum difference of a score from that of an atom, in units of rounding errors.
_NEAR = 16
# Relative rounding error of decimal fractions in single precision.
_ROUNDING = 4 * np.finfo(np.float32).eps


class Levels(NamedTuple):
    """A column with few values, in increasing order, whose units are their ranks."""

    values: np.ndarray

    @property
    def size(self):
        """Number of levels, which is the number of inputs of a net."""
        return len(self.values)

    def forward(self, x):
        """Ranks of values, from 0; NaN where missing or not a level."""
        ranks = np.searchsorted(self.values, x).clip(1, max(1, len(self.values) - 1))
        if len(self.values) == 1:
            ranks, nearest = np.zeros(len(x)), np.broadcast_to(self.values, len(x))
        else:
            below = x - self.values[ranks - 1] < self.values[ranks] - x
            ranks = ranks - below
            nearest = self.values[ranks]
        room = _SAME * np.maximum(np.abs(nearest), _SAME)
        if (self.values == np.rint(self.values)).all():
            # Single precision distinguishes neighboring integers.
            room = np.minimum(room, np.maximum(0.5, _ROUNDING * np.abs(nearest)))
        return np.where(np.abs(x - nearest) <= room, ranks, np.nan)

    def backward(self, v):
        """Values of ranks; fractional ranks are interpolated."""
        return np.interp(v, np.arange(len(self.values)), self.values)


class Scores(NamedTuple):
    """A column with many values, whose units are normal scores.

    ``x`` and ``z`` are values and scores at knots, both increasing. Scores are linear
    between knots, and continue beyond them with the mean slope. ``atoms`` are values
    with their own probabilities. ``low`` and ``high`` are the limits of all draws: the
    observed minimum and maximum, or those of :func:`linear_scores`. ``step`` is the
    unit of which all values are multiples, or 0. ``center`` is the mean of all values;
    observed values lie within 3 units of ``span`` from it. ``waves`` are periods whose
    phases are inputs of nets: for dates a year, a week, a day and their harmonics.
    ``share``, of shape (size,), has the means of a net's inputs: smoothed frequencies
    of atoms, the mean score (0 for atoms), 0, and mean phases.
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
        """Number of inputs of a net: one for each atom, two for the number, and two for
        each wave."""
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
        """Minimum and maximum score that nets read: the range, extended by a
        :func:`tail`."""
        margin = (self.z[-1] - self.z[0]) * tail(
            0.5 / ndtr(max(self.z[0], _LOWEST)) - 1
        )
        return np.array([self.z[0] - margin, self.z[-1] + margin])

    @property
    def marks(self):
        """Scores of the atoms."""
        return self.forward(self.atoms)

    def forward(self, x):
        """Scores of values, NaN where missing."""
        inside = np.interp(x, self.x, self.z)
        beyond = np.minimum(x - self.x[0], 0) + np.maximum(x - self.x[-1], 0)
        limit = HUGE / max(1.0, self.slope)
        return inside + self.slope * np.clip(beyond, -limit, limit)

    def backward(self, z):
        """Values of scores, clipped to the range and rounded; atoms are exact."""
        x, codes = self.rounded(np.interp(z, self.z, self.x)), self.codes(z)
        is_atom = codes < len(self.atoms)
        x[is_atom] = self.atoms[codes[is_atom].astype(int)]
        return x

    def codes(self, z):
        """Index of the atom that each score equals, the number of atoms for other
        scores, and NaN where missing."""
        marks, indices = self.marks, np.full(len(z), float(len(self.atoms)))
        tolerances = self.tolerance(marks, z.dtype)
        for number, mark in enumerate(marks):
            indices[np.abs(z - mark) <= tolerances[number]] = number
        return np.where(np.isnan(z), np.nan, indices)

    @staticmethod
    def tolerance(marks, dtype):
        """Rounding errors of a dtype within which a score equals one of these marks."""
        return _NEAR * np.finfo(dtype).eps * np.maximum(1, np.abs(marks))

    def rounded(self, x):
        """Values clipped to the range, as multiples of the step."""
        x = x.clip(self.low, self.high)
        if not self.step:
            return x
        unit = step_of(np.array([self.step]))
        digits = round(-np.log10(unit))
        if unit < self.step:
            x = np.rint(x / self.step) * self.step
        return np.round(x, digits)

    def is_atom(self, x, dtype=np.float64):
        """Mask of values that are atoms, and whose scores in a dtype are those of
        atoms."""
        is_near = np.abs(x[:, None] - self.atoms) <= _SAME * np.abs(self.atoms)
        has_score = self.codes(self.forward(x).astype(dtype)) < len(self.atoms)
        return has_score & is_near.any(axis=1)

    def log_slope(self, x, dtype=np.float64):
        """Log slope of the scores at each value: 0 at atoms, and where missing."""
        segment = np.searchsorted(self.x, x, side="right")
        inner = np.diff(self.z) / np.diff(self.x)
        slopes = np.concatenate([[self.slope], inner, [self.slope]])
        excluded = np.isnan(x) | self.is_atom(x, dtype)
        return np.where(excluded, 0.0, np.log(slopes[np.where(excluded, 0, segment)]))

    def standard(self, x):
        """Values relative to the center, in units of the span."""
        return (x - self.center) / self.span

    def phases(self, x):
        """Cosines and sines of the phases of values, (n_rows, 2 * n_waves)."""
        angle = 2 * np.pi * (x[:, None] / self.waves)
        return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)

    def value(self, standard):
        """Inverse of :meth:`standard`."""
        return self.center + self.span * standard


def tail(n_rows):
    r"""Margin beyond a range, as a fraction of the range, for values of the same
    distribution.

    .. math:: 2 / \sqrt{n}

    About one in ten thousand values of a normal column lies farther beyond the range of
    n rows.
    """
    return 2 / np.sqrt(np.maximum(n_rows, 1))


def few(values, weight):
    """Return whether to read a column with these distinct values as levels."""
    rows_per_value = REPEATS if (values == np.rint(values)).all() else _FRACTIONS
    return len(values) <= max(2, min(LEVELS, weight.sum() / rows_per_value))


def separate(values, weight):
    """Return whether to read a column as levels because each of its values repeats, and
    they are few of the multiples of their step: then values between them, such as other
    prices, do not occur."""
    n, step = len(values), step_of(values)
    if n > _SEPARATE or weight.min() < _COUNT or weight.sum() < _SEVERAL * n:
        return False
    return not step or n * step < _SPARSE * (values[-1] - values[0])


def stride_of(values):
    """Largest step of which all values, of shape (n_values,), are multiples, or 0;
    larger than a power of ten only if there are enough values."""
    unit = step_of(values)
    if not unit or len(values) < _ENOUGH or np.abs(values).max() / unit > 2**53:
        return unit
    return unit * max(1, int(np.gcd.reduce(np.rint(values / unit).astype(np.int64))))


def linear_scores(values, weight):
    """Learn linear scores of a column of series, whose values may leave the observed
    range: draws are up to one range beyond it, and negative only if a value is."""
    scores, size = scores_of(values, weight), values[-1] - values[0]
    mean = np.average(values, weights=weight)
    deviation = np.sqrt(np.average((values - mean) ** 2, weights=weight))
    low, high = values[0] - size, values[-1] + size
    x = np.array([low, high])
    scores = scores._replace(
        x=x,
        z=(x - mean) / deviation,
        low=float(low if values[0] < 0 else max(low, 0.0)),
        high=float(high),
    )
    is_atom = np.isin(values, scores.atoms)
    share, n_atoms = scores.share.copy(), len(scores.atoms)
    z = np.where(is_atom, 0.0, scores.forward(values))
    share[n_atoms] = weight @ z / weight.sum()
    return scores._replace(share=share)


def scores_of(values, weight, waves=()):
    """Learn the scores of a column from its distinct values (at least two, in
    increasing order) and their weights; ``waves`` are periods."""
    total, step = weight.sum(), stride_of(values)
    around = _around(weight)
    clear = np.maximum(_PEAK * around, around + _ERRORS * np.sqrt(around))
    heavy = weight >= np.maximum(clear, max(_SHARE * total, _COUNT))
    heavy[np.argsort(np.where(heavy, weight, 0), kind="stable")[:-_ATOMS]] = False
    atoms, others, weights_of_others = values[heavy], values[~heavy], weight[~heavy]
    x, z = _knots(values, atoms, others, weights_of_others, step)
    center = float(weight @ values / total)
    span = float(max(values[-1] - center, center - values[0]) / _END)
    scores = Scores(
        x,
        z,
        atoms,
        low=float(values[0]),
        high=float(values[-1]),
        step=step,
        center=center,
        span=span,
        share=np.zeros(0),
        waves=np.array(waves, float),
    )
    mean = weights_of_others @ scores.forward(others) / total if len(others) else 0.0
    frequencies = (weight[heavy] + 1) / (total + len(atoms) + 1)
    phases = weight @ scores.phases(values) / total
    return scores._replace(share=np.concatenate([frequencies, [mean, 0.0], phases]))


def _around(weight):
    """Median weight of the three values before and after each value."""
    windows = np.pad(weight, 3, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(windows, 7)
    return np.nanmedian(np.delete(windows, 3, axis=1), axis=1)


def _knots(values, atoms, others, weight, step):
    """Knots of the scores: at quantiles of the values that are not atoms, and around
    atoms."""
    total, half = max(weight.sum(), 1.0), (step or np.diff(values).min()) / 2
    ends = np.array([values[0] - half, values[-1] + half])
    if step:
        # Each value has a cell of one step. Neighboring cells may share a boundary.
        around = np.concatenate([atoms - half, atoms + half])
        cells = np.concatenate([others[:-1] + half, others[1:] - half, around, ends])
        # Equal places are equal in spite of rounding errors.
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
    # The first place at or above each quantile, the ends, and places around atoms.
    n = int(np.clip(total / _ROWS, 1, _SEGMENTS))
    always[np.searchsorted(share, np.arange(1, n) / n)] = True
    margin = 0.5 / (total + 1)
    z = ndtri(margin + (1 - 2 * margin) * share)
    for order in slice(None), slice(None, None, -1):
        always[order] = _with_tail(places[order], z[order], always[order])
    return places[always], z[always]


def _with_tail(x, z, always):
    """Knots (a mask of places x with scores z), with further ones at the middle place
    of the last segment as long as its scores are much less steep than those of the
    segment before. The few values next to an outlier would otherwise be spread as far
    as the outlier."""
    always = always.copy()
    while True:
        knots = np.flatnonzero(always)
        if len(knots) < 3 or knots[-1] - knots[-2] < 2:
            return always
        x_before, x_last = np.diff(x[knots[-3:]])
        z_before, z_last = np.diff(z[knots[-3:]])
        if abs(x_last * z_before) <= _STEEP * abs(x_before * z_last):
            return always
        always[(knots[-1] + knots[-2]) // 2] = True
