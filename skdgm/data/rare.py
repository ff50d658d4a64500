"""Rare and unknown categories: options, and groups learned from the data.

Options and their meaning are those of scikit-learn's ``OneHotEncoder``.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from skdgm.exceptions import CostWarning
from skdgm.utils.threading.callers import warn

# Weight, in a group, of a category that was declared and did not occur.
_UNSEEN = 0.5
# Number of categories from which on a column may be one of identifiers.
_MANY = 100


class Rare(NamedTuple):
    """Options for rare and unknown categories, as of the estimators."""

    min_frequency: object = None
    max_categories: int = None
    handle_unknown: str = "auto"

    @classmethod
    def of(cls, options):
        """Those that a namespace of options has."""
        known = vars(options)
        return cls(**{name: known[name] for name in cls._fields if name in known})

    @property
    def lenient(self):
        """True if unknown categories are never an error."""
        return self.handle_unknown in ("ignore", "infrequent_if_exist")

    def groups(self, weight):
        """Learn the groups of a column from the weights of its categories."""
        least, most = self.min_frequency or 0, self.max_categories
        if not isinstance(least, Integral):
            least = least * weight.sum()
        rare = weight < least
        if most is not None and most < (~rare).sum() + 1:
            rare[np.argsort(weight, kind="stable")[: len(weight) - (most - 1)]] = True
        units = np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1)
        catches = self.handle_unknown == "infrequent_if_exist" and bool(rare.any())
        own = np.where(rare, np.maximum(weight, _UNSEEN), 0.0)
        share = np.where(rare, own / ((own.sum() + catches) or 1.0), 1.0)
        return Groups(units, share, rare, catches)


def tell_identifiers(columns, table):
    """Warn of columns of identifiers: categories of which more than half occur once, at
    best."""
    sizes = columns.sizes
    coded = getattr(columns, "coded", np.full(len(sizes), True))
    kinds, scales = getattr(columns, "kinds", None), getattr(columns, "scales", ())
    many = coded & (sizes >= _MANY)
    ends = np.cumsum(np.where(coded, sizes, 0))
    for j in np.flatnonzero(many):
        n_rows = max(columns.seen[j], len(table.index))
        size = np.count_nonzero(columns.counts[ends[j] - sizes[j] : ends[j]])
        plain = kinds is None or kinds[j] == "categorical"
        # Rare categories that are in groups cost nothing.
        grouped = bool(scales) and scales[j] is not None
        if plain and not grouped and size >= max(_MANY, n_rows / 2):
            warn(
                f"The column {table.rows.name_of(j)!r} has {size:,} categories in "
                f"{n_rows:,.0f} rows, as identifiers have: there is next to nothing to "
                "learn of it, and weights for each of them take most of the time. Drop "
                "it, or merge rare categories by column_types__min_frequency or "
                "column_types__max_categories.",
                CostWarning,
            )


class Groups(NamedTuple):
    """A column of categories of which the rare ones are one for the net.

    Values are codes of all categories; the net sees ``units``, of each code, of which
    the last is that of all rare ones. ``share`` is the probability of a code given its
    unit; ``rare`` a mask of codes. If it ``catches``, unknown categories are rare ones:
    as if one had been seen, once.
    """

    units: np.ndarray
    share: np.ndarray
    rare: np.ndarray
    catches: bool

    @property
    def size(self):
        """Number of inputs of a net: of units."""
        return int(self.units.max()) + 1

    @property
    def shares(self):
        """Shares of all codes, and of the one after them, of unknown categories."""
        rest = 1 - self.share[self.rare].sum() if self.catches else 1.0
        return np.append(self.share, rest)

    @property
    def places(self):
        """Units of all codes, and of the one after them."""
        return np.append(self.units, self.size - 1)

    @property
    def beyond(self):
        """Code of unknown categories: the next one, or NaN."""
        return float(len(self.units)) if self.catches else np.nan

    def forward(self, x):
        """Codes, that of unknown categories for all higher ones."""
        return np.where(x >= len(self.units), self.beyond, x)

    def backward(self, v):
        """Codes as they are."""
        return v

    def merged(self, p):
        """Probabilities of units, of those of codes."""
        return np.bincount(self.units, p, self.size)
