"""Batches as the model takes them."""

import numpy as np

# How many entries to read at a time.
_READ = 2**20


class Reader:
    """Batches of rows, read several at a time.

    Parameters
    ----------
    rows : Rows
    batches : list of ndarray
        Where each batch's rows are.
    """

    def __init__(self, rows, batches):
        self.rows, self.batches = rows, batches

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        at_once = max(1, _READ // (len(self.batches[0]) * self.rows.shape[1]))
        for first in range(0, len(self.batches), at_once):
            some = self.batches[first : first + at_once]
            v, stop = self.rows.present(np.concatenate(some)), 0
            for batch in some:
                start, stop = stop, stop + len(batch)
                yield v[start:stop]
