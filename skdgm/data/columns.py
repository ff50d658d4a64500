"""Statistics of columns, and conversion between data and the units of a model.

A model learns the statistics of its columns in its first fit, and keeps them in
``_columns``. There is a class for each kind of column: binary columns and real ones
here, of which models see the latter standardised; codes in :mod:`skdgm.data.codes`,
and several kinds in :mod:`skdgm.data.mixed`.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from skdgm.data.reach import reached
from skdgm.exceptions import MissingDataWarning
from skdgm.training import check_finite, column_spread, column_sums
from skdgm.utils.domains import bernoulli_rows, real_rows
from skdgm.utils.threading.callers import warn

# Relative standard deviation up to which a column is constant but for rounding.
_CONSTANT = 10 * np.finfo(np.float64).eps


class Columns(NamedTuple):
    """Statistics of columns, each of shape (n_columns,).

    ``seen`` and ``total`` are the weight of the observed values in all fits and their
    weighted sum; ``mean`` and ``scale`` are subtracted and divided by, fixed by the
    first fit; ``varies`` is True for columns with more than one value; ``reach`` is the
    largest magnitude of real columns in all fits, standardised, and ``range``, of shape
    (2, n_columns), their least and their largest value; see :mod:`skdgm.data.reach`.
    """

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray = 0.0
    scale: np.ndarray = 1.0
    varies: np.ndarray = True
    reach: np.ndarray = 0.0
    range: np.ndarray = 0.0
    # Fields that older files lack.
    LATER = ("range",)

    @property
    def sizes(self):
        """Number of inputs that represent each column, as an int array: 1."""
        return np.ones(len(self.seen), int)


def observed(table, before):
    """Weights and weighted sums of observed values, added to those of ``before``.

    Warn of columns without any observed value.
    """
    seen, total = column_sums(table)
    if before is not None:
        seen, total = before.seen + seen, before.total + total
    if not seen.all():
        warn(
            f"Columns {np.flatnonzero(seen == 0).tolist()} have no observed "
            "value: nothing can be learned of them. Drop them or fill them.",
            MissingDataWarning,
        )
    return seen, total


def has_grey(rows, which):
    """Return whether binary columns, at these indices, have values strictly between 0
    and 1."""
    if rows.binary or not len(which):
        return False
    parts = (rows.take(block)[:, which] for block in rows.blocks())
    return any(((part > 0) & (part < 1)).any() for part in parts)


class ColumnKind(ABC):
    """A kind of columns: validation, statistics, and units of the model.

    All methods take the statistics ``columns`` that ``learn`` returned. Base class,
    whose columns are in the units of the model as they are. ``tags`` are scikit-learn's
    input tags that differ from the default; ``sample_type`` the type of samples, None
    for that of the model; ``measure`` what a model gives of a row, a "probability" or a
    "density"; ``takes_times`` tells whether columns may be dates or durations; ``kind``
    is the name of the kind, and ``top`` the value that stands for 1 in bits.
    """

    tags, sample_type, measure, takes_times = {}, None, "probability", False
    kind, top = None, 1.0

    @abstractmethod
    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate data, in a first fit if ``reset``, in any if ``fitting``, to be
        computed with in ``dtype``: Rows in the units of the model, by the statistics of
        the ``columns``, or unchanged if ``reset``. The model gets the number and the
        names of its columns in a first fit, as scikit-learn's have them."""

    @abstractmethod
    def learn(self, table, before=None):
        """Learn the statistics of a Table, given those of earlier fits: the statistics,
        as Columns, Codes or Mixed, and the table in the units of the model."""

    @abstractmethod
    def share(self, columns):
        """Smoothed means of a net's inputs, of shape (n_inputs,); None if all are 0."""

    @abstractmethod
    def loss_of_independent(self, columns):
        """Negative log-likelihood per row, in nats, if columns were independent."""

    def bits(self, columns):
        """Indices of the binary columns."""
        return np.arange(0)

    def seen(self, rows, columns):
        """Rows in the units of the model."""
        return rows

    def to_data(self, columns, v):
        """Convert values of units to values of columns, in the dtype of v."""
        return v

    def log_measure(self, columns):
        """Log of the Jacobian of each column's units."""
        return np.zeros(len(columns.seen))

    def log_volume(self, columns, rows):
        """Log volume of each row, which is added to log densities of units, of shape
        (n_rows,); a number if the same for all."""
        return 0.0

    def has_mass(self, columns, rows):
        """Boolean array, True for entries that have a probability, and not a density;
        broadcasts to the rows' shape."""
        return np.full((1, 1), self.measure == "probability")

    def log_entries(self, columns, rows):
        """Log volume of each entry, 0 where missing; broadcasts to the rows' shape."""
        shrunk = self.log_measure(columns)
        if rows.complete:
            return shrunk
        parts = [np.isfinite(rows.take(block)) * shrunk for block in rows.blocks()]
        return np.concatenate(parts)


class BinaryColumns(ColumnKind):
    """Binary columns, whose values are 0, 1 or probabilities of 1; or grey levels up to
    ``top``, whose shares of it are such probabilities."""

    kind, tags = "bernoulli", {"positive_only": True}

    def __init__(self, top=1.0):
        self.top = top

    @property
    def sample_type(self):
        return bool if self.top == 1 else None

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        given = {"reset": reset, "fitting": fitting, "dtype": dtype, "top": self.top}
        return self.seen(bernoulli_rows(model, X, **given), None)

    def learn(self, table, before=None):
        return Columns(*observed(table, before), scale=self.top), table

    def seen(self, rows, columns):
        return rows if self.top == 1 else rows._replace(affine=(0.0, self.top))

    def to_data(self, columns, v):
        return v if self.top == 1 else (v * self.top).astype(v.dtype, copy=False)

    def bits(self, columns):
        return np.arange(len(columns.seen))

    def moments(self, columns):
        """Mean of each column, smoothed as if a 0 and a 1 more had been seen."""
        return (columns.total + 1) / (columns.seen + 2)

    # Initial values of missing entries, too.
    share = fill = moments

    def loss_of_independent(self, columns):
        p = self.moments(columns)
        return -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum()


def standards(table, seen, total, real=np.True_):
    """Means and standard deviations by which the columns of a table are standardised,
    given the weights and sums of observed values and which are ``real``: three arrays
    of shape (n_columns,), in float64, with a mask of those with more than one value.

    They are 0, 1 and True for columns that are not real. The scale of constant columns
    is the geometric mean of the others' (1 if there are none). ValueError if values are
    too large for their mean and variance to be finite.
    """
    mean = total / np.maximum(seen, np.finfo(float).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = column_spread(table, mean)
    check_finite(mean, scale, "columns")
    varies = scale > _CONSTANT * np.abs(mean)
    known = varies & real
    # This scale follows the units of the data, and so does the density.
    floor = np.exp(np.log(scale[known]).mean()) if known.any() else 1.0
    scale = np.where(varies, scale, floor)
    return np.where(real, mean, 0.0), np.where(real, scale, 1.0), varies | ~real


class RealColumns(ColumnKind):
    """Columns of real numbers of any scale, which are standardised for the model."""

    kind, measure = "gaussian", "density"

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        return rows if reset else self.seen(rows, columns)

    def learn(self, table, before=None):
        """Learn in the first fit only, but how far columns reach: ``table`` is then
        standardised already."""
        if before is not None:
            return reached(before, table), table
        raw = table._replace(rows=table.rows._replace(dtype=np.float64))
        seen, total = observed(raw, None)
        return self._seen_by(Columns(seen, total, *standards(raw, seen, total)), table)

    def _seen_by(self, columns, table):
        """Statistics, with how far columns reach, and the table as they standardise
        it."""
        table = table._replace(rows=self.seen(table.rows, columns))
        return reached(columns, table), table

    def seen(self, rows, columns):
        """Rows that are standardised as they are read."""
        return rows._replace(affine=(columns.mean, columns.scale))

    def moments(self, columns):
        """Mean and variance of all standardised columns: 0 and 1."""
        return 0.0, 1.0

    def share(self, columns):
        return None

    def fill(self, columns):
        """Initial values of missing entries, standardised: 0."""
        return np.zeros(len(columns.scale))

    def loss_of_independent(self, columns):
        """Entropy of n standard normal columns, n / 2 times log(2πe), in nats."""
        return 0.5 * len(columns.scale) * np.log(2 * np.pi * np.e)

    def to_data(self, columns, v):
        return (v * columns.scale + columns.mean).astype(v.dtype, copy=False)

    def log_measure(self, columns):
        """Log of the Jacobian of standardisation, :math:`-\\log` scale, per column."""
        return -np.log(columns.scale)

    def log_volume(self, columns, rows):
        """Log volume of each row: the sum of :meth:`log_measure` over its observed
        entries; a number where rows are complete."""
        shrunk = self.log_measure(columns)
        if rows.complete:
            return shrunk.sum()
        parts = [np.isfinite(rows.take(block)) @ shrunk for block in rows.blocks()]
        return np.concatenate(parts)
