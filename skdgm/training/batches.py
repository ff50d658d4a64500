"""Mini-batches for which a weight is a number of repetitions, exactly.

A table is first brought to a canonical form: its distinct rows, ordered by a hash
of their content, with their summed weights. Repeated rows and weighted rows thus
become the same table, as do dense and CSR, and all orders of the same rows. An
epoch is then a random permutation of N systematic draws from the weights, which
takes a row of weight w floor(w) or ceil(w) times.

N is the sum of the weights where they are whole numbers (and at most ten times as
many as the rows); other weights are relative, and N is the number of rows.
"""

from typing import NamedTuple

import numpy as np

from skdgm.utils.hashing import row_hash
from skdgm.utils.math import shares
from skdgm.utils.random import mix64

MAX_REPETITION = 10
# Rows that are watched: an eighth, but no fewer and no more than these.
_WATCHED = 250, 1000


class Table(NamedTuple):
    """The distinct rows of a data set.

    Parameters
    ----------
    rows : Rows
    index : ndarray of int
        Where in ``rows`` each distinct row is found.
    hashes : ndarray of uint64
        Their content hashes, increasing.
    weight : ndarray of float64
        How many draws of an epoch fall on each, on average.
    """

    rows: object
    index: np.ndarray
    hashes: np.ndarray
    weight: np.ndarray

    @property
    def n_draws(self):
        """Number of draws in an epoch."""
        return max(1, round(self.weight.sum()))

    def take(self, which):
        """The part of the table with the chosen distinct rows."""
        return Table(
            self.rows, self.index[which], self.hashes[which], self.weight[which]
        )


def canonical(rows, sample_weight=None):
    """The canonical form of a data set.

    Parameters
    ----------
    rows : Rows
    sample_weight : ndarray of shape (n_rows,), optional
        Not negative; rows of weight zero do not take part.

    Returns
    -------
    table : Table
    """
    n_rows = rows.shape[0]
    weight = np.ones(n_rows) if sample_weight is None else sample_weight
    share, exponent = shares(weight)
    present = np.flatnonzero(share > 0)
    hashes, first, group = np.unique(
        row_hash(rows)[present], return_index=True, return_inverse=True
    )
    total = np.bincount(group, share[present])
    whole = np.array_equal(weight, np.floor(weight))
    if whole and total.sum() <= np.ldexp(MAX_REPETITION * present.size, -exponent):
        total = np.ldexp(total, exponent)
    else:
        total *= present.size / total.sum()
    return Table(rows, present[first], hashes, total)


def labelled(table):
    """The part of a table whose rows have a label: a number of at least 0, or one that
    is not NaN; where rows have several, any."""
    labels = table.rows.labels[table.index].reshape(len(table.index), -1)
    known = ~np.isnan(labels) if labels.dtype.kind == "f" else labels >= 0
    return table.take(np.flatnonzero(known.any(axis=1)))


def split(table, fraction, rng):
    """Part the distinct rows in two, by their content.

    Equal rows never part, so what is held out has not been seen; but where there is
    one row only, it stands on both sides.

    Returns
    -------
    train, held_out : Table
    """
    n_rows = len(table.index)
    order = np.argsort(mix64(table.hashes ^ np.uint64(rng.root)), kind="stable")
    weight = table.weight[order]
    before = np.cumsum(weight) - weight
    n_held = np.count_nonzero(before < fraction * weight.sum())
    held = order[: np.clip(n_held, 1, max(1, n_rows - 1))]
    rest = np.setdiff1d(order, held) if n_rows > 1 else held
    return table.take(rest), table.take(np.sort(held))


def epoch(table, batch_size, rng):
    """The batches of one epoch, of sizes that differ by one at the most.

    Yields
    ------
    index : ndarray of int
        Row numbers in ``table.rows``.
    """
    n_draws, generator = table.n_draws, rng.generator()
    upto = np.cumsum(table.weight)
    ticks = (np.arange(n_draws) + generator.random()) * (upto[-1] / n_draws)
    draws = np.searchsorted(upto, ticks, side="right").clip(max=len(upto) - 1)
    draws = table.index[generator.permutation(draws)]
    return np.array_split(draws, -(-n_draws // batch_size))


def probe(table, rng, among=None):
    """Draws of an epoch that are watched while a model learns.

    Parameters
    ----------
    among : callable, optional
        ``among(index)`` returns those of some rows that may be.

    Returns
    -------
    index : ndarray of int
        Row numbers in ``table.rows``.
    """
    (draws,) = epoch(table, table.n_draws, rng)
    draws = draws if among is None else among(draws)
    return draws[: np.clip(table.n_draws // 8, *_WATCHED)]
