"""Bounded columns and columns of whole numbers of flows."""

from typing import NamedTuple

import numpy as np
from scipy.special import logit
from sklearn.utils.validation import _get_feature_names

from skdgm.base.parts import columns_of
from skdgm.data import ColumnType, RealColumns
from skdgm.data.auto import AUTO, MIN_IMAGE_COLUMNS, top_of_gray
from skdgm.data.codes import refuse
from skdgm.data.levels import levels_per_unit, on_levels, sampled
from skdgm.data.scales import few
from skdgm.data.series import brief
from skdgm.data.units import Clipped
from skdgm.exceptions import DataRangeWarning
from skdgm.nets.dequantization import Cells
from skdgm.utils.domains import ROUNDING, real_rows
from skdgm.utils.threading.callers import warn

# Most rows for the moments of logits; quadrature points in a unit cell.
_MAX_ROWS, _QUADRATURE = 10_000, (np.arange(8) + 0.5) / 8
# Standard deviations of a uniform number on [0, 1), and of its logit.
_UNIFORM, _LOGISTIC = np.sqrt(1 / 12), np.pi / np.sqrt(3)


class CellColumns(NamedTuple):
    """Statistics of columns, as in :class:`~skdgm.data.columns.ColumnStatistics`, and
    their ``cells``."""

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray
    reach: np.ndarray
    cells: Cells
    range: np.ndarray = 0.0
    # Fields that models saved by older versions lack.
    LATER = ("range",)

    @property
    def sizes(self):
        """Number of inputs that represent each column: 1."""
        return np.ones(len(self.seen), int)

    def column_types(self):
        """List of the :class:`~skdgm.data.ColumnType` of each column."""
        cells = self.cells
        bounds = zip(cells.whole.tolist(), cells.low.tolist(), cells.last.tolist())
        return [
            ColumnType(
                "gaussian",
                low=low if np.isfinite(low) else None,
                high=high if np.isfinite(high) else None,
                step=is_whole / cells.per_unit,
            )
            for is_whole, low, high in bounds
        ]


class FlowColumns(RealColumns):
    """Real columns, with ``bounds``, a pair for all columns or a dict by name. Unless
    ``dequantization`` is None, noise is added to columns that have only whole numbers
    in training. With "auto", levels of such columns have bounds."""

    def __init__(self, bounds, dequantization):
        self.bounds, self.dequantization = bounds, dequantization

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate data. After ``fit``, values beyond the bounds are clipped with a
        warning; in later fits, this holds for bounds that were read from the data. With
        "auto", fractions are rounded with a warning where whole numbers were expected;
        otherwise, they are refused."""
        if not (reset or _has_cells(columns)):
            return super().rows(model, X, columns=columns, fitting=fitting, dtype=dtype)
        rows = real_rows(model, X, reset=reset, dtype=dtype)
        owner = type(model).__name__
        names = _get_feature_names(getattr(X, "header", X))
        names = list(range(rows.shape[1]) if names is None else names)
        fitted_names = names
        if not reset:
            # Bounds have the names of the first fit.
            fitted_names = list(getattr(model, "feature_names_in_", range(len(names))))
        low, high = self._limits(fitted_names, owner)
        has_given, is_whole = np.isfinite(low), np.zeros(len(low), bool)
        per_unit = 1.0 if reset else columns.cells.per_unit
        if not reset:
            cells = columns.cells
            low, high, is_whole = cells.low, cells.last, cells.whole
        exceeds, fractions = np.zeros((2, len(low)), bool)
        outside = "is beyond the bounds of its column"
        bounds = np.where(np.isfinite(low), (low, high), 0)
        tolerance = ROUNDING * np.abs(bounds).max(axis=0)
        is_checked = np.isfinite(low).any() or is_whole.any()
        for block in rows.blocks() if is_checked else ():
            batch = rows.take(block)
            outside_mask = (batch < low - tolerance) | (batch > high + tolerance)
            if fitting:
                refuse(batch, outside_mask & has_given, names, owner, outside)
            exceeds |= outside_mask.any(axis=0)
            fractional = is_whole & ~on_levels(batch, per_unit)
            if self.dequantization != AUTO:
                fraction_message = "is no whole number, as all were in the first fit"
                refuse(batch, fractional, names, owner, fraction_message)
            fractions |= fractional.any(axis=0)
        if fractions.any():
            rounded = [names[j] for j in np.flatnonzero(fractions)]
            warn(
                f"{owner} rounds values of columns {rounded}, which had only whole "
                "numbers, or gray levels, in the first fit: with dequantization=None, "
                "it fits them as real numbers.",
                DataRangeWarning,
            )
        if exceeds.any():
            clipped = [names[j] for j in np.flatnonzero(exceeds)]
            warn(
                f"{owner} got values beyond the bounds of columns {clipped}, and clips "
                "them.",
                DataRangeWarning,
            )
        if reset or exceeds.any():
            rows = rows._replace(scales=tuple(map(Clipped, low, high)))
        return rows if reset else self.in_units(rows, columns_of(model))

    def _limits(self, names, subject):
        """Lower and upper bound of each column; infinite if unbounded."""
        low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
        bounds = self.bounds
        if not isinstance(bounds, dict):
            bounds = {} if bounds is None else dict.fromkeys(names, bounds)
        for name, pair in bounds.items():
            if name not in names:
                raise ValueError(
                    f"bounds of {subject} name {name!r}, but the columns are "
                    f"{brief(names)}."
                )
            j = names.index(name)
            low[j], high[j] = _pair(pair, subject)
        return low, high

    def learn(self, table, before=None):
        """Learn statistics of columns, and which are whole numbers, in the first fit
        only."""
        if before is not None and not _has_cells(before):
            return super().learn(table, before)
        if before is not None:
            columns, table = super().learn(table, before)
            reach = np.where(before.cells.limited, 0.0, columns.reach)
            return columns._replace(reach=reach), table
        low, high = np.array(table.rows.scales).T
        table = table._replace(rows=table.rows._replace(scales=None))
        # Integers may be too large for the dtype of the model.
        exact = table._replace(rows=table.rows._replace(dtype=np.float64))
        is_whole, ends = self._whole(exact)
        per_unit = 1.0
        if self.dequantization == AUTO:
            has_bounds = np.isfinite(low)
            is_whole, per_unit, level_ends = _levels(exact, is_whole, ends)
            low, high = np.where(has_bounds, (low, high), level_ends)
        columns, table = super().learn(table)
        if not (is_whole.any() or np.isfinite(low).any()):
            return columns, table
        first = np.ceil(low * per_unit - ROUNDING)
        last = np.floor(high * per_unit + ROUNDING)
        whole_ends = np.stack([first, last + 1]) / per_unit
        low, high = np.where(is_whole, whole_ends, (low, high))
        cells = Cells(
            columns.mean, columns.scale, is_whole, low, high, 0.0, 1.0, per_unit
        )
        # Values within bounds are never outliers after a logit.
        reach = np.where(cells.limited, 0.0, columns.reach)
        fields = columns._replace(reach=reach)._asdict() | {"cells": cells}
        columns = CellColumns(**{name: fields[name] for name in CellColumns._fields})
        return columns._replace(cells=_spread(columns, table)), table

    def _whole(self, table):
        """Mask of the columns of whole numbers, none unless they are dequantized, and
        the smallest and largest value of each column."""
        n = table.rows.shape[1]
        is_dequantized = self.dequantization is not None
        is_whole, ends = np.full(n, is_dequantized), np.full((2, n), np.nan)
        for block in table.rows.blocks(len(table.index)) if is_dequantized else ():
            batch = table.rows.take(table.index[block])
            is_whole &= (np.isnan(batch) | (batch == np.rint(batch))).all(axis=0)
            ends[0] = np.fmin(ends[0], np.fmin.reduce(batch, axis=0))
            ends[1] = np.fmax(ends[1], np.fmax.reduce(batch, axis=0))
        return is_whole & ~np.isnan(ends[0]), ends

    def loss_of_independent(self, columns):
        """Entropy of independent normal columns, in nats, with noise in whole
        numbers."""
        entropy = super().loss_of_independent(columns)
        if not _has_cells(columns):
            return entropy
        ratio = np.where(columns.varies, 1.0, 0.0)
        uniform = columns.cells.whole * _UNIFORM / columns.cells.per_unit
        ratio = np.hypot(ratio, uniform / columns.scale)
        return entropy + np.log(np.where(ratio > 0, ratio, 1.0)).sum()

    def to_data(self, columns, v):
        """Values of columns in units of the data: rounded and clipped to their
        bounds."""
        x = super().to_data(columns, v)
        if not _has_cells(columns):
            return x
        cells = columns.cells
        # The sum has no negative zeros.
        x = cells.rounded(x).clip(cells.low, cells.last) + 0.0
        return x.astype(v.dtype)


def _has_cells(columns):
    """Return whether any column has levels or bounds."""
    return hasattr(columns, "cells")


def _pair(ends, subject):
    """Lower and upper bound of a column, as floats."""
    try:
        low, high = map(float, ends)
        if -np.inf < low < high < np.inf:
            return low, high
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"bounds of {subject} must be a pair of finite numbers, the lower one first, "
        f"or a dict of such by the names of columns; got {ends!r}."
    )


def _levels(table, is_whole, ends):
    """Mask of the columns of levels, number of levels in a unit, and lower and upper
    bounds of columns, (2, n_columns). They are those of gray levels if the table has
    them, and the ``ends`` of other columns of whole numbers with few values. The bounds
    of other columns are infinite."""
    n = len(is_whole)
    bounds = np.repeat([[-np.inf], [np.inf]], n, axis=1)
    known = ~np.isnan(ends[0])
    if not known.any() or not (ends[0] < ends[1])[known].any():
        return np.zeros(n, bool), 1.0, bounds
    sample, weight = sampled(table)
    low, high = ends[0][known].min(), ends[1][known].max()
    has_shares, top = not is_whole[known].all(), None
    if not has_shares or (high <= 1 and n >= MIN_IMAGE_COLUMNS):
        top = top_of_gray(sample, low, high, weight)
    per_unit = levels_per_unit(table, sample) if has_shares and top else 1.0
    if top is not None and per_unit:
        return known, per_unit, np.where(known, [[0.0], [top]], bounds)
    if not (ends[0] < ends[1])[is_whole].any():
        return np.zeros(n, bool), 1.0, bounds
    for j in np.flatnonzero(is_whole):
        observed = ~np.isnan(sample[:, j])
        values, index = np.unique(sample[observed, j], return_inverse=True)
        if few(values, np.bincount(index, weight[observed])):
            bounds[:, j] = ends[:, j]
    return is_whole, 1.0, bounds


def _spread(columns, table):
    """Cells with centers and spreads that approximately standardize the columns in the
    space of the flow."""
    cells, n = columns.cells, len(columns.seen)
    step = 1 / cells.per_unit
    half_cell = np.where(cells.whole, 0.5 * step, 0.0)
    varies = np.where(columns.varies, cells.scale, 0.0)
    spread = np.hypot(varies, cells.whole * _UNIFORM * step)
    center = cells.mean + half_cell
    limited = np.flatnonzero(cells.limited)
    if len(limited):
        index, weight = table.index[:_MAX_ROWS], table.weight[:_MAX_ROWS]
        x = cells.plain(table.rows.take(index).astype(np.float64))[:, limited]
        width = (cells.high - cells.low)[limited]
        weight, sums = np.where(np.isnan(x), 0, weight[:, None]), np.zeros((2, n))
        for offset in _QUADRATURE:
            noise = cells.whole[limited] * offset * step
            fraction = (x + noise - cells.low[limited]) / width
            z = np.nan_to_num(logit(fraction.clip(1e-6, 1 - 1e-6)))
            sums[0, limited] += (weight * z).sum(axis=0)
            sums[1, limited] += (weight * z * z).sum(axis=0)
        total_weight = len(_QUADRATURE) * weight.sum(axis=0)
        mean, square = sums[:, limited] / np.maximum(total_weight, 1e-300)
        center[limited] = mean
        spread[limited] = np.sqrt(np.maximum(square - mean**2, 0))
    smallest = np.where(cells.limited, 1e-3 * _LOGISTIC, 0.0)
    is_constant = spread <= smallest
    floor = np.where(cells.limited, _LOGISTIC, cells.scale)
    return cells._replace(center=center, spread=np.where(is_constant, floor, spread))
