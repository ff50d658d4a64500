"""Rare and unknown categories: options, and groups of categories learned from the data.

The options have the same meaning as in scikit-learn's ``OneHotEncoder``.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.exceptions import CostWarning
from skdgm.utils.threading.callers import warn

# Weight of a declared category that does not occur.
_UNSEEN = 0.5
# Minimum number of categories in a column of identifiers.
_MIN_IDENTIFIERS = 100


class Rare(NamedTuple):
    """Options for rare and unknown categories."""

    min_frequency: object = None
    max_categories: int | None = None
    handle_unknown: str = "auto"

    @classmethod
    def of(cls, options):
        """Options for rare categories in a namespace of options."""
        known = vars(options)
        return cls(**{name: known[name] for name in cls._fields if name in known})

    @property
    def lenient(self):
        """True if unknown categories are never an error."""
        return self.handle_unknown in ("ignore", "infrequent_if_exist")

    def groups(self, weight):
        """Group the categories of a column, given their weights."""
        min_weight, limit = self.min_frequency or 0, self.max_categories
        if not isinstance(min_weight, Integral):
            min_weight = min_weight * weight.sum()
        rare = weight < min_weight
        if limit is not None and limit < (~rare).sum() + 1:
            rare[np.argsort(weight, kind="stable")[: len(weight) - (limit - 1)]] = True
        units = np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1)
        catches = self.handle_unknown == "infrequent_if_exist" and bool(rare.any())
        masses = np.where(rare, np.maximum(weight, _UNSEEN), 0.0)
        share = np.where(rare, masses / ((masses.sum() + catches) or 1.0), 1.0)
        return Groups(units, share, rare, catches)


def warn_of_identifiers(columns, table):
    """Warn about columns of identifiers, with at least half as many categories as
    rows."""
    sizes = columns.sizes
    coded = getattr(columns, "coded", np.full(len(sizes), True))
    kinds, scales = getattr(columns, "kinds", None), getattr(columns, "scales", ())
    many = coded & (sizes >= _MIN_IDENTIFIERS)
    ends = np.cumsum(np.where(coded, sizes, 0))
    for j in np.flatnonzero(many):
        n_rows = max(columns.seen[j], len(table.index))
        size = np.count_nonzero(columns.counts[ends[j] - sizes[j] : ends[j]])
        categorical = kinds is None or kinds[j] == "categorical"
        # Merged categories cost nothing.
        grouped = bool(scales) and scales[j] is not None
        if categorical and not grouped and size >= max(_MIN_IDENTIFIERS, n_rows / 2):
            warn(
                f"The column {table.rows.name_of(j)!r} has {size:,} categories in "
                f"{n_rows:,.0f} rows, as identifiers have: there is next to nothing to "
                "learn from it, and weights for each of them take most of the time. "
                "Drop it, or merge rare categories by column_types__min_frequency or "
                "column_types__max_categories.",
                CostWarning,
            )


class Groups(NamedTuple):
    """A categorical column whose rare categories are merged for the net.

    Values are codes of all categories. ``units`` maps codes to categories of the net,
    the last of which contains all rare categories. ``share`` is the probability of a
    code given its unit, and ``rare`` a mask of codes. If ``catches``, unknown
    categories count as a rare category that was seen once.
    """

    units: np.ndarray
    share: np.ndarray
    rare: np.ndarray
    catches: bool

    @property
    def size(self):
        """Number of units, which is the number of inputs of a net."""
        return int(self.units.max()) + 1

    @property
    def shares(self):
        """Shares of all codes, and of the additional code of unknown categories."""
        unknown = 1 - self.share[self.rare].sum() if self.catches else 1.0
        return np.append(self.share, unknown)

    @property
    def places(self):
        """Units of all codes, and of the additional code."""
        return np.append(self.units, self.size - 1)

    @property
    def beyond(self):
        """Code of unknown categories: the additional code, or NaN."""
        return float(len(self.units)) if self.catches else np.nan

    def forward(self, x):
        """Codes, with a single code for all unknown categories."""
        return np.where(x >= len(self.units), self.beyond, x)

    def backward(self, v):
        """Codes, unchanged."""
        return v

    def merged(self, p):
        """Probabilities of units, given the probabilities of codes."""
        return np.bincount(self.units, p, self.size)
