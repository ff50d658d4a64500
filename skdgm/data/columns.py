"""Statistics of columns, and conversion between data and the units of a model.

A model learns the statistics of its columns in its first fit, and stores them in
``_columns``. Each type of column has a class: binary columns and real columns (which
models see standardized) here, codes in :mod:`skdgm.data.codes`, and tables of several
types in :mod:`skdgm.data.mixed`.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from skdgm.data.levels import gray_levels, kept_levels
from skdgm.data.reach import reached
from skdgm.exceptions import MissingDataWarning
from skdgm.training import check_finite, column_spread, column_sums
from skdgm.utils.domains import bernoulli_rows, real_rows
from skdgm.utils.rows import Rows
from skdgm.utils.threading.callers import warn

# Relative standard deviation up to which a column counts as constant (rounding errors).
_CONSTANT = 10 * np.finfo(np.float64).eps
# Mask of all columns.
_ALL: Any = np.True_


class ColumnStatistics(NamedTuple):
    """Statistics of columns, each of shape (n_columns,).

    ``seen`` and ``total`` are the weight of the observed values in all fits and their
    weighted sum. ``mean`` and ``scale`` standardize, and are fixed by the first fit.
    ``varies`` is True for columns with more than one value. ``reach`` is the largest
    magnitude of standardized real columns in all fits, and ``range``, of shape (2,
    n_columns), their minimum and maximum; see :mod:`skdgm.data.reach`. ``per_unit`` is
    the number of gray levels above 0, up to 1, in all fits, or 0 if there are none.
    """

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray | float = 0.0
    scale: np.ndarray | float = 1.0
    varies: np.ndarray | bool = True
    reach: np.ndarray | float = 0.0
    range: np.ndarray | float = 0.0
    per_unit: float = 0.0
    # Fields that older files lack.
    LATER = ("range", "per_unit")

    @property
    def sizes(self):
        """Number of inputs that represent each column, as an int array: 1."""
        return np.ones(len(self.seen), int)


def observed(table, before):
    """Weights and weighted sums of observed values, added to those in ``before``.

    Warn about columns without any observed value.
    """
    seen, total = column_sums(table)
    if before is not None:
        seen, total = before.seen + seen, before.total + total
    if not seen.all():
        names = [table.rows.name_of(j) for j in np.flatnonzero(seen == 0)]
        warn(
            f"Columns {names} have no observed value: nothing can be learned from "
            "them, and values drawn or imputed there are arbitrary. Drop them or fill "
            "them.",
            MissingDataWarning,
        )
    return seen, total


def has_gray(rows, which, index=None):
    """Return whether the binary columns ``which`` (indices) have values strictly
    between 0 and 1, in the rows at an index or in all rows."""
    if rows.binary or not len(which):
        return False
    places = rows.blocks()
    if index is not None:
        places = (index[block] for block in rows.blocks(len(index)))
    parts = (rows.take(place)[:, which] for place in places)
    return any(((part > 0) & (part < 1)).any() for part in parts)


class ColumnKind(ABC):
    """A type of columns: validation, statistics, and units of the model.

    Methods take the statistics ``columns`` that ``learn`` returned. By default, the
    data are in the units of the model. Class attributes are

    - ``kind``, the name of the kind,
    - ``tags``, scikit-learn's input tags that differ from the default,
    - ``sample_type``, the dtype of samples, None for that of the model,
    - ``measure``, "probability" or "density": what a model assigns to a row,
    - ``takes_times``, whether columns may be dates or durations,
    - ``top``, the value that stands for 1 in bits.
    """

    tags, sample_type, measure, takes_times = {}, None, "probability", False
    kind, top = None, 1.0

    @abstractmethod
    def rows(
        self,
        model: Any,
        X: Any,
        *,
        columns: Any = None,
        reset: bool = False,
        fitting: bool = False,
        dtype: Any = None,
    ) -> Rows:
        """Validate data and return Rows, which are converted to ``dtype`` and to the
        units of the model. ``reset`` is True in a first fit, which sets the model's
        number and names of columns and leaves units unchanged; ``fitting`` is True in
        all fits."""

    @abstractmethod
    def learn(self, table: Any, before: Any = None) -> tuple[Any, Any]:
        """Statistics of a Table (ColumnStatistics, Codes or Mixed), combined with those
        of earlier fits, and the table in the units of the model."""

    @abstractmethod
    def share(self, columns):
        """Smoothed means of a net's inputs, of shape (n_inputs,); None if all are 0."""

    @abstractmethod
    def loss_of_independent(self, columns):
        """Negative log-likelihood of independent columns, in nats per row."""

    def bits(self, columns):
        """Indices of the binary columns."""
        return np.arange(0)

    def in_units(self, rows, columns):
        """Rows in the units of the model."""
        return rows

    def to_data(self, columns, v):
        """Convert values in the units of the model to values of columns, in the dtype
        of v."""
        return v

    def log_measure(self, columns):
        """Log-determinant of the conversion to units, for each column."""
        return np.zeros(len(columns.seen))

    def log_volume(self, columns: Any, rows: Rows) -> Any:
        """Log-determinant for each row, to be added to log densities of units: an array
        of shape (n_rows,), or a number if it is the same for all rows."""
        return 0.0

    def has_mass(self, columns, rows):
        """Mask of entries that have a probability instead of a density; broadcasts to
        the shape of the rows."""
        return np.full((1, 1), self.measure == "probability")

    def log_entries(self, columns, rows):
        """Log-determinant for each entry, 0 where missing; broadcasts to the shape of
        the rows."""
        volume = self.log_measure(columns)
        if rows.complete:
            return volume
        parts = [np.isfinite(rows.take(block)) * volume for block in rows.blocks()]
        return np.concatenate(parts)


class BinaryColumns(ColumnKind):
    """Binary columns with values 0, 1 or probabilities of 1; or gray levels from 0 to
    ``top``, which are divided by ``top``."""

    kind, tags = "bernoulli", {"positive_only": True}

    def __init__(self, top=1.0):
        self.top = top

    @property
    def sample_type(self):
        return bool if self.top == 1 else None

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        options = {"reset": reset, "fitting": fitting, "dtype": dtype, "top": self.top}
        return self.in_units(bernoulli_rows(model, X, **options), None)

    def learn(self, table, before=None):
        seen, total = observed(table, before)
        columns = ColumnStatistics(seen, total, scale=self.top)
        if before is not None:
            per_unit = kept_levels(table, before.per_unit)
            return columns._replace(per_unit=per_unit), table
        per_unit = gray_levels(table) if self.top == 1 else self.top
        return columns._replace(per_unit=per_unit), table

    def in_units(self, rows, columns):
        return rows if self.top == 1 else rows._replace(affine=(0.0, self.top))

    def to_data(self, columns, v):
        return v if self.top == 1 else (v * self.top).astype(v.dtype, copy=False)

    def bits(self, columns):
        return np.arange(len(columns.seen))

    def moments(self, columns):
        """Mean of each column, with Laplace smoothing."""
        return (columns.total + 1) / (columns.seen + 2)

    # Initial values of missing entries, too.
    share = fill = moments

    def loss_of_independent(self, columns):
        p = self.moments(columns)
        return -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum()


def constants_kept(columns, x):
    """Rows x, in units of the data, in which real columns with a single value in all
    fits have this value; 0 without any value."""
    if not (np.ndim(columns.varies) and np.ndim(columns.range)):
        return x
    constant = ~columns.varies & (columns.range == 0).all(axis=0)
    if not constant.any():
        return x
    return np.where(constant & ~np.isnan(x), columns.mean, x).astype(x.dtype)


def standards(table, seen, total, real=_ALL):
    """Means and standard deviations that standardize the real columns of a table, and a
    mask of columns with more than one value, each of shape (n_columns,).

    ``seen`` and ``total`` are weights and sums of observed values. Columns that are not
    ``real`` have the values 0, 1 and True. A constant column has the geometric mean of
    the other scales, or 1. ValueError if means or variances overflow.
    """
    mean = total / np.maximum(seen, np.finfo(float).tiny)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = column_spread(table, mean)
    check_finite(mean, scale, "columns")
    varies = scale > _CONSTANT * np.abs(mean)
    usable = varies & real
    # The geometric mean is equivariant to the units of the data.
    floor = np.exp(np.log(scale[usable]).mean()) if usable.any() else 1.0
    scale = np.where(varies, scale, floor)
    return np.where(real, mean, 0.0), np.where(real, scale, 1.0), varies | ~real


class RealColumns(ColumnKind):
    """Columns of real numbers, which are standardized for the model."""

    kind, measure = "gaussian", "density"

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        return rows if reset else self.in_units(rows, columns)

    def learn(self, table, before=None):
        """Learn statistics in the first fit; later fits only update the range of
        columns, given a ``table`` that is already standardized."""
        if before is not None:
            return reached(before, table), table
        raw = table._replace(rows=table.rows._replace(dtype=np.float64))
        seen, total = observed(raw, None)
        mean, scale, varies = standards(raw, seen, total)
        columns = ColumnStatistics(seen, total, mean, scale, varies)
        return self._seen_by(columns, table)

    def _seen_by(self, columns, table):
        """Statistics with an updated range, and the standardized table."""
        table = table._replace(rows=self.in_units(table.rows, columns))
        return reached(columns, table), table

    def in_units(self, rows, columns):
        """Rows that are standardized when they are read."""
        return rows._replace(affine=(columns.mean, columns.scale))

    def moments(self, columns):
        """Mean and variance of all standardized columns: 0 and 1."""
        return 0.0, 1.0

    def share(self, columns):
        return None

    def fill(self, columns):
        """Initial standardized values of missing entries: 0."""
        return np.zeros(len(columns.scale))

    def loss_of_independent(self, columns):
        """Entropy of n standard normal columns, n / 2 times log(2πe), in nats."""
        return 0.5 * len(columns.scale) * np.log(2 * np.pi * np.e)

    def to_data(self, columns, v):
        """Values of columns in the dtype of v. Columns with a single value in all fits
        have this value, and 0 without any value."""
        x = (v * columns.scale + columns.mean).astype(v.dtype, copy=False)
        return constants_kept(columns, x)

    def log_measure(self, columns):
        r"""Log-determinant of standardization, :math:`-\log` scale, for each column."""
        return -np.log(columns.scale)

    def log_volume(self, columns, rows):
        """Log-determinant for each row: the sum of :meth:`log_measure` over its
        observed entries; a number if rows are complete."""
        volume = self.log_measure(columns)
        if rows.complete:
            return volume.sum()
        parts = [np.isfinite(rows.take(block)) @ volume for block in rows.blocks()]
        return np.concatenate(parts)
