"""Selection of a table's columns, and plots of one column's marginal distributions in
data and in samples."""

from collections import Counter
from numbers import Integral

import numpy as np

# Default number of columns; bins of a histogram; most values of a column that is drawn
# as bars; most categories with a bar of their own.
_COLUMNS, _BINS, _FEW, _NAMES = 12, 20, 10, 12
# Total number of letters of tick labels that fit without rotation, and the number that
# a label is shortened to.
_WIDE, _LONG = 18, 10


def chosen(columns, names):
    """Indices of columns given by index or name; by default the first twelve."""
    if columns is None:
        return list(range(len(names)))[:_COLUMNS]
    if isinstance(columns, str | Integral):
        columns = [columns]
    numbers = dict(zip(names, range(len(names))))
    numbers |= {number: number for number in range(len(names))}
    try:
        # A mask would be read as the numbers 0 and 1.
        masked = any(isinstance(column, bool | np.bool_) for column in columns)
        found = [] if masked else [numbers[column] for column in columns]
    except (KeyError, TypeError):
        found = []
    if not found:
        raise ValueError(
            f"columns must be some of {names}, or their numbers; got {columns!r}."
        )
    return found


def numbered(n_columns):
    """Default names of columns: x0, x1 and so on."""
    return [f"x{number}" for number in range(n_columns)]


def known(table):
    """Non-missing values of each column, as floats, or objects if not numeric."""
    if not hasattr(table, "iloc"):
        return [column[~np.isnan(column)] for column in np.asarray(table, float).T]
    columns = (table.iloc[:, j].dropna() for j in range(table.shape[1]))
    return [
        column.to_numpy(float if column.dtype.kind in "fbiu" else object)
        for column in columns
    ]


def draw(axes, column, sampled, looks):
    """Draw one column of data and of samples, and return the artists of both."""
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
    """Category names and their shares of data and samples, the most frequent first; the
    rarest are combined as "others" if there are more than twelve."""
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
    """Counts divided by their sum; zeros if all counts are zero."""
    return counts / max(1, counts.sum())


def _are_probabilities(column, sampled):
    """Return whether data are in [0, 1] and samples binary."""
    inside = len(column) and column.min() >= 0 and column.max() <= 1
    return inside and np.isin(sampled, (0, 1)).all()
