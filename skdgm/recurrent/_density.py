r"""Density of sequences: the distribution of each step given those before.

.. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_1, \dots, x_{t-1})
"""

from abc import abstractmethod

import numpy as np
from sklearn.utils import check_random_state

from skdgm.base import Density, MissingCapability
from skdgm.data import fill, tell_unknown
from skdgm.data.gaps import fill_gaps, lost_columns, need_particles
from skdgm.data.reach import ends, tell_beyond, within_reach
from skdgm.data.sequences import as_one_table, carried_on, completed_columns, last_known
from skdgm.data.time_steps import steps_of
from skdgm.training import Sequences, stretches
from skdgm.utils.counts import count_rows
from skdgm.utils.random import IMPUTE, LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread

# Limit on the numbers of one layer for all rows that are read at a time, and number of
# sequences up to which long ones are read side by side.
_ROOM, _BESIDE = 2**19, 64
METHODS = "mean", "sample"
_GAPS = 610


class SequenceDensity(Density):
    """Density of steps given those before.

    Besides the arguments of :class:`~skdgm.base.Density` it has the option
    ``sequence_length``, of tables without lengths. Sequences are read in stretches of
    some steps, as of :class:`~skdgm.training.Stretch`: all first steps, then all second
    ones, of the longest sequences first. A subclass defines ``n_features_out``,
    ``capabilities``; ``width``, the largest number of units of one layer;

    - ``begin(n)``, the state of n sequences before their first step, an array with a
      row for each;
    - of rows v of a stretch, (n_rows, n_columns), a stream for each row, and the states
      before, those after it and ``scored(v, batch, rng, state)``,
      log-likelihoods, float64 of shape (n_rows,); ``hidden(v, batch, rng, state)``,
      features after each step; and ``filled(v, batch, rng, state, method)``, rows with
      missing entries filled;
    - ``particles``, :class:`~skdgm.data.gaps.Particles` that fill gaps given rows after
      them, too, and how many, ``n_particles``;
    - ``drawn(state, rng)``, the next row of each sequence, and the states after it.
    """

    # Whether scores of grey rows are no log-likelihoods, and say so.
    tells_grey = True

    def __init__(self, context, *, sequence_length=None):
        super().__init__(context)
        self.sequence_length, self.times = sequence_length, steps_of(context.columns)

    @abstractmethod
    def begin(self, n):
        """State of n sequences before their first step."""

    @abstractmethod
    def scored(self, v, batch, rng, state):
        """Log-likelihood of each row given those before it, and states."""

    def scored_entries(self, v, batch, rng, state):
        """Log-likelihood of each entry, where the density has such, and states."""
        raise MissingCapability(self.name, "log_prob_of_entries")

    @abstractmethod
    def hidden(self, v, batch, rng, state):
        """Features after each row, and states."""

    @abstractmethod
    def filled(self, v, batch, rng, state, method):
        """Rows with missing entries filled, given the rows before, and states."""

    @property
    @abstractmethod
    def particles(self):
        """What fills gaps given the rows before and after."""

    @abstractmethod
    def drawn(self, state, rng):
        """The next row of each sequence, and the states after it."""

    @abstractmethod
    def drawn_given(self, v, state, rng):
        """The next row of each sequence given its known entries, and the states."""

    def log_prob(self, X, lengths=None):
        """Log-likelihood of each row given those before it in its sequence."""
        rows, found = self._of_rows(X, lengths, self.scored)
        if self.tells_grey:
            self.tell_grey(rows)
        return found + self.domain.log_volume(self.columns, rows)

    def log_prob_of_entries(self, X, lengths=None):
        """Log-likelihood of each entry given those before it in its row, and the rows
        before."""
        rows, found = self._of_rows(X, lengths, self.scored_entries)
        self.tell_grey(rows)
        return found + self.domain.log_entries(self.columns, rows)

    def features(self, X, lengths=None):
        """Hidden state after each row."""
        rows, found = self._of_rows(X, lengths, self.hidden)
        tell_unknown(self.name, self._in_steps(X, lengths), rows)
        return found

    def fill(self, X, method="mean", random_state=None, *, lengths=None, kept=None):
        """Fill missing entries, given all others of their sequence. Columns of which a
        mask says that they are ``kept`` have one value in each."""
        X, whole, seed = self.widened(X), [], None
        if method == "sample":
            # The generator is asked for a seed once, here.
            seed = check_random_state(random_state).randint(MAX_SEED)

        def at(index):
            if not whole:
                whole.append(self._filled(table, lengths, method, seed, kept))
            return whole[0][index]

        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        table = completed_columns(self.times.encoded(X, lengths), lengths, kept)
        found = fill(self, table, method, 0, at, METHODS, by_place=True)
        found = self.decoded(found, table)
        return self.times.filled(found, X, lengths, seed)

    def _filled(self, X, lengths, method, seed, kept):
        def filled(*given):
            return self.filled(*given, method)

        edges = np.append(0, np.cumsum(lengths))
        sequences = Sequences(self._within(self.read(X)), edges)
        rows, found = self._of_sequences(sequences, filled, IMPUTE, seed)
        v = np.array(rows.take(slice(None)))
        starts, lengths = sequences.edges[:-1], sequences.lengths
        asked = self.times.settled(v, starts)
        some = need_particles(asked, starts, lengths, method)
        some |= lost_columns(v, starts, lengths, kept).any(axis=1)
        if some.any():
            own = np.repeat(some, lengths)
            keys = sequences.hashes_so_far if seed is None else rows.shape[0]
            rng = stream(self.seed if seed is None else seed, IMPUTE, _GAPS).rows(keys)
            given = self.particles, v, starts[some], lengths[some], rng, method
            with one_blas_thread():
                found[own] = fill_gaps(*given, self.n_particles, kept)[own]
        return found

    def sample(self, n_samples, random_state=None, *, kept=None):
        """Draw rows: a sequence, or several of ``sequence_length`` rows."""
        n_samples = count_rows(n_samples, len(self.columns.seen))
        n_steps = min(self.sequence_length or n_samples, n_samples)
        n = -(-n_samples // n_steps)
        found = self.continued(n_steps, None, n, random_state, kept)
        return found[:n_samples]

    def continued(self, n_steps, given=None, n_each=1, random_state=None, kept=None):
        """Draw ``n_steps`` rows of n sequences, or those that follow ``given``
        sequences, a table and their lengths, ``n_each`` times: (n * n_steps,
        n_columns), one sequence after the other. Columns of which a mask says that they
        are ``kept`` have the values of the row before."""
        seed = check_random_state(random_state).randint(MAX_SEED)
        with one_blas_thread():
            if given is None:
                state, n = self.begin(n_each), n_each
            else:
                state, n = self._after(*given, n_each)
            rng, steps = stream(seed).rows(n), []
            fixed, some = None, kept is not None and kept.any()
            if some and given is not None:
                sequences = self._sequences(*given)
                v = sequences.rows.take(slice(None))
                known = np.repeat(last_known(v, sequences.lengths, kept), n_each, 0)
                fixed = known.clip(*ends(self.columns, known.shape[1])[1])
            for t in range(n_steps):
                if fixed is None:
                    v, state = self.drawn(state, rng.fold(t))
                else:
                    v, state = self.drawn_given(fixed, state, rng.fold(t))
                if some:
                    fixed = np.where(kept, v, v.dtype.type(np.nan))
                steps.append(v)
        found = np.stack(steps, axis=1).reshape(n * n_steps, -1)
        found = self.decoded(self.domain.to_data(self.columns, found))
        if some and given is not None:
            found = carried_on(found, *given, self.times.others(kept))
        return self.times.continued(found, n_steps, seed, *(given or ()))

    def _after(self, X, lengths, n_each):
        """State after each of some sequences, each repeated."""
        sequences, found, order = self._sequences(X, lengths), [], []
        sequences = sequences._replace(rows=self._within(sequences.rows))
        rng = stream(self.seed, LIKELIHOOD).rows(sequences.hashes_so_far)
        for which, parts in self._batches(sequences):
            state = self.begin(len(which))
            for batch in parts:
                v, own = sequences.rows.take(batch.index), rng.take(batch.index)
                state = self.hidden(v, batch, own, state)[1]
            found.append(state)
            order.append(which)
        order = np.repeat(np.argsort(np.concatenate(order)), n_each)
        dtype = found[0].dtype
        return np.concatenate(found)[order].astype(dtype), len(order)

    def _sequences(self, X, lengths):
        """Validated rows, and which of them are a sequence."""
        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        X = self.times.encoded(X, lengths)
        return Sequences(self.read(X), np.append(0, np.cumsum(lengths)))

    def _within(self, rows):
        """Rows of which values far beyond the range seen are read as the end of it."""
        v = np.array(rows.take(slice(None)))
        found, beyond = within_reach(self.columns, v)
        tell_beyond(self.name, beyond, rows.name_of)
        return rows if found is v else rows.raw._replace(X=found)

    def _in_steps(self, X, lengths):
        """Table with steps in the place of dates, where these are read so."""
        X, lengths = as_one_table(X, lengths, each=self.sequence_length)
        return self.times.encoded(X, lengths)

    def _of_rows(self, X, lengths, function, purpose=LIKELIHOOD, seed=None):
        """Validated rows, and a function of rows, batch and streams, which are keyed by
        the content of sequences so far, or by numbers of rows if there is a seed."""
        return self._of_sequences(self._sequences(X, lengths), function, purpose, seed)

    def _of_sequences(self, sequences, function, purpose, seed):
        """The same of sequences that have been read."""
        if purpose == IMPUTE:
            # What is missing is to be filled: it has no value, and is none.
            sequences = sequences._replace(rows=sequences.rows._replace(gaps=None))
        rows, found = sequences.rows, None
        keys = sequences.hashes_so_far if seed is None else rows.shape[0]
        rng = stream(self.seed if seed is None else seed, purpose).rows(keys)
        with one_blas_thread():
            for which, parts in self._batches(sequences):
                state = self.begin(len(which))
                for batch in parts:
                    v, own = rows.take(batch.index), rng.take(batch.index)
                    part, state = function(v, batch, own, state)
                    if found is None:
                        found = np.empty((rows.shape[0], *part.shape[1:]), part.dtype)
                    found[batch.index] = part
        return rows, found

    def _batches(self, sequences):
        """Numbers of sequences of each batch, and its stretches."""
        return batches_of(sequences, np.arange(len(sequences.lengths)), self.width)


def batches_of(sequences, index, width):
    """Yield which of some sequences are in a batch, the longest first, and its
    stretches, of which each has so many rows as layers of a width have room for."""
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
