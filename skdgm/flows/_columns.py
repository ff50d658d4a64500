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

# Rows of which is learned how logits are spread, and places in a cell that stand for
# all of it.
_MOST, _PLACES = 10_000, (np.arange(8) + 0.5) / 8
# Deviation of what is uniform on a cell of length 1, and of its logit.
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
        """How each column is read, as a list of :class:`~skdgm.data.ColumnType`."""
        own = self.cells
        ends = zip(own.whole.tolist(), own.low.tolist(), own.last.tolist())
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
    name; and, if ``dequantized``, of whole numbers those of which all are whole."""

    def __init__(self, bounds, dequantized):
        self.bounds, self.dequantized = bounds, dequantized

    def rows(self, model, X, *, columns=None, reset=False, fitting=False, dtype=None):
        """Validate data. Later than in fits, values beyond the limits are clipped, with
        a warning."""
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
            found = [names[j] for j in np.flatnonzero(beyond)]
            warn(
                f"{who} got values beyond the bounds of columns {found}, and "
                "sees them clipped to these.",
                DataRangeWarning,
            )
        if reset or beyond.any():
            rows = rows._replace(scales=tuple(map(Clipped, low, high)))
        return rows if reset else self.seen(rows, model._columns)

    def _limits(self, names, who):
        """Least and highest value of each column, infinite without bounds."""
        low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
        if self.bounds is None:
            return low, high
        own = self.bounds
        own = own if isinstance(own, dict) else dict.fromkeys(names, own)
        for name, ends in own.items():
            if name not in names:
                raise ValueError(
                    f"bounds of {who} name {name!r}, but the columns are "
                    f"{brief(names)}."
                )
            j = names.index(name)
            low[j], high[j] = _pair(ends, who)
        return low, high

    def learn(self, table, before=None):
        """Learn in the first fit only, which columns are whole numbers too."""
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
        # What is beyond the others between limits is not far out after a logit.
        reach = np.where(cells.limited, 0.0, columns.reach)
        columns = CellColumns(*columns[:5], reach, cells, columns.range)
        return columns._replace(cells=_spread(columns, table)), table

    def _whole(self, table):
        """Mask of the columns of whole numbers, if these are asked for."""
        found = np.full(table.rows.shape[1], self.dequantized)
        some = np.zeros(len(found), bool)
        for block in table.rows.blocks(len(table.index)) if self.dequantized else ():
            part = table.rows.take(table.index[block])
            missing = np.isnan(part)
            found &= (missing | (part == np.rint(part))).all(axis=0)
            some |= ~missing.all(axis=0)
        return found & some

    def loss_of_independent(self, columns):
        """Entropy of normal columns, in nats, with noise where numbers are whole."""
        ratio = np.where(columns.varies, 1.0, 0.0)
        ratio = np.hypot(ratio, columns.cells.whole * _UNIFORM / columns.scale)
        own = super().loss_of_independent(columns)
        return own + np.log(np.where(ratio > 0, ratio, 1.0)).sum()

    def to_data(self, columns, v):
        """Values of columns, rounded to whole numbers and within the limits."""
        x, own = super().to_data(columns, v), columns.cells
        return (
            np.where(own.whole, np.rint(x), x).clip(own.low, own.last).astype(v.dtype)
        )


def _pair(ends, who):
    """Least and highest value of a column; ValueError if they are none."""
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
    own, n = columns.cells, len(columns.seen)
    shift = np.where(own.whole, 0.5, 0.0)
    varies = np.where(columns.varies, own.scale, 0.0)
    spread = np.hypot(varies, own.whole * _UNIFORM)
    center = own.mean + shift
    which = np.flatnonzero(own.limited)
    if len(which):
        index, weight = table.index[:_MOST], table.weight[:_MOST]
        x = own.plain(table.rows.take(index).astype(np.float64))[:, which]
        width = (own.high - own.low)[which]
        weight, sums = np.where(np.isnan(x), 0, weight[:, None]), np.zeros((2, n))
        for place in _PLACES:
            share = (x + own.whole[which] * place - own.low[which]) / width
            z = np.nan_to_num(logit(share.clip(1e-6, 1 - 1e-6)))
            sums[0, which] += (weight * z).sum(axis=0)
            sums[1, which] += (weight * z * z).sum(axis=0)
        total = len(_PLACES) * weight.sum(axis=0)
        mean, square = sums[:, which] / np.maximum(total, 1e-300)
        center[which] = mean
        spread[which] = np.sqrt(np.maximum(square - mean**2, 0))
    least = np.where(own.limited, 1e-3 * _LOGISTIC, 0.0)
    flat = spread <= least
    floor = np.where(own.limited, _LOGISTIC, own.scale)
    return own._replace(center=center, spread=np.where(flat, floor, spread))
