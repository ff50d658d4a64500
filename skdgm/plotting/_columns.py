"""Columns of a table: which, and the marginal distribution of one, twice."""

from collections import Counter
from numbers import Integral

import numpy as np

# Columns by default; bins of a histogram; how many values a column has at most that is
# shown by bars; and how many categories have a bar of their own.
_COLUMNS, _BINS, _FEW, _NAMES = 12, 20, 10, 12
# Letters below bars, of all names together, that fit beside one another, and letters of
# a name that are shown.
_WIDE, _LONG = 18, 10


def chosen(columns, names):
    """Numbers of columns that are given by number or by name."""
    if columns is None:
        return list(range(len(names)))[:_COLUMNS]
    if isinstance(columns, str | Integral):
        columns = [columns]
    numbers = dict(zip(names, range(len(names))))
    numbers |= {number: number for number in range(len(names))}
    try:
        found = [numbers[column] for column in columns]
    except (KeyError, TypeError):
        found = []
    if not found:
        raise ValueError(
            f"columns must be some of {names}, or their numbers; got {columns!r}."
        )
    return found


def numbered(n_columns):
    """Names of columns that have none."""
    return [f"x{number}" for number in range(n_columns)]


def known(table):
    """The known values of each column: numbers, or objects where there are others."""
    if not hasattr(table, "iloc"):
        return [column[~np.isnan(column)] for column in np.asarray(table, float).T]
    columns = (table.iloc[:, j].dropna() for j in range(table.shape[1]))
    return [
        column.to_numpy(float if column.dtype.kind in "fbiu" else object)
        for column in columns
    ]


def draw(axes, column, sampled, looks):
    """Draw one column of data and of samples, and return both artists."""
    parts = column, sampled
    if any(part.dtype == object for part in parts):
        return _bars(axes, *_of_names(*(part.astype(object) for part in parts)), looks)
    values = np.unique(np.concatenate(parts))
    if len(values) > _FEW and not _are_probabilities(*parts):
        edges = np.histogram_bin_edges(values, _BINS)
        densities = [_shares(np.histogram(p, edges)[0]) / np.diff(edges) for p in parts]
        return [axes.stairs(d, edges, **look) for d, look in zip(densities, looks)]
    if _are_probabilities(*parts):
        values = np.array([0, 1])
        shares = [np.array([1 - part.mean(), part.mean()]) for part in parts]
    else:
        shares = [_shares((part[:, None] == values).sum(axis=0)) for part in parts]
    return _bars(axes, [f"{value:g}" for value in values], shares, looks)


def _bars(axes, names, shares, looks):
    places = np.arange(len(names))
    axes.set(ylim=(0, 1))
    names = [n if len(n) <= _LONG else n[: _LONG - 1] + "…" for n in names]
    axes.set_xticks(places, names)
    if sum(map(len, names)) > _WIDE:
        axes.tick_params(axis="x", labelrotation=90, labelsize="small")
    return [
        axes.bar(places + shift, share, 0.4, **look)
        for share, look, shift in zip(shares, looks, (-0.2, 0.2))
    ]


def _of_names(column, sampled):
    """Categories and their shares of data and of samples, the most frequent ones first;
    those for which there is no room are counted together."""
    counts = [Counter(part) for part in (column, sampled)]
    every = sorted({**counts[0], **counts[1]}, key=str)
    every.sort(key=lambda name: -max(count[name] for count in counts))
    shown = every if len(every) <= _NAMES else every[: _NAMES - 1]
    totals = [[count[name] for name in shown] for count in counts]
    names = [str(name) for name in shown]
    if len(shown) < len(every):
        names.append("others")
        totals = [
            [*own, count.total() - sum(own)] for own, count in zip(totals, counts)
        ]
    return names, [_shares(np.array(own)) for own in totals]


def _shares(counts):
    """Counts that sum to 1, unless nothing was counted."""
    return counts / max(1, counts.sum())


def _are_probabilities(column, sampled):
    """Whether values are those of a binary unit, or probabilities that it is 1."""
    inside = len(column) and column.min() >= 0 and column.max() <= 1
    return inside and np.isin(sampled, (0, 1)).all()
