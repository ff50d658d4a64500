"""Batches and the training loop, for every estimator."""

from skdgm.training.batches import Table, canonical, epoch, labelled, probe, split
from skdgm.training.columns import column_spread, column_sums
from skdgm.training.hooks import Callbacks, EarlyStopping, Verbose
from skdgm.training.learning import Learned, epochs_for, learn
from skdgm.training.loop import train
from skdgm.training.reader import Batch, Reader
from skdgm.training.watch import DensityWatch, Watch

__all__ = [
    "Batch",
    "Callbacks",
    "DensityWatch",
    "EarlyStopping",
    "Learned",
    "Reader",
    "Table",
    "Verbose",
    "Watch",
    "canonical",
    "column_spread",
    "column_sums",
    "epoch",
    "epochs_for",
    "labelled",
    "learn",
    "probe",
    "split",
    "train",
]
