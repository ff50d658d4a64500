"""Monitoring of the losses of the same rows after each epoch."""

from collections.abc import Callable

import numpy as np

from skdgm.training.batches import monitored_rows

# Nats per column above the reference from which training has diverged or was useless.
_DIVERGED, _USELESS = 10.0, 0.1
# The same for labels, in nats.
_LABELS_DIVERGED, _LABELS_USELESS = 10.0, 2.0
# Standard deviations from which a value is an outlier, and floor of variances.
_OUTLIER, _FLOOR = 10.0, 0.01


class Watch:
    """Mean loss of a sample of training rows, drawn by ``rng``, and of all held-out
    rows. A subclass defines ``_losses(state, index, part)``, the losses of the rows at
    ``index``, where ``part`` is their slice of the monitored or held-out rows.
    Alternatively, it overrides the weighted mean ``_loss(state, index, weight)``."""

    _losses: Callable

    # Attributes that depend on previous states, such as the initial loss.
    MEMORY = ()

    def __init__(self, table, held_out, rng):
        self.rows, self.held_out = table.rows, held_out
        self.monitored = monitored_rows(table, rng, self._among)

    def __call__(self, state):
        """Losses of the sample and of held-out rows, or None, in nats per row."""
        loss = self.training_loss(state)
        return loss, None if self.held_out is None else self.held_out_loss(state)

    def undo(self):
        """Discard any record of the last call, whose state was undone."""

    def training_loss(self, state):
        """Mean loss of the sample of training rows."""
        return self._loss(state, self.monitored, np.ones(len(self.monitored)))

    def held_out_loss(self, state):
        """Mean loss of the held-out rows."""
        return self._loss(state, self.held_out.index, self.held_out.weight)

    def _among(self, index):
        """Rows of an index that may be monitored."""
        return index

    def _loss(self, state, index, weight):
        total = 0.0
        for block in self.rows.blocks(len(index)):
            total += weight[block] @ self._losses(state, index[block], block)
        return float(total / weight.sum())


class LabelWatch(Watch):
    """Watch of the loss of labels, over rows with a known label. Subclasses call
    :meth:`compare` at the start."""

    MEMORY = ("allowed",)
    baseline_warning = "predicts labels worse than their frequencies do."

    def compare(self, log_frequencies, state):
        """Set the reference for later losses: the loss of a state, or that of label
        frequencies if higher. ``log_frequencies`` has the log frequency of the label of
        each monitored row."""
        by_frequencies = -log_frequencies.sum() / max(1, len(log_frequencies))
        self.allowed = max(by_frequencies, self.training_loss(state))

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return self.allowed + _LABELS_DIVERGED

    def is_useless(self, loss):
        """Return whether a loss is clearly higher than the reference."""
        return loss > self.allowed + _LABELS_USELESS

    def _among(self, index):
        return index[self.rows.given.known[index]]


class DensityWatch(Watch):
    """Watch of a density model. The reference for later losses is the loss of the
    initial state, or that of independent columns in nats per row, if known and
    higher."""

    MEMORY = ("start",)
    baseline_warning = "explains rows worse than the means of their columns do."

    def __init__(self, table, held_out, rng, independent_loss, state):
        super().__init__(table, held_out, rng)
        self.start = self.training_loss(state)
        if independent_loss is not None:
            self.start = max(self.start, independent_loss)
        self.room = self.loss_of_outliers()

    def loss_of_outliers(self):
        """Largest contribution of outliers in the sample to the loss, in nats per row,
        with variances at their floor. Such a contribution does not indicate
        divergence."""
        if self.rows.affine is None:
            return 0.0
        mean, scale = map(np.asarray, self.rows.affine)
        real, total = (mean != 0) | (scale != 1), 0.0
        for block in self.rows.blocks(len(self.monitored)):
            z = self.rows.take(self.monitored[block])[:, real].astype(np.float64)
            outliers = np.isfinite(z) & (np.abs(z) > _OUTLIER)
            total += 0.5 * (z[outliers] ** 2).sum() / _FLOOR
        return total / len(self.monitored)

    @property
    def limit(self):
        """Loss above which training has diverged."""
        return self.start + self.room + _DIVERGED * self.rows.shape[1]

    def is_useless(self, loss):
        """Return whether a loss is clearly higher than the reference."""
        return loss > self.start + self.room + _USELESS * self.rows.shape[1]
