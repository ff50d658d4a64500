"""What models know of their columns: how data are brought to them, and back.

A model learns of its columns when it is first fitted, and keeps what it learned in
``_columns``. What is done with columns of a kind is a class: with bits here, with real
numbers in :mod:`skdgm.base.real_columns`.
"""

from typing import NamedTuple

import numpy as np

from skdgm.exceptions import MissingDataWarning
from skdgm.training import column_sums
from skdgm.utils.domains import bernoulli_rows
from skdgm.utils.warn import warn


class Columns(NamedTuple):
    """What is known of the columns.

    Parameters
    ----------
    seen, total : ndarray
        The weight of what was observed in all fits, and its weighted sum.
    mean, scale : ndarray
        What to subtract, and what to divide by; fixed by the first data.
    varies : ndarray of bool
        Whether there was more than one value.
    """

    seen: np.ndarray
    total: np.ndarray
    mean: np.ndarray = 0.0
    scale: np.ndarray = 1.0
    varies: np.ndarray = True


def observed(table, before):
    """Counts and sums with those before; a warning where there is nothing."""
    seen, total = column_sums(table)
    if before is not None:
        seen, total = before.seen + seen, before.total + total
    if not seen.all():
        warn(
            f"Columns {np.flatnonzero(seen == 0).tolist()} have no observed "
            "value: nothing can be learned of them. Drop them or fill them.",
            MissingDataWarning,
        )
    return seen, total


def has_grey(rows, which):
    """Whether columns of bits have values between 0 and 1.

    Parameters
    ----------
    rows : Rows
    which : ndarray of int
        The columns.
    """
    if rows.binary or not len(which):
        return False
    parts = (rows.take(block)[:, which] for block in rows.blocks())
    return any(((part > 0) & (part < 1)).any() for part in parts)


class BinaryColumns:
    """Values 0, 1 and probabilities of 1."""

    tags = {"positive_only": True}
    sample_type, measure = bool, "probability"

    def rows(self, model, X, **options):
        """Validate data."""
        return bernoulli_rows(model, X, **options)

    def learn(self, table, before=None):
        """The columns, and the table as the model sees it."""
        return Columns(*observed(table, before)), table

    def bits(self, columns):
        """Numbers of the columns of bits: of all."""
        return np.arange(len(columns.seen))

    def seen(self, rows, columns):
        """Rows as the model sees them."""
        return rows

    def moments(self, columns):
        """Means of the columns, smoothed as if a 0 and a 1 had been seen too."""
        return (columns.total + 1) / (columns.seen + 2)

    def fill(self, columns):
        """What missing values start from."""
        return self.moments(columns)

    def loss_of_independent(self, columns):
        """Nats a row that independent columns cost."""
        p = self.moments(columns)
        return -(p * np.log(p) + (1 - p) * np.log1p(-p)).sum()

    def to_data(self, columns, v):
        """Values of units as values of columns."""
        return v

    def log_measure(self, columns):
        """What is added to the log density of each column's units where it is known."""
        return np.zeros(len(columns.seen))

    def log_volume(self, columns, rows):
        """What is added to a density of units to make it one of columns, per row."""
        return 0.0
