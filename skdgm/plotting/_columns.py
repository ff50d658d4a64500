"""Columns of a table: which, and the marginal distribution of one, twice."""

import numpy as np

# Columns by default; bins of a histogram; and how many values a column has at most that
# is shown by bars.
_COLUMNS, _BINS, _FEW = 12, 20, 10


def chosen(columns, names):
    """Numbers of columns that are given by number or by name."""
    if columns is None:
        return list(range(len(names)))[:_COLUMNS]
    numbers = dict(zip(names, range(len(names))))
    numbers |= {number: number for number in range(len(names))}
    unknown = [column for column in columns if column not in numbers]
    if unknown or not len(columns):
        raise ValueError(
            f"columns must be some of {names}, or their numbers; got {list(columns)}."
        )
    return [numbers[column] for column in columns]


def numbered(n_columns):
    """Names of columns that have none."""
    return [f"x{number}" for number in range(n_columns)]


def draw(axes, column, sampled, looks):
    """Draw one column of data and of samples, and return both artists."""
    parts = column, sampled
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
    places = np.arange(len(values))
    axes.set(ylim=(0, 1))
    axes.set_xticks(places, [f"{value:g}" for value in values])
    return [
        axes.bar(places + shift, share, 0.4, **look)
        for share, look, shift in zip(shares, looks, (-0.2, 0.2))
    ]


def _shares(counts):
    """Counts that sum to 1, unless nothing was counted."""
    return counts / max(1, counts.sum())


def _are_probabilities(column, sampled):
    """Whether values are those of a binary unit, or probabilities that it is 1."""
    inside = len(column) and column.min() >= 0 and column.max() <= 1
    return inside and np.isin(sampled, (0, 1)).all()
