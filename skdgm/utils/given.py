"""Values given beside the rows of a table."""

from typing import NamedTuple

import numpy as np

from skdgm.utils.random import mix64
from skdgm.utils.rows import Rows, row_hash


class Given(NamedTuple):
    """Labels, attributes, targets, past frames or other columns beside rows, of shape
    (n_rows,) or (n_rows, n_values): codes of classes, -1 where unknown, or numbers, NaN
    where unknown.

    They distinguish otherwise equal rows. An energy takes them as a block that is
    always clamped, a net as inputs or as what is to be predicted.
    """

    values: np.ndarray

    @property
    def known(self):
        """Mask of rows of which at least one value is known, of shape (n_rows,)."""
        values = self.values.reshape(len(self.values), -1)
        known = ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
        return known.any(axis=1)

    def take(self, index):
        """What is given beside rows at an index."""
        return Given(self.values[index])

    @property
    def rows(self):
        """The values as rows of a table, for statistics of their columns."""
        return Rows(self.values.reshape(len(self.values), -1), np.float64)

    @property
    def hashes(self):
        """What the hash of a row differs by, a uint64 for each."""
        values = self.values
        codes = values.ndim == 1 and values.dtype.kind in "iu"
        found = values.astype(np.uint64) if codes else row_hash(self.rows)
        return mix64(found + np.uint64(2**32))
