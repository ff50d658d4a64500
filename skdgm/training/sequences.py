r"""Sequences: rows in order, in mini-batches that keep it.

A table of sequences is a :class:`~skdgm.training.Table` whose units are sequences in
the place of rows: equal ones are merged by a hash of their content,

.. math:: h(x_1, \dots, x_n) = \sum_t m(h(x_t) + m(t)) \mod 2^{64}

with a bijection m, weights of sequences are repetitions, and an epoch is a permutation
of draws of them. A batch of sequences is read in stretches of some steps, one after the
other, so that what is learned of a sequence may depend on all steps before.
"""

from typing import NamedTuple

import numpy as np

from skdgm.training.batches import canonical
from skdgm.utils.random import mix64
from skdgm.utils.rows import Rows, row_hash


class SequenceRows(NamedTuple):
    """Sequences of consecutive rows of one table: the rows, one sequence after the
    other, and the number of the first row of each, and of all rows."""

    rows: Rows
    edges: np.ndarray

    # Read in any order, as a table in memory.
    streamed = False

    @property
    def shape(self):
        """Number of sequences, and of columns."""
        return len(self.edges) - 1, self.rows.shape[1]

    @property
    def lengths(self):
        """Number of rows of each sequence."""
        return np.diff(self.edges)

    @property
    def X(self):
        """The table of all rows, as it was given."""
        return self.rows.X

    @property
    def dtype(self):
        """Type in which rows are read."""
        return self.rows.dtype

    def row_index(self, index):
        """Row numbers of some sequences, one after the other."""
        lengths = self.lengths[index]
        first = self.edges[index] - np.cumsum(lengths) + lengths
        return np.repeat(first, lengths) + np.arange(lengths.sum())

    def table(self, weight=None):
        """Canonical form: distinct sequences, as the rows of a Table, in the order of
        their hashes, with a weight for each."""
        return canonical(self, weight, self.hashes)

    @property
    def hashes(self):
        """Hash of the content of each sequence, in uint64."""
        return self.hashes_so_far[self.edges[1:] - 1]

    @property
    def hashes_so_far(self):
        """Hash of the content of each sequence up to each of its rows, in uint64."""
        first, lengths = self.edges[:-1], self.lengths
        place = np.arange(self.edges[-1]) - np.repeat(first, lengths)
        place = mix64(place.astype(np.uint64) + np.uint64(1))
        total = np.cumsum(mix64(row_hash(self.rows) + place))
        before = np.append(np.uint64(0), total)[first]
        return total - np.repeat(before, lengths)


class Stretch(NamedTuple):
    """Consecutive steps of the sequences of a batch, those that last longest first.

    ``begin`` is the number of the first step in the sequences; ``sizes`` the number of
    sequences that have each step, which never rises, and the next stretch of the batch
    goes on with the first of them; ``index`` the row numbers, step after step; ``ends``
    is True of the last of the batch.
    """

    begin: int
    sizes: np.ndarray
    index: np.ndarray
    ends: bool

    @property
    def steps(self):
        """Row numbers of each step, a list of arrays."""
        return np.split(self.index, np.cumsum(self.sizes)[:-1])


def stretches(sequences, batches, batch_length=None):
    """Read batches of sequences, by number as of :func:`~skdgm.training.epoch`, in
    stretches of ``batch_length`` steps, or as a whole: a list of Stretch."""
    found, lengths = [], sequences.lengths
    for batch in batches:
        batch = batch[np.argsort(-lengths[batch], kind="stable")]
        own, first = lengths[batch], sequences.edges[batch]
        n_steps = own[0] if batch_length is None else batch_length
        for begin in range(0, own[0], n_steps):
            steps = np.arange(begin, min(begin + n_steps, own[0]))
            sizes = np.searchsorted(-own, -steps, side="left")
            index = [first[:size] + step for size, step in zip(sizes, steps)]
            ends = steps[-1] + 1 == own[0]
            found.append(Stretch(begin, sizes, np.concatenate(index), bool(ends)))
    return found
