"""Objectives of sequences, trained in segments of steps."""

from abc import abstractmethod
from math import ceil

import numpy as np

from skdgm.nets import NetObjective
from skdgm.nets.objective import NetWatch
from skdgm.recurrent._density import batches_of
from skdgm.training import segments
from skdgm.utils import random

# Approximate number of monitored steps of the training sequences.
_WATCHED = 4000


class SequenceObjective(NetObjective):
    """Mean loss of steps, by truncated back-propagation through time.

    A batch is a :class:`~skdgm.training.Segment` of sequences. :meth:`forward` stores
    the state after a segment in ``carried``, which is None at the beginning. ``rows``
    are :class:`~skdgm.training.SequenceRows`. A subclass defines :meth:`watched`, and
    ``prepare`` and ``forward`` of :class:`~skdgm.nets.NetObjective` for the rows of a
    segment. Its ``net`` has ``init(rng, dtype)`` and ``width``.
    """

    carried = None

    def __init__(self, run, independent_loss, *, net):
        super().__init__(run, independent_loss)
        self.net = net

    def init(self, rng):
        return self.net.init(rng, self.rows.dtype), ()

    def n_watched(self, n_rows):
        """Number of rows, out of ``n_rows``, whose losses are monitored."""
        return n_rows

    @abstractmethod
    def watched(self, params, batch, streams, states, some):
        """Losses of the slice ``some`` of the rows of a segment, with a stream for each
        row and initial states (None at the beginning); and the states after it."""

    def losses(self, state, index, rng):
        """Losses of sequences at an index, summed over steps, float64, extrapolated
        from monitored rows. Each epoch uses the same random stream."""
        total, n_rows = np.zeros(len(index)), self.rows.lengths[index].sum()
        monitored = slice(None, None, max(1, -(-n_rows // self.n_watched(n_rows))))
        for numbers, parts in batches_of(self.rows, index, self.net.width):
            states = None
            for batch in parts:
                sequence = np.concatenate([numbers[:size] for size in batch.sizes])
                steps = batch.begin + np.arange(len(batch.sizes), dtype=np.uint64)
                keys = sequence.astype(np.uint64) << np.uint64(32)
                streams = rng.rows(keys + np.repeat(steps, batch.sizes))
                losses, states = self.watched(
                    state.learned, batch, streams, states, monitored
                )
                losses *= len(sequence) / len(losses)
                total += np.bincount(sequence[monitored], losses, len(index))
        return total

    def split(self, table):
        """Hold out whole sequences, or the last steps of a single sequence."""
        (first, *others), rows = table.index, table.rows
        n_held = ceil(self.options.validation_fraction * rows.lengths[first])
        if others or n_held == rows.lengths[first]:
            return super().split(table)
        begin, end = rows.edges[first : first + 2]
        self.rows = rows._replace(edges=np.array([begin, end - n_held, end]))
        table = table._replace(rows=self.rows)
        return [table._replace(index=np.array([part])) for part in range(2)]

    def draw(self, table, number):
        batches = super().draw(table, number)
        return segments(table.rows, batches, self.options.batch_length)

    def size_of(self, batch):
        return len(batch.index)

    def step(self, state, batch, clock):
        if batch.begin == 0:
            self.carried = None
        return super().step(state, batch, clock)

    def watch(self, table, held_out, state):
        return SequenceWatch(self, table, held_out, state)


class SequenceWatch(NetWatch):
    """Monitor whose losses are means over steps."""

    def _among(self, index):
        ends = np.cumsum(self.rows.lengths[index])
        return index[: max(1, np.searchsorted(ends, _WATCHED, side="right"))]

    def _loss(self, state, index, weight):
        rng = random.stream(self.objective.seed, self.objective.PROBE)
        total = weight @ self.objective.losses(state, index, rng)
        return float(total / (weight @ self.rows.lengths[index]))

    def training_loss(self, state):
        return self._loss(state, self.monitored, np.ones(len(self.monitored)))

    def loss_of_outliers(self):
        sequences, probe = self.rows, self.monitored
        self.rows, self.monitored = sequences.rows, sequences.row_index(probe)
        try:
            return super().loss_of_outliers()
        finally:
            self.rows, self.monitored = sequences, probe
