"""Mini-batches and the training loop, shared by all estimators."""

from skdgm.training.batches import Table, canonical, epoch, labelled, probe, split
from skdgm.training.columns import check_finite, column_spread, column_sums
from skdgm.training.hooks import Callbacks, EarlyStopping, Verbose
from skdgm.training.learning import AUTO, Budget, Learned
from skdgm.training.loop import train
from skdgm.training.objective import Objective, optimise
from skdgm.training.reader import Batch, Reader
from skdgm.training.watch import DensityWatch, Watch

__all__ = [
    "AUTO",
    "Batch",
    "Budget",
    "Callbacks",
    "DensityWatch",
    "EarlyStopping",
    "Learned",
    "Objective",
    "Reader",
    "Table",
    "Verbose",
    "Watch",
    "canonical",
    "check_finite",
    "column_spread",
    "column_sums",
    "epoch",
    "labelled",
    "optimise",
    "probe",
    "split",
    "train",
]
