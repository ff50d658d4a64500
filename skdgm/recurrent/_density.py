r"""Density of sequences: distributions of steps conditional on the steps before.

.. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})
"""

from abc import abstractmethod
from functools import partial

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, MissingCapability
from skdgm.data import fill, tell_unknown
from skdgm.data.gaps import fill_gaps, lost_columns, need_particles
from skdgm.data.reach import ends, tell_beyond, within_reach
from skdgm.data.sequences import as_one_table, carried_on, completed_columns, last_known
from skdgm.data.time_steps import steps_of
from skdgm.training import SequenceRows, stretches
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.random import IMPUTE, LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread

# Limit on the numbers of one layer for all rows that are read at a time, and number of
# sequences up to which long ones are read side by side.
_ROOM, _BESIDE = 2**19, 64
METHODS = "mean", "sample"
_GAPS = addresses.SERIES[0]


class SequenceDensity(Density):
    """Density of steps conditional on the steps before.

    Besides the arguments of :class:`~skdgm.base.Density` it has the option
    ``sequence_length``, of tables without lengths. Sequences are read in stretches of
    some steps, each a :class:`~skdgm.training.Stretch`: all first steps, then all
    second ones, of the longest sequences first. A subclass defines methods of rows v of
    a stretch, (n_rows, n_columns), a stream for each row, and states of sequences
    before it, an array with a row for each; and ``width``, the largest number of units
    of one layer, and ``n_particles``, the number of ``particles`` of each sequence.
    """

    # Whether there is a warning that scores of grey rows are no log-likelihoods.
    tells_grey = True

    def __init__(self, context, *, sequence_length=None):
        super().__init__(context)
        self.sequence_length, self.times = sequence_length, steps_of(context.columns)

    @abstractmethod
    def begin(self, n):
        """State of n sequences before their first step."""

    @abstractmethod
    def scored(self, v, batch, rng, state):
        """Log-likelihood of each row given the rows before, (n_rows,) in float64, and
        states after the stretch."""

    def scored_entries(self, v, batch, rng, state):
        """Log-likelihood of each entry, if there is one, and states."""
        raise MissingCapability(self.name, "log_prob_of_entries")

    @abstractmethod
    def hidden(self, v, batch, rng, state):
        """Features after each row, and states."""

    @abstractmethod
    def filled(self, v, batch, rng, state, method):
        """Rows with missing entries filled conditional on the rows before, and
        states."""

    @property
    @abstractmethod
    def particles(self):
        """Particles that fill gaps conditional on the rows before and after,
        :class:`~skdgm.data.gaps.Particles`."""

    @abstractmethod
    def drawn(self, state, rng):
        """The next row of each sequence, and the states after it."""

    @abstractmethod
    def drawn_given(self, v, state, rng):
        """The next row of each sequence given its known entries, and the states."""

    def log_prob(self, X, lengths=None):
        """Log-likelihood of each row given the rows before it in its sequence."""
        rows, log_p = self._of_rows(X, lengths, self.scored)
        if self.tells_grey:
            self.tell_grey(rows)
        return log_p + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, lengths=None):
        """Log-likelihood of each entry given the entries before it in its row, and the
        rows before."""
        rows, log_p = self._of_rows(X, lengths, self.scored_entries)
        self.tell_grey(rows)
        return log_p + self.domain.log_entries(self.columns, rows)

    def features(self, X, lengths=None):
        """Hidden state after each row."""
        rows, features = self._of_rows(X, lengths, self.hidden)
        tell_unknown(self.name, self._in_steps(X, lengths), rows)
        return features

    def fill(self, X, method="mean", random_state=None, *, lengths=None, kept=None):
        """Fill missing entries, conditional on all others of their sequence. Columns of
        the mask ``kept`` have one value in each sequence."""
        X, complete, seed = self.widened(X), [], None
        if method == "sample":
            # One seed for all that is drawn.
            seed = check_random_state(random_state).randint(MAX_SEED)

        def at(index):
            if not complete:
                complete.append(self._filled(table, lengths, method, seed, kept))
            return complete[0][index]

        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        table = completed_columns(self.times.encoded(X, lengths), lengths, kept)
        filled = fill(self, table, method, 0, at, METHODS, by_place=True)
        return self.times.filled(self.decoded(filled, table), X, lengths, seed)

    def _filled(self, X, lengths, method, seed, kept):
        edges = np.append(0, np.cumsum(lengths))
        sequences = SequenceRows(self._within(self.read(X)), edges)
        function = partial(self.filled, method=method)
        rows, filled = self._of_sequences(sequences, function, IMPUTE, seed)
        v = np.array(rows.take(slice(None)))
        starts, lengths = sequences.edges[:-1], sequences.lengths
        settled = self.times.settled(v, starts)
        some = need_particles(settled, starts, lengths, method)
        some |= lost_columns(v, starts, lengths, kept).any(axis=1)
        if some.any():
            keys = sequences.hashes_so_far if seed is None else rows.shape[0]
            rng = stream(self.seed if seed is None else seed, IMPUTE, _GAPS).rows(keys)
            with one_blas_thread():
                by_particles = fill_gaps(
                    self.particles,
                    v,
                    starts[some],
                    lengths[some],
                    rng,
                    method,
                    self.n_particles,
                    kept,
                )
            in_some = np.repeat(some, lengths)
            filled[in_some] = by_particles[in_some]
        return filled

    def sample(self, n_samples, random_state=None, *, kept=None):
        """Draw rows: a sequence, or several of ``sequence_length`` rows."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        n_steps = min(self.sequence_length or n_samples, n_samples)
        n = -(-n_samples // n_steps)
        rows = self.continued(n_steps, None, n, random_state, kept)
        return rows[:n_samples]

    def continued(self, n_steps, prefix=None, n_each=1, random_state=None, kept=None):
        """Draw ``n_steps`` rows of ``n_each`` sequences, or of as many continuations of
        each sequence of a ``prefix``, a table and its lengths: (n * n_steps,
        n_columns), one sequence after the other. Columns of the mask ``kept`` have the
        values of the row before."""
        seed = check_random_state(random_state).randint(MAX_SEED)
        X, lengths = (None, None) if prefix is None else prefix
        with one_blas_thread():
            if prefix is None:
                state, n = self.begin(n_each), n_each
            else:
                state, n = self._after(X, lengths, n_each)
            rng, steps = stream(seed).rows(n), []
            fixed, some = None, kept is not None and kept.any()
            if some and prefix is not None:
                sequences = self._sequences(X, lengths)
                v = sequences.rows.take(slice(None))
                known = np.repeat(last_known(v, sequences.lengths, kept), n_each, 0)
                low, high = ends(self.columns, known.shape[1])[1]
                fixed = known.clip(low, high)
            for t in range(n_steps):
                if fixed is None:
                    v, state = self.drawn(state, rng.fold(t))
                else:
                    v, state = self.drawn_given(fixed, state, rng.fold(t))
                if some:
                    fixed = np.where(kept, v, v.dtype.type(np.nan))
                steps.append(v)
        rows = np.stack(steps, axis=1).reshape(n * n_steps, -1)
        rows = self.decoded(self.domain.to_data(self.columns, rows))
        if some and prefix is not None:
            rows = carried_on(rows, X, lengths, self.times.others(kept))
        return self.times.continued(rows, n_steps, seed, X, lengths)

    def _after(self, X, lengths, n_each):
        """States after sequences, each repeated."""
        sequences, states, order = self._sequences(X, lengths), [], []
        sequences = sequences._replace(rows=self._within(sequences.rows))
        rng = stream(self.seed, LIKELIHOOD).rows(sequences.hashes_so_far)
        for which, parts in self._batches(sequences):
            state = self.begin(len(which))
            for batch in parts:
                v, streams = sequences.rows.take(batch.index), rng.take(batch.index)
                state = self.hidden(v, batch, streams, state)[1]
            states.append(state)
            order.append(which)
        order = np.repeat(np.argsort(np.concatenate(order)), n_each)
        dtype = states[0].dtype
        return np.concatenate(states)[order].astype(dtype), len(order)

    def _sequences(self, X, lengths):
        """Validated sequences."""
        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        X = self.times.encoded(X, lengths)
        return SequenceRows(self.read(X), np.append(0, np.cumsum(lengths)))

    def _within(self, rows):
        """Rows with values far beyond the range seen at the end of the range."""
        v = np.array(rows.take(slice(None)))
        within, beyond = within_reach(self.columns, v)
        tell_beyond(self.name, beyond, rows.name_of)
        return rows if within is v else rows.raw._replace(X=within)

    def _in_steps(self, X, lengths):
        """Table with steps in the place of dates that are read as steps."""
        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        return self.times.encoded(X, lengths)

    def _of_rows(self, X, lengths, function, purpose=LIKELIHOOD, seed=None):
        """Validated rows, and values of a function of rows, stretch, streams and
        states. Streams are keyed by the content of sequences so far, or by row numbers
        if there is a seed."""
        return self._of_sequences(self._sequences(X, lengths), function, purpose, seed)

    def _of_sequences(self, sequences, function, purpose, seed):
        """As :meth:`_of_rows`, of validated sequences."""
        if purpose == IMPUTE:
            # A missing entry is to be filled, and is not a value.
            sequences = sequences._replace(rows=sequences.rows._replace(gaps=None))
        rows, values = sequences.rows, None
        keys = sequences.hashes_so_far if seed is None else rows.shape[0]
        rng = stream(self.seed if seed is None else seed, purpose).rows(keys)
        with one_blas_thread():
            for which, parts in self._batches(sequences):
                state = self.begin(len(which))
                for batch in parts:
                    v, streams = rows.take(batch.index), rng.take(batch.index)
                    part, state = function(v, batch, streams, state)
                    if values is None:
                        values = np.empty((rows.shape[0], *part.shape[1:]), part.dtype)
                    values[batch.index] = part
        return rows, values

    def _batches(self, sequences):
        """Numbers of the sequences of each batch, and its stretches."""
        return batches_of(sequences, np.arange(len(sequences.lengths)), self.width)


def batches_of(sequences, index, width):
    """Yield places in ``index`` of the sequences of each batch, the longest first, and
    its stretches, each with as many rows as layers of a width have room for."""
    lengths, room = sequences.lengths[index], max(1, _ROOM // width)
    order = np.argsort(-lengths, kind="stable")
    ends, start = np.cumsum(lengths[order]), 0
    while start < len(order):
        before = ends[start - 1] if start else 0
        stop = np.searchsorted(ends, before + room, side="right")
        stop = max(stop, min(start + min(_BESIDE, room), len(order)))
        which = order[start:stop]
        yield which, stretches(sequences, [index[which]], max(1, room // len(which)))
        start = stop
