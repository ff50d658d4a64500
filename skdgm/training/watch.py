"""What is watched while something learns: the same rows at the end of each epoch."""

import numpy as np

from skdgm.training.batches import probe

# By how much a loss may exceed that of independent columns, in nats a column, before it
# is divergence; and by how much before learning was of no use.
_DIVERGED, _USELESS = 10.0, 0.1


class Watch:
    """The mean loss of some training rows, and that of held-out rows.

    A subclass has ``_losses(state, index, part)``, of the rows at an index, which are
    that part of those that are watched; or a mean of its own, ``_loss``.

    Parameters
    ----------
    table : Table
        What is trained on; a sample of it is watched.
    held_out : Table or None
        What is not; all of it is watched.
    rng : Stream
        For the sample.
    """

    def __init__(self, table, held_out, rng):
        self.rows, self.held_out = table.rows, held_out
        self.probe = probe(table, rng, self._among)

    def __call__(self, state):
        """The two losses per row; the second may be None."""
        loss, held_out = self.of_probe(state), self.held_out
        if held_out is None:
            return loss, None
        return loss, self._loss(state, held_out.index, held_out.weight)

    def of_probe(self, state):
        """The first of the two."""
        return self._loss(state, self.probe, np.ones(len(self.probe)))

    def _among(self, index):
        """Which rows may be watched."""
        return index

    def _loss(self, state, index, weight):
        total = 0.0
        for part in self.rows.blocks(len(index)):
            total += weight[part] @ self._losses(state, index[part], part)
        return float(total / weight.sum())


class DensityWatch(Watch):
    """As :class:`Watch`, of a model that should beat independent columns.

    Parameters
    ----------
    table, held_out, rng
        As of :class:`Watch`.
    independent : float
        Nats a row that independent columns cost.
    state : tuple
        Where training begins.
    """

    useless = "explains rows worse than the means of their columns do."

    def __init__(self, table, held_out, rng, independent, state):
        super().__init__(table, held_out, rng)
        self.start = max(self.of_probe(state), independent)

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        return self.start + _DIVERGED * self.rows.shape[1]

    def is_useless(self, loss):
        """Whether training did harm, and independent columns would do better."""
        return loss > self.start + _USELESS * self.rows.shape[1]
