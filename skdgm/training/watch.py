"""What is watched while something learns: the same rows at the end of each epoch."""

import numpy as np

from skdgm.training.batches import probe


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
