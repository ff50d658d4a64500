"""Mini-batches in which a weight is exactly a number of repetitions.

A table is first brought to a canonical form: its distinct rows, ordered by a hash of
their content, with their summed weights. Repeated and weighted rows, dense and CSR,
and all orders of the same rows thus give the same table. An epoch is a random
permutation of N systematic draws from the weights: a row of weight w is drawn
floor(w) or ceil(w) times.

N is the sum of the weights if these are whole numbers (and the sum at most ten times
the number of rows); other weights are relative, and N is the number of rows.

Sums and moments of the columns are weighted, too, and over observed entries.
"""

from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np

from skdgm.utils.lists import Lists
from skdgm.utils.math import shares
from skdgm.utils.random import mix64
from skdgm.utils.rows import row_hash

MAX_REPETITION = 10
# Number of rows by which it is decided how a table is read.
FILLED_ROWS = 1000
# Least and largest number of rows watched; between them, an eighth of the draws.
_WATCHED = 250, 1000
# Most times that a row is there and is held out as a whole, or not at all: more than
# rows drawn with replacement are.
_TOGETHER = 4


class Table(NamedTuple):
    """Distinct rows of a data set: all its ``rows``, the position among them of each
    distinct row, their content hashes, increasing, in uint64, and as ``weight`` the
    expected number of draws of each in an epoch, in float64."""

    rows: Any
    index: np.ndarray
    hashes: np.ndarray
    weight: np.ndarray

    @property
    def n_draws(self) -> int:
        """Number of draws in an epoch."""
        return max(1, round(self.weight.sum()))

    def take(self, which: np.ndarray) -> Self:
        """Return the part of the table at an array of positions."""
        return self._replace(
            index=self.index[which],
            hashes=self.hashes[which],
            weight=self.weight[which],
        )


def canonical(rows, sample_weight=None, hashes=None):
    """Canonical Table of Rows or SequenceRows, whose weights are not negative; those of
    weight zero are left out. ``hashes``, of shape (n_rows,), are by default those of
    rows."""
    n_rows = rows.shape[0]
    weight = np.ones(n_rows) if sample_weight is None else sample_weight
    share, exponent = shares(weight)
    present = np.flatnonzero(share > 0)
    hashes = row_hash(rows) if hashes is None else hashes
    if len(present) < n_rows:
        hashes = hashes[present]
    if rows.streamed:
        # In the order in which they are read, and each for itself.
        first = group = np.arange(present.size)
    else:
        hashes, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    total = np.bincount(group, share[present])
    whole = np.array_equal(weight, np.floor(weight))
    if whole and total.sum() <= np.ldexp(MAX_REPETITION * present.size, -exponent):
        total = np.ldexp(total, exponent)
    else:
        total *= present.size / total.sum()
    return Table(rows, present[first], hashes, total)


def alone(table, in_memory=True):
    """Table of the same draws of rows, without what is given beside them, kept as lists
    where these are preferred and fit."""
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


def labelled(table):
    """Return the part of a table whose rows have at least one known value beside."""
    return table.take(np.flatnonzero(table.rows.given.known[table.index]))


def split(table, fraction, rng):
    """Training rows and held-out rows: a table split at random by the content of its
    distinct rows.

    Rows that are there up to four times are not separated, so that held-out rows are
    unseen. Others, as in a table of a few categories, are in both parts, in shares of
    their weight: without all of them, training rows would have another distribution;
    where most rows are such, so are all that are there more than once. A single row is
    in both parts, too. ``fraction`` is the share of weight held out, ``rng`` a Stream.
    """
    if len(table.index) == 1:
        return table, table
    many = table.weight > _TOGETHER
    if 2 * table.weight[many].sum() > table.weight.sum():
        many = table.weight > 1
    held = np.where(many, fraction * table.weight, 0.0)
    order = np.argsort(mix64(table.hashes ^ np.uint64(rng.root)), kind="stable")
    few = order[~many[order]]
    weight = table.weight[few]
    before = np.cumsum(weight) - weight
    n_held = np.count_nonzero(before < fraction * weight.sum())
    if not many.any():
        n_held = np.clip(n_held, 1, len(few) - 1)
    held[few[:n_held]] = weight[:n_held]
    train, held_out = (
        table._replace(weight=own).take(np.flatnonzero(own))
        for own in (table.weight - held, held)
    )
    return train, held_out


def split_labelled(table, split):
    """Split the rows with a label, where there are any, by ``split(table)``; others are
    for training."""
    known = table.rows.given.known[table.index]
    if not known.any():
        return split(table)
    train, held_out = split(table.take(np.flatnonzero(known)))
    if known.all():
        return train, held_out
    kept, weight = np.isin(table.index, train.index), table.weight.copy()
    weight[kept] = train.weight
    table = table._replace(weight=weight)
    return table.take(np.flatnonzero(kept | ~known)), held_out


def epoch(table, batch_size, rng):
    """Draw the batches of one epoch: ceil(n_draws / batch_size) arrays of row numbers
    in ``table.rows``, whose sizes differ by at most one."""
    n_draws, generator = table.n_draws, rng.generator()
    offset, rows = generator.random(), table.index
    if not np.all(table.weight == 1):
        upto = np.cumsum(table.weight)
        ticks = (np.arange(n_draws) + offset) * (upto[-1] / n_draws)
        draws = np.searchsorted(upto, ticks, side="right").clip(max=len(upto) - 1)
        rows = rows[draws]
    if table.rows.streamed:
        draws = table.rows.X.shuffled(rows, generator)
    else:
        draws = generator.permutation(rows)
    n_batches = -(-n_draws // batch_size)
    size, n_larger = divmod(n_draws, n_batches)
    edges = [i * size + min(i, n_larger) for i in range(n_batches + 1)]
    return [draws[start:stop] for start, stop in pairwise(edges)]


def probe(table, rng, among=None):
    """Draw the rows, by number, whose loss is watched during training; ``among(index)``
    returns the part of an index that may be."""
    (draws,) = epoch(table, table.n_draws, rng)
    draws = draws if among is None else among(draws)
    draws = draws[: np.clip(table.n_draws // 8, *_WATCHED)]
    if table.rows.streamed:
        table.rows.X.pin(draws)
    return draws


def column_sums(table):
    """Total weight of the observed entries of each column, and their weighted sum, in
    float64; one that overflows is infinite or NaN."""
    seen, total = np.zeros((2, table.rows.shape[1]))
    if table.rows.packed is not None:
        lists = table.rows.packed
        return seen + table.weight.sum(), lists.weighted_sum(table.index, table.weight)
    known = None if table.rows.changed else getattr(table.rows.X, "sums", None)
    if (
        known is not None
        and len(table.index) == len(table.rows.X)
        and (table.weight == 1).all()
    ):
        return known[0].copy(), known[1].copy()
    for part in table.rows.blocks(n_rows=len(table.index)):
        values, weight = table.rows.present(table.index[part]), table.weight[part]
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
    float64.

    The mean is given up to rounding error, which is corrected, and subtracted before
    squaring, so that the standard deviation of a constant column is close to zero.
    """
    seen, total, squares = np.zeros((3, table.rows.shape[1]))
    for part in table.rows.blocks(n_rows=len(table.index)):
        values = table.rows.take(table.index[part]).astype(np.float64) - mean
        observed, weight = ~np.isnan(values), table.weight[part]
        values = np.where(observed, values, 0.0)
        seen += weight @ observed
        total += weight @ values
        squares += weight @ values**2
    seen = np.maximum(seen, np.finfo(float).tiny)
    rest = total / seen
    return mean + rest, np.sqrt(np.maximum(squares / seen - rest**2, 0.0))


def check_finite(mean, spread, what):
    """Raise ValueError, which names the columns, if a mean or a standard deviation is
    infinite or NaN."""
    wrong = np.flatnonzero(~(np.isfinite(mean) & np.isfinite(spread)))
    if wrong.size:
        raise ValueError(
            f"Values of {what} {wrong.tolist()} are too large for their mean and "
            "variance to be numbers: scale them down."
        )
