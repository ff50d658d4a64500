"""Base of all estimators: contract, options, training, rollback on errors."""

from skdgm.base.attributes import KEPT, reads_one_fit, replacing, rollback, rolled_back
from skdgm.base.classifier import Classifier
from skdgm.base.density import (
    Context,
    Density,
    MissingCapability,
    by_blocks,
    forget_log_Z,
    lazy_log_Z,
    of_rows,
)
from skdgm.base.estimator import Estimator
from skdgm.base.fits import CallbackTask, report
from skdgm.base.model import Facts, Model, named
from skdgm.base.records import Record
from skdgm.base.stages import Component, Epochs, Fit, OwnEpochs

__all__ = [
    "KEPT",
    "CallbackTask",
    "Classifier",
    "Component",
    "Context",
    "Density",
    "Epochs",
    "Estimator",
    "Facts",
    "Fit",
    "MissingCapability",
    "Model",
    "OwnEpochs",
    "Record",
    "by_blocks",
    "forget_log_Z",
    "lazy_log_Z",
    "named",
    "of_rows",
    "reads_one_fit",
    "replacing",
    "report",
    "rollback",
    "rolled_back",
]
