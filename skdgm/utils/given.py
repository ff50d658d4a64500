"""Values on which rows of a table are conditional, such as labels."""

from typing import NamedTuple

import numpy as np

from skdgm.utils.random import mix64
from skdgm.utils.rows import Rows, row_hash


class Given(NamedTuple):
    """Labels, attributes, targets, past frames or other columns that accompany rows, of
    shape (n_rows,) or (n_rows, n_values). They are codes of classes, -1 where unknown,
    or numbers, NaN where unknown.

    The values distinguish rows that are otherwise equal. An energy has them as a block
    that is always clamped; a net has them as inputs or targets.
    """

    values: np.ndarray

    @property
    def known(self):
        """Mask of rows with at least one known value, (n_rows,)."""
        values = self.values.reshape(len(self.values), -1)
        known = ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
        return known.any(axis=1)

    def take(self, index):
        """The values of selected rows."""
        return Given(self.values[index])

    @property
    def rows(self):
        """The values as rows of a table, for statistics of their columns."""
        return Rows(self.values.reshape(len(self.values), -1), np.float64)

    @property
    def hashes(self):
        """Contribution of the values to the hash of each row, uint64."""
        values = self.values
        are_codes = values.ndim == 1 and values.dtype.kind in "iu"
        hashes = values.astype(np.uint64) if are_codes else row_hash(self.rows)
        return mix64(hashes + np.uint64(2**32))
