"""Rare and unknown categories: options, and groups learned from the data.

Options and their meaning are those of scikit-learn's ``OneHotEncoder``.
"""

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions

# Constraints on options for rare categories, and on all of estimators of tables.
OF_RARE = {
    "min_frequency": [
        Interval(Integral, 1, None, closed="left"),
        Interval(RealNotInt, 0, 1, closed="neither"),
        None,
    ],
    "max_categories": [Interval(Integral, 1, None, closed="left"), None],
    "handle_unknown": [StrOptions({"auto", "error", "ignore", "infrequent_if_exist"})],
}
OF_TABLES = {**OF_RARE, "missing_pattern": [StrOptions({"ignore", "model"})]}
# Weight, in a group, of a category that was declared and did not occur.
_UNSEEN = 0.5


class Rare(NamedTuple):
    """Options for rare and unknown categories, as of the estimators."""

    min_frequency: object = None
    max_categories: int = None
    handle_unknown: str = "auto"

    @classmethod
    def of(cls, options):
        """Those of a namespace of options."""
        return cls(*(getattr(options, name) for name in cls._fields))

    @property
    def lenient(self):
        """True if unknown categories are never an error."""
        return self.handle_unknown in ("ignore", "infrequent_if_exist")

    def groups(self, weight):
        """Learn the groups of a column from the weights of its categories.

        Parameters
        ----------
        weight : ndarray of shape (n_categories,), float64

        Returns
        -------
        groups : Groups
        """
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


class Groups(NamedTuple):
    """A column of categories of which the rare ones are one for the net.

    Values are codes of all categories; the net sees units, of which the last is that of
    all rare ones. A probability of a rare category is that of the unit times its share.

    Parameters
    ----------
    units : ndarray of int, of shape (n_categories,)
        Unit of each code.
    share : ndarray of shape (n_categories,), float64
        Probability of each code given its unit.
    rare : ndarray of bool, of shape (n_categories,)
    catches : bool
        Whether unknown categories are rare ones: as if one had been seen, once.
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
