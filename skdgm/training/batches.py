"""Minibatches in which the weight of a row is exactly a number of repetitions.

A table is first brought to a canonical form: its distinct rows, ordered by a hash of
their content, with their summed weights. Repeated and weighted rows, dense and CSR
arrays, and all orders of the same rows thus give the same table. An epoch is a random
permutation of N systematic draws from the weights: a row of weight w is drawn floor(w)
or ceil(w) times.

If weights are integers, N is their sum, unless that is above ten times the number of
rows. Other weights are relative, and N is the number of rows.
"""

from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from skdgm.utils.lists import Lists
from skdgm.utils.math import expected_draws
from skdgm.utils.random import mix64
from skdgm.utils.rows import Rows, row_hash

# Number of rows whose share of nonzero values decides on the format of batches.
FILLED_ROWS = 1000
# Minimum and maximum number of monitored rows; between them, an eighth of the draws.
_MIN_MONITORED, _MAX_MONITORED = 250, 1000
# Rows with more copies than this are divided between both parts. Rows drawn with
# replacement rarely have as many.
_MAX_UNDIVIDED = 4


class Table(NamedTuple):
    """Distinct rows of a data set. ``rows`` are all rows of the data. ``index``,
    ``hashes`` and ``weight`` describe distinct rows: their positions in ``rows``,
    increasing content hashes in uint64, and expected numbers of draws in an epoch, in
    float64."""

    rows: Any
    index: np.ndarray
    hashes: np.ndarray
    weight: np.ndarray

    @property
    def n_draws(self) -> int:
        """Number of draws in an epoch."""
        return max(1, round(self.weight.sum()))

    def take(self, which: np.ndarray) -> Self:
        """Return the table of the distinct rows at the given positions."""
        return self._replace(
            index=self.index[which],
            hashes=self.hashes[which],
            weight=self.weight[which],
        )


def canonical(rows, sample_weight=None, hashes=None):
    """Canonical Table of Rows or SequenceRows, without rows of weight zero. Weights are
    nonnegative; ``hashes``, (n_rows,), are by default those of the rows' content."""
    n_rows = rows.shape[0]
    weight = np.ones(n_rows) if sample_weight is None else sample_weight
    draws = expected_draws(weight)
    present = np.flatnonzero(draws)
    hashes = row_hash(rows) if hashes is None else hashes
    if len(present) < n_rows:
        hashes = hashes[present]
    if rows.streamed:
        # Streamed rows keep their order and are not merged.
        first = group = np.arange(present.size)
    else:
        hashes, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    total = np.bincount(group, draws[present])
    return Table(rows, present[first], hashes, total)


def converted(table):
    """Table whose rows are converted once; see
    :meth:`skdgm.utils.rows.Rows.converted`."""
    if not isinstance(table.rows, Rows):
        return table
    return table._replace(rows=table.rows.converted())


def without_conditions(table, in_memory=True):
    """Table of the same draws of rows without their conditions or labels (``given``).
    Rows are stored in memory as lists if this is possible and faster."""
    rows = table.rows._replace(given=None)
    rows = rows.in_memory() if in_memory else rows
    if rows.streamed:
        return table._replace(rows=rows)
    hashes = row_hash(rows)[table.index]
    hashes, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    return Table(rows, table.index[first], hashes, np.bincount(group, table.weight))


def filled(table):
    """Share of nonzero values in at most 1,000 rows, chosen by their content."""
    v = table.rows.take(table.index[:FILLED_ROWS])
    return np.count_nonzero(v) / v.size


def labeled(table):
    """Return the table of the rows with at least one known label."""
    return table.take(np.flatnonzero(table.rows.given.known[table.index]))


def split(table, fraction, rng):
    """Split a table at random into training rows and held-out rows, by their content.

    Copies of a row that occurs up to four times stay together, so that held-out rows
    are unseen. More frequent rows, as in a table of a few categories, are divided
    between both parts, which keeps their distribution. If frequent rows have most of
    the weight, all repeated rows are divided. A single row is in both parts.
    ``fraction`` is the share of weight to hold out, ``rng`` a Stream.
    """
    if len(table.index) == 1:
        return table, table
    frequent = table.weight > _MAX_UNDIVIDED
    if 2 * table.weight[frequent].sum() > table.weight.sum():
        frequent = table.weight > 1
    held_weight = np.where(frequent, fraction * table.weight, 0.0)
    order = np.argsort(mix64(table.hashes ^ np.uint64(rng.root)), kind="stable")
    together = order[~frequent[order]]
    weight = table.weight[together]
    weight_before = np.cumsum(weight) - weight
    n_held = np.count_nonzero(weight_before < fraction * weight.sum())
    if not frequent.any():
        n_held = np.clip(n_held, 1, len(together) - 1)
    held_weight[together[:n_held]] = weight[:n_held]
    train, held_out = (
        table._replace(weight=part_weight).take(np.flatnonzero(part_weight))
        for part_weight in (table.weight - held_weight, held_weight)
    )
    return train, held_out


def split_labeled(table, split):
    """Split labeled rows, if any, by ``split(table)``; the others are for training."""
    known = table.rows.given.known[table.index]
    if not known.any():
        return split(table)
    train, held_out = split(table.take(np.flatnonzero(known)))
    if known.all():
        return train, held_out
    in_training, weight = np.isin(table.index, train.index), table.weight.copy()
    weight[in_training] = train.weight
    table = table._replace(weight=weight)
    return table.take(np.flatnonzero(in_training | ~known)), held_out


def epoch(table, batch_size, rng):
    """Draw the batches of an epoch: ceil(n_draws / batch_size) arrays of row numbers in
    ``table.rows``, whose sizes differ by at most one."""
    n_draws, generator = table.n_draws, rng.generator()
    offset, rows = generator.random(), table.index
    if not np.all(table.weight == 1):
        cumulative = np.cumsum(table.weight)
        targets = (np.arange(n_draws) + offset) * (cumulative[-1] / n_draws)
        draws = np.searchsorted(cumulative, targets, side="right").clip(
            max=len(cumulative) - 1
        )
        rows = rows[draws]
    if table.rows.streamed:
        draws = table.rows.X.shuffled(rows, generator)
    else:
        draws = generator.permutation(rows)
    n_batches = -(-n_draws // batch_size)
    size, n_larger = divmod(n_draws, n_batches)
    edges = [i * size + min(i, n_larger) for i in range(n_batches + 1)]
    return [draws[start:stop] for start, stop in pairwise(edges)]


def monitored_rows(table, rng, among=None):
    """Draw the numbers of the rows whose loss is monitored in training.
    ``among(index)`` returns the eligible rows of an index."""
    (draws,) = epoch(table, table.n_draws, rng)
    draws = draws if among is None else among(draws)
    draws = draws[: np.clip(table.n_draws // 8, _MIN_MONITORED, _MAX_MONITORED)]
    if table.rows.streamed:
        table.rows.X.pin(draws)
    return draws


def column_sums(table):
    """Total weight of the observed entries of each column, and their weighted sum, in
    float64. A sum that overflows is infinite or NaN."""
    seen, total = np.zeros((2, table.rows.shape[1]))
    if table.rows.packed is not None:
        lists = table.rows.packed
        return seen + table.weight.sum(), lists.weighted_sum(table.index, table.weight)
    stored = None if table.rows.changed else getattr(table.rows.X, "sums", None)
    if (
        stored is not None
        and len(table.index) == len(table.rows.X)
        and (table.weight == 1).all()
    ):
        return stored[0].copy(), stored[1].copy()
    for block in table.rows.blocks(n_rows=len(table.index)):
        values, weight = table.rows.present(table.index[block]), table.weight[block]
        if isinstance(values, Lists):
            seen += weight.sum()
            total += values.weighted_sum(weight)
        else:
            observed = ~np.isnan(values)
            seen += weight @ observed
            with np.errstate(over="ignore", invalid="ignore"):
                total += weight @ np.where(observed, values, 0.0)
    return seen, total


def column_spread(table, mean):
    """Weighted mean and standard deviation of each column's observed entries, in
    float64. ``mean`` is the mean up to rounding error. It is corrected, and subtracted
    before squaring, so that the standard deviation of a constant column is nearly
    zero."""
    seen, total, squares = np.zeros((3, table.rows.shape[1]))
    for block in table.rows.blocks(n_rows=len(table.index)):
        values = table.rows.take(table.index[block]).astype(np.float64) - mean
        observed, weight = ~np.isnan(values), table.weight[block]
        values = np.where(observed, values, 0.0)
        seen += weight @ observed
        total += weight @ values
        squares += weight @ values**2
    seen = np.maximum(seen, np.finfo(float).tiny)
    correction = total / seen
    return mean + correction, np.sqrt(np.maximum(squares / seen - correction**2, 0.0))


def check_finite(mean, spread, what):
    """Raise ValueError if the mean or the standard deviation of a column is not
    finite."""
    wrong = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(spread)))
    if wrong.size:
        raise ValueError(
            f"Values of {what} {wrong.tolist()} are too large for their mean and "
            "variance to be numbers: scale them down."
        )
