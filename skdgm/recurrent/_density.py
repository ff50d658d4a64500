r"""Density of sequences: distributions of steps conditional on the previous steps.

.. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})
"""

from abc import abstractmethod
from collections.abc import Callable
from functools import partial

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, MissingCapability
from skdgm.data import fill, warn_of_unknown
from skdgm.data.gaps import (
    IncompleteSeries,
    SeriesModel,
    fill_gaps,
    needs_particles,
    unobserved_columns,
)
from skdgm.data.reach import ends, warn_of_beyond, within_reach
from skdgm.data.sequences import as_one_table, carried_on, completed_columns, last_known
from skdgm.data.time_steps import steps_of
from skdgm.training import Segment, SequenceRows, segments
from skdgm.typing import Data, Target
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.random import IMPUTE, LIKELIHOOD, MAX_SEED, Stream, stream
from skdgm.utils.threading.threads import one_blas_thread

# Maximum size of a layer's activations in a batch, and maximum number of sequences in
# a batch of long sequences.
_MAX_ACTIVATIONS, _MAX_SEQUENCES = 2**19, 64
_GAPS = addresses.SERIES[0]


class SequenceDensity(Density):
    """Density of steps conditional on the previous steps.

    ``sequence_length`` applies to tables without lengths. Batches of sequences are
    processed in segments (:class:`~skdgm.training.Segment`), which contain the first
    steps of all sequences, then the second steps, and so on, with the longest sequences
    first. Subclasses define methods of the rows v of a segment, (n_rows, n_columns),
    random streams, one for each row, and an array of sequence states, one row for each
    sequence. They also define ``width``, the number of units of the largest layer, and
    ``n_particles``, the number of ``particles`` of each sequence.
    """

    # Whether to warn that scores of gray rows are not log-likelihoods.
    warns_of_gray = True
    width: int
    n_particles: int

    def __init__(self, context, *, sequence_length=None):
        super().__init__(context)
        self.sequence_length, self.times = sequence_length, steps_of(context.columns)

    @abstractmethod
    def begin(self, n: int) -> np.ndarray:
        """Initial states of n sequences."""

    @abstractmethod
    def scored(
        self, v: np.ndarray, batch: Segment, rng: Stream, state: np.ndarray
    ) -> tuple:
        """Log-likelihood of each row given the previous rows, (n_rows,), float64, and
        the states after the segment."""

    def scored_entries(
        self, v: np.ndarray, batch: Segment, rng: Stream, state: np.ndarray
    ) -> tuple:
        """Log-likelihood of each entry, if defined, and the states after the
        segment."""
        raise MissingCapability(self.name, "log_prob_of_entries")

    @abstractmethod
    def hidden(
        self, v: np.ndarray, batch: Segment, rng: Stream, state: np.ndarray
    ) -> tuple:
        """Features after each row, and the states after the segment."""

    @abstractmethod
    def filled(
        self, v: np.ndarray, batch: Segment, rng: Stream, state: np.ndarray, method: str
    ) -> tuple:
        """Rows imputed conditional on the previous rows, and the states after the
        segment."""

    @property
    @abstractmethod
    def particles(self) -> SeriesModel:
        """Particles that impute conditional on previous and later rows."""

    @abstractmethod
    def drawn(self, state: np.ndarray, rng: Stream) -> tuple:
        """Draw the next row of each sequence; return rows and states."""

    @abstractmethod
    def drawn_given(self, v: np.ndarray, state: np.ndarray, rng: Stream) -> tuple:
        """Draw the next row of each sequence given its known entries; return rows and
        states."""

    def log_prob(self, X, lengths=None):
        rows, log_p = self._of_rows(X, lengths, self.scored)
        if self.warns_of_gray:
            self.warn_of_gray(rows)
        return log_p + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, lengths=None):
        """Log-likelihood of each entry given the previous entries of its row and the
        previous rows."""
        rows, log_p = self._of_rows(X, lengths, self.scored_entries)
        self.warn_of_gray(rows)
        return log_p + self.domain.log_entries(self.columns, rows)

    def features(self, X, lengths=None):
        """Hidden state after each row."""
        rows, features = self._of_rows(X, lengths, self.hidden)
        warn_of_unknown(self.name, self._in_steps(X, lengths), rows)
        return features

    def fill(self, X, method="mean", random_state=None, *, lengths=None, kept=None):
        """Impute missing entries conditional on all other entries of their sequence.
        Columns in the mask ``kept`` are constant within each sequence."""
        X, complete, seed = self.with_missing_columns(X), [], None
        if method == "sample":
            # All draws share one seed.
            seed = check_random_state(random_state).randint(MAX_SEED)

        def filled(block):
            if not complete:
                complete.append(self._filled(table, lengths, method, seed, kept))
            return complete[0][block.index]

        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        table = completed_columns(self.times.encoded(X, lengths), lengths, kept)
        imputed = fill(self, table, method, 0, filled)
        return self.times.filled(self.decoded(imputed, table), X, lengths, seed)

    def _filled(self, X, lengths, method, seed, kept):
        edges = np.append(0, np.cumsum(lengths))
        sequences = SequenceRows(self._within(self.read(X)), edges)
        function = partial(self.filled, method=method)
        rows, filled = self._of_sequences(sequences, function, IMPUTE, seed)
        v = np.array(rows.take(slice(None)))
        starts, lengths = sequences.edges[:-1], sequences.lengths
        is_settled = self.times.without_first_steps(v, starts)
        by_gaps = needs_particles(is_settled, starts, lengths, method)
        by_gaps |= unobserved_columns(v, starts, lengths, kept).any(axis=1)
        if by_gaps.any():
            keys = sequences.hashes_so_far if seed is None else rows.shape[0]
            rng = stream(self.seed if seed is None else seed, IMPUTE, _GAPS).rows(keys)
            with one_blas_thread():
                series = IncompleteSeries(v, starts[by_gaps], lengths[by_gaps], kept)
                by_particles = fill_gaps(
                    self.particles, series, rng, method, self.n_particles
                )
            rows_by_gaps = np.repeat(by_gaps, lengths)
            filled[rows_by_gaps] = by_particles[rows_by_gaps]
        return filled

    def sample(self, n_samples, random_state=None, *, kept=None):
        """Draw rows of one sequence, or of several sequences of ``sequence_length``
        rows."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        n_steps = min(self.sequence_length or n_samples, n_samples)
        n = -(-n_samples // n_steps)
        rows = self.continued(n_steps, None, n, random_state, kept)
        return rows[:n_samples]

    def continued(self, n_steps, prefix=None, n_each=1, random_state=None, kept=None):
        """Draw ``n_steps`` rows for ``n_each`` sequences, or continuations of each
        sequence of ``prefix``, a table and its lengths: (n * n_steps, n_columns),
        sequence by sequence. Columns in the mask ``kept`` repeat the value of the
        previous row."""
        seed = check_random_state(random_state).randint(MAX_SEED)
        X, lengths = (None, None) if prefix is None else prefix
        with one_blas_thread():
            if prefix is None:
                state, n = self.begin(n_each), n_each
            else:
                state, n = self._after(X, lengths, n_each)
            rng, steps = stream(seed).rows(n), []
            known_row, has_constants = None, kept is not None and kept.any()
            if has_constants and prefix is not None:
                sequences = self._sequences(X, lengths)
                v = sequences.rows.take(slice(None))
                known = np.repeat(last_known(v, sequences.lengths, kept), n_each, 0)
                low, high = ends(self.columns, known.shape[1])[1]
                known_row = known.clip(low, high)
            for t in range(n_steps):
                if known_row is None:
                    v, state = self.drawn(state, rng.fold(t))
                else:
                    v, state = self.drawn_given(known_row, state, rng.fold(t))
                if kept is not None and has_constants:
                    known_row = np.where(kept, v, v.dtype.type(np.nan))
                steps.append(v)
        rows = np.stack(steps, axis=1).reshape(n * n_steps, -1)
        rows = self.decoded(self.domain.to_data(self.columns, rows))
        if has_constants and prefix is not None:
            rows = carried_on(rows, X, lengths, self.times.others(kept))
        return self.times.continued(rows, n_steps, seed, X, lengths)

    def _after(self, X, lengths, n_each):
        """States after sequences, each repeated ``n_each`` times."""
        sequences, states, order = self._sequences(X, lengths), [], []
        sequences = sequences._replace(rows=self._within(sequences.rows))
        rng = stream(self.seed, LIKELIHOOD).rows(sequences.hashes_so_far)
        for numbers, parts in self._batches(sequences):
            state = self.begin(len(numbers))
            for batch in parts:
                v, streams = sequences.rows.take(batch.index), rng.take(batch.index)
                state = self.hidden(v, batch, streams, state)[1]
            states.append(state)
            order.append(numbers)
        order = np.repeat(np.argsort(np.concatenate(order)), n_each)
        dtype = states[0].dtype
        return np.concatenate(states)[order].astype(dtype), len(order)

    def _sequences(self, X, lengths):
        """Validated sequences."""
        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        X = self.times.encoded(X, lengths)
        return SequenceRows(self.read(X), np.append(0, np.cumsum(lengths)))

    def _within(self, rows):
        """Clip values far beyond the training range."""
        v = np.array(rows.take(slice(None)))
        clipped, beyond = within_reach(self._readable(), v)
        warn_of_beyond(self.name, beyond, rows.name_of)
        return rows if clipped is v else rows.raw._replace(X=clipped)

    def _readable(self):
        """Statistics of columns with the range of values that are read unchanged."""
        return self.columns

    def _in_steps(self, X, lengths):
        """Table in which dates that are read as steps are replaced by steps."""
        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        return self.times.encoded(X, lengths)

    def _of_rows(
        self,
        X: Data,
        lengths: Target,
        function: Callable,
        purpose: int = LIKELIHOOD,
        seed: int | None = None,
    ) -> tuple:
        """Validated rows, and values of ``function(rows, segment, streams, states)``.
        Random streams are keyed by the content of the sequence so far, or by row number
        if there is a seed."""
        return self._of_sequences(self._sequences(X, lengths), function, purpose, seed)

    def _of_sequences(
        self,
        sequences: SequenceRows,
        function: Callable,
        purpose: int,
        seed: int | None,
    ) -> tuple:
        """As :meth:`_of_rows`, for validated sequences."""
        if purpose == IMPUTE:
            # Missing entries are imputed rather than treated as values.
            sequences = sequences._replace(rows=sequences.rows._replace(gaps=None))
        rows, values = sequences.rows, None
        keys = sequences.hashes_so_far if seed is None else rows.shape[0]
        rng = stream(self.seed if seed is None else seed, purpose).rows(keys)
        with one_blas_thread():
            for numbers, parts in self._batches(sequences):
                state = self.begin(len(numbers))
                for batch in parts:
                    v, streams = rows.take(batch.index), rng.take(batch.index)
                    part_values, state = function(v, batch, streams, state)
                    if values is None:
                        values = np.empty(
                            (rows.shape[0], *part_values.shape[1:]), part_values.dtype
                        )
                    values[batch.index] = part_values
        return rows, values

    def _batches(self, sequences):
        """Yield the sequence numbers of each batch, and its segments."""
        return batches_of(sequences, np.arange(len(sequences.lengths)), self.width)


def batches_of(sequences, index, width):
    """Yield positions in ``index`` of the sequences of each batch, longest first, and
    the segments of the batch, which are limited by the ``width`` of layers."""
    lengths, n_rows = sequences.lengths[index], max(1, _MAX_ACTIVATIONS // width)
    order = np.argsort(-lengths, kind="stable")
    ends, start = np.cumsum(lengths[order]), 0
    while start < len(order):
        n_done = ends[start - 1] if start else 0
        stop = np.searchsorted(ends, n_done + n_rows, side="right")
        stop = max(stop, min(start + min(_MAX_SEQUENCES, n_rows), len(order)))
        batch = order[start:stop]
        yield batch, segments(sequences, [index[batch]], max(1, n_rows // len(batch)))
        start = stop
