"""Objectives of sequences, learned in stretches of some steps."""

from math import ceil

import numpy as np

from skdgm.nets import NetObjective
from skdgm.nets.objective import NetWatch
from skdgm.training import stretches
from skdgm.utils import random

# Steps of the training sequences that are watched, about.
_WATCHED = 4000


class SequenceObjective(NetObjective):
    """Mean loss of steps given those before, by truncated back-propagation through
    time.

    A batch is a :class:`~skdgm.training.Stretch` of some sequences; ``carried`` is the
    state after the stretch before, None at the beginning, which :meth:`forward` leaves
    for the next. ``rows`` are :class:`~skdgm.training.Sequences`. A subclass defines
    ``init``, ``prepare``, ``forward`` and ``losses`` of
    :class:`~skdgm.nets.NetObjective`: ``forward`` has losses of the rows of a stretch,
    ``losses`` of sequences at an index, summed over their steps, by one stream that is
    the same in every epoch.
    """

    carried = None

    def split(self, table):
        """Hold out whole sequences; of a single one, its last steps."""
        (first, *others), rows = table.index, table.rows
        n_held = ceil(self.options.validation_fraction * rows.lengths[first])
        if others or n_held == rows.lengths[first]:
            return super().split(table)
        begin, end = rows.edges[first : first + 2]
        self.rows = rows._replace(edges=np.array([begin, end - n_held, end]))
        table = table._replace(rows=self.rows)
        return [table._replace(index=np.array([part])) for part in range(2)]

    def draw(self, table, number):
        """Stretches of the batches of sequences of an epoch."""
        batches = super().draw(table, number)
        return stretches(table.rows, batches, self.options.batch_length)

    def size_of(self, batch):
        """Number of steps of a stretch."""
        return len(batch.index)

    def step(self, state, batch, clock):
        """Update a state from a stretch."""
        if batch.begin == 0:
            self.carried = None
        return super().step(state, batch, clock)

    def watch(self, table, held_out, state):
        """Losses of the same sequences at the end of each epoch."""
        return SequenceWatch(self, table, held_out, state)


class SequenceWatch(NetWatch):
    """Watch whose losses are means over steps."""

    def _among(self, index):
        ends = np.cumsum(self.rows.lengths[index])
        return index[: max(1, np.searchsorted(ends, _WATCHED, side="right"))]

    def _loss(self, state, index, weight):
        rng = random.stream(self.objective.seed, self.objective.PROBE)
        total = weight @ self.objective.losses(state, index, rng)
        return float(total / (weight @ self.rows.lengths[index]))

    def of_probe(self, state):
        return self._loss(state, self.probe, np.ones(len(self.probe)))

    def _room_of_far(self):
        sequences, probe = self.rows, self.probe
        self.rows, self.probe = sequences.rows, sequences.row_index(probe)
        try:
            return super()._room_of_far()
        finally:
            self.rows, self.probe = sequences, probe
