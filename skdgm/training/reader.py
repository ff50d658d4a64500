"""Batches as the model takes them."""

from typing import NamedTuple

import numpy as np

# How many entries to read at a time.
_READ = 2**20


class Batch(NamedTuple):
    """Rows, as an array or as lists, and their labels if they have some."""

    v: object
    labels: np.ndarray = None


class Reader:
    """Batches of rows, read several at a time where reading takes time.

    Parameters
    ----------
    rows : Rows
    batches : list of ndarray
        Where each batch's rows are.
    lists : bool
        Whether they are read as lists.
    """

    def __init__(self, rows, batches, lists):
        self.rows, self.batches, self.lists = rows, batches, lists

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        entries = len(self.batches[0]) * self.rows.shape[1]
        at_once = 1 if self.rows.packed else max(1, _READ // entries)
        for first in range(0, len(self.batches), at_once):
            some = self.batches[first : first + at_once]
            v, stop = self.rows.present(np.concatenate(some), self.lists), 0
            for batch in some:
                start, stop = stop, stop + len(batch)
                labels = self.rows.labels
                yield Batch(v[start:stop], None if labels is None else labels[batch])
