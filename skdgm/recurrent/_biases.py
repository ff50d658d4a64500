"""Biases of the distributions of steps."""

from typing import NamedTuple

import numpy as np


class Biases(NamedTuple):
    """Biases of the distribution of each row, (n_rows, n_units) and (n_rows,
    n_outputs)."""

    hidden: np.ndarray
    visible: np.ndarray

    def take(self, rows):
        """Those of some rows."""
        return Biases(self.hidden[rows], self.visible[rows])
