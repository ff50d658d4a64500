"""Base of all estimators: contract, options, training, rollback on errors."""

from skdgm.base.attributes import KEPT, replacing, rollback, rolled_back, steady
from skdgm.base.classifier import Classifier
from skdgm.base.density import (
    Density,
    MissingCapability,
    by_blocks,
    forget_log_Z,
    lazy_log_Z,
    of_rows,
)
from skdgm.base.estimator import Estimator
from skdgm.base.fits import Stage, report
from skdgm.base.model import Facts, Model

__all__ = [
    "KEPT",
    "Classifier",
    "Density",
    "Estimator",
    "Facts",
    "MissingCapability",
    "Model",
    "Stage",
    "by_blocks",
    "forget_log_Z",
    "lazy_log_Z",
    "of_rows",
    "replacing",
    "report",
    "rollback",
    "rolled_back",
    "steady",
]
