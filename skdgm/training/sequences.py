r"""Sequences of rows, in minibatches that keep their order.

A table of sequences is a :class:`~skdgm.training.Table` whose rows are sequences. Equal
sequences are merged by a hash of their content,

.. math:: h(x_1, \dots, x_n) = \sum_t m(h(x_t) + m(t)) \mod 2^{64}

with a bijection m. Weights of sequences are repetitions, and an epoch is a permutation
of draws of sequences. A batch of sequences is divided into segments of consecutive
steps, for truncated backpropagation through time with states that are carried over.
"""

from typing import NamedTuple

import numpy as np

from skdgm.training.batches import canonical
from skdgm.utils.random import mix64
from skdgm.utils.rows import Rows, row_hash


class SequenceRows(NamedTuple):
    """Sequences of consecutive rows of one table. ``rows`` has the sequences one after
    the other, and ``edges`` the first row of each sequence, followed by the number of
    rows."""

    rows: Rows
    edges: np.ndarray

    # Sequences can be read in any order.
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
        """Table of all rows, as passed by the user."""
        return self.rows.X

    @property
    def dtype(self):
        """Type of rows when they are read."""
        return self.rows.dtype

    def row_index(self, index):
        """Row numbers of the sequences at an index, one sequence after the other."""
        lengths = self.lengths[index]
        first = self.edges[index] - np.cumsum(lengths) + lengths
        return np.repeat(first, lengths) + np.arange(lengths.sum())

    def table(self, weight=None):
        """Canonical Table of distinct sequences, ordered by hash, with weights."""
        return canonical(self, weight, self.hashes)

    @property
    def hashes(self):
        """Hash of the content of each sequence, in uint64."""
        return self.hashes_so_far[self.edges[1:] - 1]

    @property
    def hashes_so_far(self):
        """Hash of each sequence up to each of its rows, in uint64."""
        first, lengths = self.edges[:-1], self.lengths
        position = np.arange(self.edges[-1]) - np.repeat(first, lengths)
        position = mix64(position.astype(np.uint64) + np.uint64(1))
        total = np.cumsum(mix64(row_hash(self.rows) + position))
        total_before = np.append(np.uint64(0), total)[first]
        return total - np.repeat(total_before, lengths)


class Segment(NamedTuple):
    """Consecutive steps of the sequences of a batch, the longest sequences first.

    ``begin`` is the number of the first step. ``sizes`` is the number of sequences with
    each step, not increasing; the next segment continues the first of these sequences.
    ``index`` has row numbers, step by step, and ``ends`` is True for the last segment
    of the batch.
    """

    begin: int
    sizes: np.ndarray
    index: np.ndarray
    ends: bool

    @property
    def steps(self):
        """Row numbers of each step, a list of arrays."""
        return np.split(self.index, np.cumsum(self.sizes)[:-1])


def segments(sequences, batches, batch_length=None):
    """Divide batches of sequence numbers, as of :func:`~skdgm.training.epoch`, into
    segments of ``batch_length`` steps, or one for each batch. Returns a list of
    Segment."""
    pieces, lengths = [], sequences.lengths
    for batch in batches:
        batch = batch[np.argsort(-lengths[batch], kind="stable")]
        batch_lengths, first = lengths[batch], sequences.edges[batch]
        n_steps = batch_lengths[0] if batch_length is None else batch_length
        for begin in range(0, batch_lengths[0], n_steps):
            steps = np.arange(begin, min(begin + n_steps, batch_lengths[0]))
            sizes = np.searchsorted(-batch_lengths, -steps, side="left")
            index = [first[:size] + step for size, step in zip(sizes, steps)]
            ends = steps[-1] + 1 == batch_lengths[0]
            pieces.append(Segment(begin, sizes, np.concatenate(index), bool(ends)))
    return pieces
