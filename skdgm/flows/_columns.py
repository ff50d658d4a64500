"""Columns between limits, and columns of whole numbers, of flows."""

from typing import NamedTuple

import numpy as np
from scipy.special import logit
from sklearn.utils.validation import _get_feature_names

from skdgm.data import ColumnType, RealColumns
from skdgm.data.codes import refuse
from skdgm.data.series import brief
from skdgm.data.units import Clipped
from skdgm.exceptions import DataRangeWarning
from skdgm.nets.dequantisation import Cells
from skdgm.utils.domains import ROUNDING, real_rows
from skdgm.utils.threading.callers import warn

# Most rows by which the spread of logits is learned, and places that stand for a cell.
_MOST, _PLACES = 10_000, (np.arange(8) + 0.5) / 8
# Deviations of a uniform number on a cell of length 1, and of its logit.
_UNIFORM, _LOGISTIC = np.sqrt(1 / 12), np.pi / np.sqrt(3)


class CellColumns(NamedTuple):
    """Statistics of columns, as :class:`~skdgm.data.Columns`, with their ``cells``."""

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    varies: np.ndarray
    reach: np.ndarray
    cells: Cells
    range: np.ndarray = 0.0
    # Fields that older files lack.
    LATER = ("range",)

    @property
    def sizes(self):
        """Number of inputs that represent each column: 1."""
        return np.ones(len(self.seen), int)

    def column_types(self):
        """Types of the columns, a list of :class:`~skdgm.data.ColumnType`."""
        cells = self.cells
        ends = zip(cells.whole.tolist(), cells.low.tolist(), cells.last.tolist())
        return [
            ColumnType(
                "gaussian",
                low=low if np.isfinite(low) else None,
                high=high if np.isfinite(high) else None,
                step=float(whole),
            )
            for whole, low, high in ends
        ]


class FlowColumns(RealColumns):
    """Columns of real numbers, some between ``bounds``, a pair for all or a dict by
    name; and, if ``dequantized``, columns whose values are all whole numbers."""

    def __init__(self, bounds, dequantized):
        self.bounds, self.dequantized = bounds, dequantized

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate data. After fits, values beyond the limits are clipped, with a
        warning."""
        rows, who = real_rows(model, X, reset=reset, dtype=dtype), type(model).__name__
        names = _get_feature_names(getattr(X, "header", X))
        names = list(range(rows.shape[1]) if names is None else names)
        if reset:
            low, high = self._limits(names, who)
            whole = np.zeros(len(low), bool)
        else:
            cells = columns.cells
            low, high, whole = cells.low, cells.last, cells.whole
        beyond, outside = np.zeros(len(low), bool), "is beyond the bounds of its column"
        ends = np.where(np.isfinite(low), (low, high), 0)
        room = ROUNDING * np.abs(ends).max(axis=0)
        for block in rows.blocks():
            part = rows.take(block)
            wrong = (part < low - room) | (part > high + room)
            if fitting:
                refuse(part, wrong, names, who, outside)
            beyond |= wrong.any(axis=0)
            odd = whole & (part != np.rint(part)) & ~np.isnan(part)
            why = "is no whole number, as all were in the first fit"
            refuse(part, odd, names, who, why)
        if beyond.any():
            clipped = [names[j] for j in np.flatnonzero(beyond)]
            warn(
                f"{who} got values beyond the bounds of columns {clipped}, and clips "
                "them.",
                DataRangeWarning,
            )
        if reset or beyond.any():
            rows = rows._replace(scales=tuple(map(Clipped, low, high)))
        return rows if reset else self.seen(rows, model._columns)

    def _limits(self, names, who):
        """Least and highest value of each column, infinite without bounds."""
        low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
        bounds = self.bounds
        if not isinstance(bounds, dict):
            bounds = {} if bounds is None else dict.fromkeys(names, bounds)
        for name, ends in bounds.items():
            if name not in names:
                raise ValueError(
                    f"bounds of {who} name {name!r}, but the columns are "
                    f"{brief(names)}."
                )
            j = names.index(name)
            low[j], high[j] = _pair(ends, who)
        return low, high

    def learn(self, table, before=None):
        """Learn statistics and kinds of columns in the first fit only."""
        if before is not None:
            columns, table = super().learn(table, before)
            reach = np.where(before.cells.limited, 0.0, columns.reach)
            return columns._replace(reach=reach), table
        low, high = np.array(table.rows.scales).T
        table = table._replace(rows=table.rows._replace(scales=None))
        whole = self._whole(table)
        columns, table = super().learn(table)
        low, high = np.where(whole, (np.ceil(low), np.floor(high) + 1), (low, high))
        cells = Cells(columns.mean, columns.scale, whole, low, high, 0.0, 1.0)
        # Values between limits are not far out after a logit.
        reach = np.where(cells.limited, 0.0, columns.reach)
        columns = CellColumns(**columns._asdict() | {"reach": reach, "cells": cells})
        return columns._replace(cells=_spread(columns, table)), table

    def _whole(self, table):
        """Mask of the columns of whole numbers, if these are dequantized."""
        whole = np.full(table.rows.shape[1], self.dequantized)
        some = np.zeros(len(whole), bool)
        for block in table.rows.blocks(len(table.index)) if self.dequantized else ():
            part = table.rows.take(table.index[block])
            missing = np.isnan(part)
            whole &= (missing | (part == np.rint(part))).all(axis=0)
            some |= ~missing.all(axis=0)
        return whole & some

    def loss_of_independent(self, columns):
        """Entropy of normal columns, in nats, with noise where numbers are whole."""
        ratio = np.where(columns.varies, 1.0, 0.0)
        ratio = np.hypot(ratio, columns.cells.whole * _UNIFORM / columns.scale)
        entropy = super().loss_of_independent(columns)
        return entropy + np.log(np.where(ratio > 0, ratio, 1.0)).sum()

    def to_data(self, columns, v):
        """Values of columns, rounded to whole numbers and within the limits."""
        x, cells = super().to_data(columns, v), columns.cells
        x = np.where(cells.whole, np.rint(x), x)
        return x.clip(cells.low, cells.last).astype(v.dtype)


def _pair(ends, who):
    """Least and highest value of a column, or a ValueError."""
    try:
        low, high = map(float, ends)
        if -np.inf < low < high < np.inf:
            return low, high
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"bounds of {who} must be a pair of finite numbers, the lower one first, or a "
        f"dict of such by the names of columns; got {ends!r}."
    )


def _spread(columns, table):
    """Cells with centers and spreads, with which columns are standardised in the space
    of the flow, about."""
    cells, n = columns.cells, len(columns.seen)
    shift = np.where(cells.whole, 0.5, 0.0)
    varies = np.where(columns.varies, cells.scale, 0.0)
    spread = np.hypot(varies, cells.whole * _UNIFORM)
    center = cells.mean + shift
    which = np.flatnonzero(cells.limited)
    if len(which):
        index, weight = table.index[:_MOST], table.weight[:_MOST]
        x = cells.plain(table.rows.take(index).astype(np.float64))[:, which]
        width = (cells.high - cells.low)[which]
        weight, sums = np.where(np.isnan(x), 0, weight[:, None]), np.zeros((2, n))
        for place in _PLACES:
            share = (x + cells.whole[which] * place - cells.low[which]) / width
            z = np.nan_to_num(logit(share.clip(1e-6, 1 - 1e-6)))
            sums[0, which] += (weight * z).sum(axis=0)
            sums[1, which] += (weight * z * z).sum(axis=0)
        total = len(_PLACES) * weight.sum(axis=0)
        mean, square = sums[:, which] / np.maximum(total, 1e-300)
        center[which] = mean
        spread[which] = np.sqrt(np.maximum(square - mean**2, 0))
    least = np.where(cells.limited, 1e-3 * _LOGISTIC, 0.0)
    flat = spread <= least
    floor = np.where(cells.limited, _LOGISTIC, cells.scale)
    return cells._replace(center=center, spread=np.where(flat, floor, spread))
