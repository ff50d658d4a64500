"""Minibatches and the training loop, shared by all estimators."""

from skdgm.training.batches import (
    Table,
    canonical,
    check_finite,
    column_spread,
    column_sums,
    converted,
    epoch,
    filled,
    labeled,
    monitored_rows,
    split,
    split_labeled,
    without_conditions,
)
from skdgm.training.hooks import EarlyStopping, Verbose
from skdgm.training.loop import AUTO, Budget, Learned, optimize
from skdgm.training.objective import Objective, Run
from skdgm.training.progress import Callbacks, Keeper, Progress
from skdgm.training.reader import Batch, Reader
from skdgm.training.sequences import Segment, SequenceRows, segments
from skdgm.training.watch import DensityWatch, LabelWatch, Watch

__all__ = [
    "AUTO",
    "Batch",
    "Budget",
    "Callbacks",
    "DensityWatch",
    "EarlyStopping",
    "Keeper",
    "LabelWatch",
    "Learned",
    "Objective",
    "Progress",
    "Reader",
    "Run",
    "Segment",
    "SequenceRows",
    "Table",
    "Verbose",
    "Watch",
    "canonical",
    "check_finite",
    "column_spread",
    "column_sums",
    "converted",
    "epoch",
    "filled",
    "labeled",
    "monitored_rows",
    "optimize",
    "segments",
    "split",
    "split_labeled",
    "without_conditions",
]
