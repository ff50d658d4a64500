r"""Density of the rows of series, each given those before.

.. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_{t-1}, \dots, x_{t-k})

with a conditional machine for each step; rows before the first count as the mean.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.boltzmann._conditional.annealing import tell_unsure
from skdgm.boltzmann._conditional.conditions import Past, inputs
from skdgm.boltzmann._conditional.density import ConditionalDensity
from skdgm.data import fill
from skdgm.data.gaps import Particles, fill_gaps, lost_columns, need_particles
from skdgm.data.sequences import as_one_table, carried_on, completed_columns, last_known
from skdgm.data.time_steps import steps_of
from skdgm.training import SequenceRows
from skdgm.utils import addresses
from skdgm.utils.counts import count
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread

# Gibbs steps of a row that is drawn or filled in, of all after it.
_STEPS = 30
# Particles that fill gaps, and of forecasts by chains; random streams.
_MANY, _FORECASTS = 100, 50
_GAPS, _DRAWN = addresses.SERIES


class SeriesDensity(ConditionalDensity):
    """Density of rows given the ``n_lags`` rows before each; see
    :class:`ConditionalDensity`. Methods take the lengths of the series of a table."""

    @property
    def capabilities(self):
        kinds = super().capabilities
        fill_kinds = kinds["fill"]
        if self.enumeration.possible:
            fill_kinds = fill_kinds | {"future": "estimate"}
        sample_kinds = {"nothing": kinds["sample"]["conditions"]}
        return kinds | {"fill": fill_kinds, "sample": sample_kinds}

    def steps(self, X, lengths, dtype=None):
        """Rows of series, conditional on the rows before each."""
        X, lengths = self.in_steps(X, lengths)
        rows = self.read(X, dtype=dtype)
        return rows._replace(given=Past(rows, self.columns, self.n_lags, lengths))

    def in_steps(self, X, lengths):
        """Table with steps in the place of dates, where these are read so, and lengths
        of its series."""
        X, lengths = as_one_table(X, lengths)
        return self.times.encoded(X, lengths), lengths

    @property
    def times(self):
        """Columns of dates that are read as steps."""
        return steps_of(self.columns)

    def log_prob(self, X, lengths=None):
        low, high = self.bracket(X, lengths)
        return np.where(high - low > 1.0, low, 0.5 * (low + high))

    def bracket(self, X, lengths=None):
        """Lower and upper estimates of it, (2, n_rows)."""
        return self.bracket_of(self.steps(X, lengths, self.precise))

    def features(self, X, lengths=None):
        """Means of hidden units given each row and those before."""
        return self.features_of(self.steps(X, lengths))

    def predict(self, X, lengths=None):
        """Means of each row given those before, and most probable categories and
        bits."""
        rows = self.steps(X, lengths)
        nothing = Rows(np.full(rows.shape, np.nan), rows.dtype, given=rows.given)
        means = self.layout.to_table(self.marginals_of(nothing))
        predicted = self.decoded(self.rounded(self.to_data(means)))
        table, lengths = as_one_table(X, lengths)
        return self.times.predicted(predicted, table, lengths)

    def continued(self, n_steps, prefixes, n_samples, random_state=None, kept=None):
        """Draw the steps after prefixes, ``given`` as a table and lengths or None:
        (n_series * n_steps, n_columns), all steps of the first series first. Columns of
        which a mask says that they are ``kept`` have the values of the row before."""
        n_columns = len(self.columns.seen)
        n_prefixes = 1 if prefixes is None else len(prefixes[1])
        past = np.full((n_prefixes, self.n_lags, n_columns), np.nan, self.params.dtype)
        if prefixes is not None:
            table, lengths = prefixes
            table, lengths = self.in_steps(table, lengths)
            rows = self.read(table)
            for number, stop in enumerate(np.cumsum(lengths)):
                last = np.arange(max(stop - lengths[number], stop - self.n_lags), stop)
                past[number, self.n_lags - len(last) :] = rows.take(last)
        past = np.repeat(past, n_samples, axis=0)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, steps = stream(seed).rows(len(past)), []
        fixed = np.full((len(past), n_columns), np.nan, self.params.dtype)
        if prefixes is not None and kept is not None:
            known = last_known(rows.take(slice(None)), lengths, kept)
            fixed = np.repeat(known.astype(fixed.dtype), n_samples, axis=0)
        with one_blas_thread():
            for number in range(n_steps):
                v, _ = self.next(past, fixed, rng.fold(number), "sample")
                if kept is not None:
                    fixed = np.where(kept, v, v.dtype.type(np.nan))
                past = np.concatenate([past[:, 1:], v[:, None]], axis=1)
                steps.append(v)
        whole = np.stack(steps, axis=1).reshape(-1, n_columns)
        whole = self.decoded(self.to_data(whole))
        if prefixes is None:
            return self.times.continued(whole, n_steps, seed)
        table, lengths = prefixes
        if kept is not None:
            whole = carried_on(whole, table, lengths, self.times.others(kept))
        return self.times.continued(whole, n_steps, seed, table, lengths)

    def sample(self, n_samples, random_state=None, *, kept=None):
        """Draw a series of ``n_samples`` rows."""
        n_samples = count(n_samples, "n_samples")
        return self.continued(n_samples, None, 1, random_state, kept)

    def fill(self, X, method="mean", random_state=None, *, lengths=None, kept=None):
        """Fill missing entries, given all others of their series; or where likelihoods
        are estimates, given the rest of their row and the rows before. Columns of which
        a mask says that they are ``kept`` have one value in each."""
        X, seed, whole = self.widened(X), None, []
        table, lengths = self.in_steps(X, lengths)
        table = completed_columns(table, lengths, kept)
        if method == "sample":
            seed = check_random_state(random_state).randint(MAX_SEED)

        def filled(index):
            if not whole:
                whole.append(self._in_order(table, lengths, method, seed, kept))
            return whole[0][index]

        completed = self.decoded(
            fill(self, table, method, 0, filled, by_place=True), table
        )
        return self.times.filled(completed, X, lengths, seed)

    def _in_order(self, X, lengths, method, seed, kept):
        """Rows filled given all others, in the units of the model: by particles where
        rows after them count, else one after the other."""
        rows = self.read(X)
        v = np.array(rows.take(slice(None)))
        starts = np.cumsum(lengths) - lengths
        so_far = SequenceRows(rows, np.append(starts, len(v))).hashes_so_far
        rng = stream(self.seed, LIKELIHOOD, 2).rows(so_far)
        if seed is not None:
            rng = stream(seed).rows(len(v))
        particles = SeriesParticles(self)
        wanted = self.times.settled(v, starts)
        some = need_particles(wanted, starts, lengths, method)
        some &= particles.weighs or method == "mean"
        some |= lost_columns(v, starts, lengths, kept).any(axis=1)
        if some.any():
            streams, firsts = rng.fold(_GAPS), starts[some]
            with one_blas_thread():
                v = fill_gaps(
                    particles, v, firsts, lengths[some], streams, method, _MANY, kept
                )
        errors = []
        for start, length in zip(starts[~some], lengths[~some]):
            for t in range(start, start + length):
                if np.isnan(v[t]).any():
                    v[t], error = self._filled(v, t, start, rng.take([t]), method)
                    errors.append(error)
        tell_unsure(self.name, np.array(errors))
        return v

    def _filled(self, v, t, start, rng, method):
        """Row t of a series that begins at a row, filled, and its standard error."""
        past = np.full((1, self.n_lags, v.shape[1]), np.nan, v.dtype)
        last = v[max(start, t - self.n_lags) : t]
        past[0, self.n_lags - len(last) :] = last
        rows, error = self.next(past, v[[t]], rng, method)
        return rows[0], error[0]

    def next(self, past, v, rng, method):
        """Rows after the last ``n_lags``, (n_series, n_lags, n_columns), which are NaN
        where missing: means or draws, and standard errors of means."""
        x, clamp = self.given(past, v)
        if method == "sample":
            return self.draws_of(x, clamp, rng, _STEPS), np.zeros(len(v))
        means, error = self.means_of(x, clamp, rng, _STEPS)
        return self.layout.to_table(means).astype(v.dtype, copy=False), error

    def given(self, past, v):
        """Values and clamps of blocks, of rows after the last ``n_lags``."""
        lags = [
            inputs(self.columns, past[:, -lag]) for lag in range(1, self.n_lags + 1)
        ]
        x, clamp = self.layout.present(v)
        return (*x, np.concatenate(lags, axis=1)), (*clamp, True)

    def log_p(self, past, v, rng):
        """Log-likelihood of rows after the last ``n_lags``."""
        x, clamp = self.given(past, v)
        bracket = self.log_weight(x, clamp) - self._log_Z(x[-1], rng)
        return bracket.mean(axis=0)


class SeriesParticles(Particles):
    """Particles of series, of which each is the last ``n_lags`` rows; not weighted
    where likelihoods are estimates."""

    def __init__(self, density):
        self.density = density
        self.weighs = density.enumeration.possible
        if not self.weighs:
            self.n_forecasts = _FORECASTS

    def begin(self, n):
        """Rows before the first one: missing."""
        density = self.density
        shape = n, density.n_lags, len(density.columns.seen)
        return np.full(shape, np.nan, density.params.dtype)

    def advance(self, state, v, weighed, rng, means):
        """Log-likelihoods, rows, means of these and the rows before the next."""
        density, log_p, filled = self.density, np.zeros(len(v)), v.copy()
        expected, missing = self.encoded(v) if means else None, np.isnan(v)
        free = missing.all(axis=1)
        some = np.flatnonzero(weighed & ~free & self.weighs)
        if some.size:
            log_p[some] = density.log_p(state[some], v[some], rng.take(some))
        part = np.flatnonzero(missing.any(axis=1))
        if part.size:
            x, clamp = density.given(state[part], v[part])
            streams = rng.take(part).fold(_DRAWN)
            filled[part] = density.draws_of(x, clamp, streams, _STEPS)
            if means:
                # Particles are many: a chain of each is enough.
                of_blocks, _ = density.means_of(x, clamp, streams, _STEPS, once=True)
                expected[part] = np.concatenate(of_blocks, axis=1)
        state = np.concatenate([state[:, 1:], filled[:, None]], axis=1)
        return log_p, filled, expected, state

    def encoded(self, v):
        """Blocks side by side, one-hot where they are categories."""
        density = self.density
        x, _ = density.layout.present(v)
        return np.concatenate([np.asarray(part) for part in x[: self._n]], axis=1)

    def decoded(self, mean):
        """Rows of means of blocks."""
        layout = self.density.layout
        ends = np.cumsum([unit.size for unit in layout.units])[:-1]
        return layout.to_table(np.split(mean, ends, axis=1))

    @property
    def _n(self):
        return len(self.density.layout.units)
