"""Minibatches in the format of models."""

from typing import Any, NamedTuple

import numpy as np

# Number of entries to read at a time.
_READ = 2**20


class Batch(NamedTuple):
    """Minibatch: rows, an array or Lists of shape (n_rows, n_columns), and their
    conditions or labels, as encoded by :class:`~skdgm.utils.given.Given`."""

    v: Any
    given: np.ndarray | None = None


class Reader:
    """Sized iterable of batches, given the row numbers of each. Rows are arrays, or
    :class:`~skdgm.utils.lists.Lists` if ``lists``. Several batches are read at a time,
    unless the rows are in memory as lists."""

    def __init__(self, rows, batches, lists):
        self.rows, self.batches, self.lists = rows, batches, lists

    def __len__(self):
        return len(self.batches)

    def parts(self, n_batches):
        """Iterate over groups of consecutive batches, with the number of their first
        batch. A group has at most ``n_batches``, and fewer if these are too large to be
        read at once."""
        entries, at_once = len(self.batches[0]) * self.rows.shape[1], n_batches
        if self.rows.packed is None:
            at_once = min(n_batches, max(1, _READ // entries))
        for first in range(0, len(self.batches), at_once):
            yield first, self.batches[first : first + at_once]

    def __iter__(self):
        for _, group in self.parts(1 if self.rows.packed else len(self.batches)):
            v, stop = self.rows.present(np.concatenate(group), self.lists), 0
            for batch in group:
                start, stop = stop, stop + len(batch)
                yield Batch(v[start:stop], self.rows.accompanying(batch))
