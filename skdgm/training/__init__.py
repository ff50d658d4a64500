"""Batches and the training loop, for every estimator."""

from skdgm.training.batches import canonical, column_sums, epoch, split
from skdgm.training.hooks import Callbacks, EarlyStopping, Verbose
from skdgm.training.loop import train
from skdgm.training.reader import Reader

__all__ = [
    "Callbacks",
    "EarlyStopping",
    "Reader",
    "Verbose",
    "canonical",
    "column_sums",
    "epoch",
    "split",
    "train",
]
