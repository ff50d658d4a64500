"""Base of all estimators: contract, options, training, rollback on errors."""

from skdgm.base.fitting import EpochsMixin
from skdgm.base.learning import report
from skdgm.base.model import GenerativeModel, TabularModel
from skdgm.base.rollback import KEPT, replacing, rolled_back

__all__ = [
    "KEPT",
    "EpochsMixin",
    "GenerativeModel",
    "TabularModel",
    "replacing",
    "report",
    "rolled_back",
]
