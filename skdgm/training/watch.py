"""Watches: losses of the same rows, measured at the end of each epoch."""

from collections.abc import Callable

import numpy as np

from skdgm.training.batches import probe

# Nats per column by which a loss above the baseline (the initial loss, or that of
# independent columns if higher) means divergence, or that learning was useless.
_DIVERGED, _USELESS = 10.0, 0.1
# The same, in nats above the loss of labels at the start, or that of their frequencies.
_LABELS_DIVERGED, _LABELS_USELESS = 10.0, 2.0
# Standard deviations from which on a value is far out, and a column's least variance.
_FAR, _FLOOR = 10.0, 0.01


class Watch:
    """Mean loss of a sample of training rows, drawn by ``rng``, and of all held-out
    rows.

    A subclass defines ``_losses(state, index, part)``, the losses of the rows at
    ``index``, where ``part`` is their slice within the watched or held-out rows; or it
    overrides the weighted mean, ``_loss(state, index, weight)``.
    """

    _losses: Callable

    # Attributes that come from earlier states: the initial loss, or values by epoch.
    MEMORY = ()

    def __init__(self, table, held_out, rng):
        self.rows, self.held_out = table.rows, held_out
        self.probe = probe(table, rng, self._among)

    def __call__(self, state):
        """Both losses, in nats per row; the second is None without held-out rows."""
        loss = self.of_probe(state)
        return loss, None if self.held_out is None else self.of_held_out(state)

    def of_probe(self, state):
        """Mean loss of the watched training rows."""
        return self._loss(state, self.probe, np.ones(len(self.probe)))

    def of_held_out(self, state):
        """Mean loss of the held-out rows."""
        return self._loss(state, self.held_out.index, self.held_out.weight)

    def _among(self, index):
        """Part of an index that may be watched."""
        return index

    def _loss(self, state, index, weight):
        total = 0.0
        for part in self.rows.blocks(len(index)):
            total += weight[part] @ self._losses(state, index[part], part)
        return float(total / weight.sum())


class LabelWatch(Watch):
    """Watch of the loss of labels, of rows with a known label.

    A subclass calls :meth:`compare` with log frequencies when it begins.
    """

    MEMORY = ("allowed",)
    useless = "predicts labels worse than their frequencies do."

    def compare(self, log_frequencies, state):
        """Compare later losses with that of a state, and of the frequencies if higher:
        ``log_frequencies`` are those of the labels of the watched rows."""
        by_frequencies = -log_frequencies.sum() / max(1, len(log_frequencies))
        self.allowed = max(by_frequencies, self.of_probe(state))

    @property
    def limit(self):
        """Loss above which training counts as diverged."""
        return self.allowed + _LABELS_DIVERGED

    def is_useless(self, loss):
        """Return whether training did harm, and frequencies alone would do better."""
        return loss > self.allowed + _LABELS_USELESS

    def _among(self, index):
        return index[self.rows.given.known[index]]


class DensityWatch(Watch):
    """Watch of a density model, compared with the loss of its initial state, and that
    of independent columns in nats per row, where known."""

    MEMORY = ("start",)
    useless = "explains rows worse than the means of their columns do."

    def __init__(self, table, held_out, rng, independent, state):
        super().__init__(table, held_out, rng)
        self.start = self.of_probe(state)
        if independent is not None:
            self.start = max(self.start, independent)
        self.room = self._room_of_far()

    def _room_of_far(self):
        """Nats per row that values far out in the sample cost at most where variances
        are at their floor: they say nothing about divergence."""
        if self.rows.affine is None:
            return 0.0
        mean, scale = map(np.asarray, self.rows.affine)
        real, total = (mean != 0) | (scale != 1), 0.0
        for part in self.rows.blocks(len(self.probe)):
            z = self.rows.take(self.probe[part])[:, real].astype(np.float64)
            far = np.isfinite(z) & (np.abs(z) > _FAR)
            total += 0.5 * (z[far] ** 2).sum() / _FLOOR
        return total / len(self.probe)

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return self.start + self.room + _DIVERGED * self.rows.shape[1]

    def is_useless(self, loss):
        """Return whether a loss is clearly worse than both the initial loss and that of
        independent columns."""
        return loss > self.start + self.room + _USELESS * self.rows.shape[1]
