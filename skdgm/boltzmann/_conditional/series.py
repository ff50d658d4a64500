r"""Density of the rows of series, each given the previous rows.

.. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_{t-1}, \dots, x_{t-k})

A conditional machine models each row; before the first row, columns have their means.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.boltzmann._conditional.annealing import warn_uncertain_means
from skdgm.boltzmann._conditional.conditions import Past, inputs
from skdgm.boltzmann._conditional.density import ConditionalDensity
from skdgm.data import fill
from skdgm.data.gaps import (
    IncompleteSeries,
    SeriesModel,
    fill_gaps,
    needs_particles,
    unobserved_columns,
)
from skdgm.data.sequences import as_one_table, carried_on, completed_columns, last_known
from skdgm.data.time_steps import steps_of
from skdgm.training import SequenceRows
from skdgm.utils import addresses
from skdgm.utils.counts import count
from skdgm.utils.random import LIKELIHOOD, MAX_SEED, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread

# Number of Gibbs steps with which a row is drawn or imputed.
_STEPS = 30
# Numbers of particles for gaps, and for forecasts by chains; tags of random streams.
_N_PARTICLES, _N_FORECAST_PARTICLES = 100, 50
_GAPS, _DRAWN = addresses.SERIES


class SeriesDensity(ConditionalDensity):
    """Density of rows given the ``n_lags`` previous rows; see
    :class:`ConditionalDensity`. Methods take the lengths of the series of a table."""

    @property
    def capabilities(self):
        kinds = super().capabilities
        fill_kinds = kinds["fill"]
        if self.enumeration.possible:
            fill_kinds = fill_kinds | {"future": "estimate"}
        sample_kinds = {"unconditional": kinds["sample"]["conditions"]}
        return kinds | {"fill": fill_kinds, "sample": sample_kinds}

    def steps(self, X, lengths, dtype=None):
        """Rows of series, with the previous rows as conditions."""
        X, lengths = self.in_steps(X, lengths)
        rows = self.read(X, dtype=dtype)
        return rows._replace(given=Past(rows, self.columns, self.n_lags, lengths))

    def in_steps(self, X, lengths):
        """Table with time steps instead of dates, if dates are read as steps, and
        lengths of series."""
        X, lengths = as_one_table(X, lengths)
        return self.times.encoded(X, lengths), lengths

    @property
    def times(self):
        """Columns of dates that are read as time steps."""
        return steps_of(self.columns)

    def log_prob(self, X, lengths=None):
        low, high = self.bracket(X, lengths)
        return np.where(high - low > 1.0, low, 0.5 * (low + high))

    def bracket(self, X, lengths=None):
        return self.bracket_of(self.steps(X, lengths, self.precise))

    def features(self, X, lengths=None):
        """Means of the hidden units given each row and the previous rows."""
        return self.features_of(self.steps(X, lengths))

    def predict(self, X, lengths=None):
        """Means of each row given the previous rows, and the most probable categories
        and bits."""
        rows = self.steps(X, lengths)
        missing = Rows(np.full(rows.shape, np.nan), rows.dtype, given=rows.given)
        means = self.layout.to_table(self.marginals_of(missing))
        predicted = self.decoded(self.rounded(self.to_data(means)))
        table, lengths = as_one_table(X, lengths)
        return self.times.predicted(predicted, table, lengths)

    def continued(self, n_steps, prefixes, n_samples, random_state=None, kept=None):
        """Draw the steps after ``prefixes``, a table and lengths, or None: (n_series *
        n_steps, n_columns), series after series. Columns in the mask ``kept`` keep
        their values."""
        n_columns = len(self.columns.seen)
        n_prefixes = 1 if prefixes is None else len(prefixes[1])
        past = np.full((n_prefixes, self.n_lags, n_columns), np.nan, self.params.dtype)
        if prefixes is not None:
            table, lengths = prefixes
            table, lengths = self.in_steps(table, lengths)
            rows = self.read(table)
            for number, stop in enumerate(np.cumsum(lengths)):
                index = np.arange(max(stop - lengths[number], stop - self.n_lags), stop)
                past[number, self.n_lags - len(index) :] = rows.take(index)
        past = np.repeat(past, n_samples, axis=0)
        seed = check_random_state(random_state).randint(MAX_SEED)
        rng, steps = stream(seed).rows(len(past)), []
        fixed = np.full((len(past), n_columns), np.nan, self.params.dtype)
        if prefixes is not None and kept is not None:
            kept_values = last_known(rows.take(slice(None)), lengths, kept)
            fixed = np.repeat(kept_values.astype(fixed.dtype), n_samples, axis=0)
        with one_blas_thread():
            for number in range(n_steps):
                v, _ = self.next(past, fixed, rng.fold(number), "sample")
                if kept is not None:
                    fixed = np.where(kept, v, v.dtype.type(np.nan))
                past = np.concatenate([past[:, 1:], v[:, None]], axis=1)
                steps.append(v)
        drawn = np.stack(steps, axis=1).reshape(-1, n_columns)
        drawn = self.decoded(self.to_data(drawn))
        if prefixes is None:
            return self.times.continued(drawn, n_steps, seed)
        table, lengths = prefixes
        if kept is not None:
            drawn = carried_on(drawn, table, lengths, self.times.others(kept))
        return self.times.continued(drawn, n_steps, seed, table, lengths)

    def sample(self, n_samples, random_state=None, *, kept=None):
        """Draw a series of ``n_samples`` rows."""
        n_samples = count(n_samples, "n_samples")
        return self.continued(n_samples, None, 1, random_state, kept)

    def fill(self, X, method="mean", random_state=None, *, lengths=None, kept=None):
        """Impute missing entries given all other entries of their series or, if
        likelihoods are estimates, given the rest of their row and the previous rows.
        Columns in the mask ``kept`` have one value in each series."""
        X, seed, cached = self.with_missing_columns(X), None, []
        table, lengths = self.in_steps(X, lengths)
        table = completed_columns(table, lengths, kept)
        if method == "sample":
            seed = check_random_state(random_state).randint(MAX_SEED)

        def filled(block):
            if not cached:
                cached.append(self._in_order(table, lengths, method, seed, kept))
            return cached[0][block.index]

        completed = self.decoded(fill(self, table, method, 0, filled), table)
        return self.times.filled(completed, X, lengths, seed)

    def _in_order(self, X, lengths, method, seed, kept):
        """Imputed rows on the scale of the model: by particles if later rows matter,
        otherwise row after row."""
        rows = self.read(X)
        v = np.array(rows.take(slice(None)))
        starts = np.cumsum(lengths) - lengths
        so_far = SequenceRows(rows, np.append(starts, len(v))).hashes_so_far
        rng = stream(self.seed, LIKELIHOOD, 2).rows(so_far)
        if seed is not None:
            rng = stream(seed).rows(len(v))
        particles = SeriesParticles(self)
        with_gaps = self.times.without_first_steps(v, starts)
        by_particles = needs_particles(with_gaps, starts, lengths, method)
        by_particles &= particles.has_likelihood or method == "mean"
        by_particles |= unobserved_columns(v, starts, lengths, kept).any(axis=1)
        if by_particles.any():
            series = IncompleteSeries(
                v, starts[by_particles], lengths[by_particles], kept
            )
            streams = rng.fold(_GAPS)
            with one_blas_thread():
                v = fill_gaps(particles, series, streams, method, _N_PARTICLES)
        errors = []
        for start, length in zip(starts[~by_particles], lengths[~by_particles]):
            for t in range(start, start + length):
                if np.isnan(v[t]).any():
                    v[t], error = self._filled(v, t, start, rng.take([t]), method)
                    errors.append(error)
        warn_uncertain_means(self.name, np.array(errors))
        return v

    def _filled(self, v, t, start, rng, method):
        """Imputed row t of the series that begins at row ``start``, and its standard
        error."""
        past = np.full((1, self.n_lags, v.shape[1]), np.nan, v.dtype)
        previous = v[max(start, t - self.n_lags) : t]
        past[0, self.n_lags - len(previous) :] = previous
        rows, error = self.next(past, v[[t]], rng, method)
        return rows[0], error[0]

    def next(self, past, v, rng, method):
        """Rows after ``past``, the last rows of shape (n_series, n_lags, n_columns):
        means or draws of the missing entries of v, and standard errors of means."""
        x, clamp = self.given(past, v)
        if method == "sample":
            return self.draws_of(x, clamp, rng, _STEPS), np.zeros(len(v))
        means, error = self.means_of(x, clamp, rng, _STEPS)
        return self.layout.to_table(means).astype(v.dtype, copy=False), error

    def given(self, past, v):
        """Values and clamps of all blocks, for rows v after ``past``."""
        lags = [
            inputs(self.columns, past[:, -lag]) for lag in range(1, self.n_lags + 1)
        ]
        x, clamp = self.layout.clamp_rows(v)
        return (*x, np.concatenate(lags, axis=1)), (*clamp, True)

    def log_p(self, past, v, rng):
        """Log-likelihood of rows v after ``past``."""
        x, clamp = self.given(past, v)
        bracket = self.log_weight(x, clamp) - self._log_Z(x[-1], rng)
        return bracket.mean(axis=0)


class SeriesParticles(SeriesModel):
    """Particles of series, whose state is the last ``n_lags`` rows. They have no
    weights if likelihoods are estimates."""

    def __init__(self, density):
        self.density = density
        self.has_likelihood = density.enumeration.possible
        if not self.has_likelihood:
            self.n_forecasts = _N_FORECAST_PARTICLES

    def begin(self, n):
        density = self.density
        shape = n, density.n_lags, len(density.columns.seen)
        return np.full(shape, np.nan, density.params.dtype)

    def advance(self, state, v, needs_log_p, rng, means):
        density, log_p, filled = self.density, np.zeros(len(v)), v.copy()
        expected, missing = self.encoded(v) if means else None, np.isnan(v)
        unobserved = missing.all(axis=1)
        scored = np.flatnonzero(needs_log_p & ~unobserved & self.has_likelihood)
        if scored.size:
            log_p[scored] = density.log_p(state[scored], v[scored], rng.take(scored))
        incomplete = np.flatnonzero(missing.any(axis=1))
        if incomplete.size:
            x, clamp = density.given(state[incomplete], v[incomplete])
            streams = rng.take(incomplete).fold(_DRAWN)
            filled[incomplete] = density.draws_of(x, clamp, streams, _STEPS)
            if means:
                # With many particles, one chain for each is enough.
                of_blocks, _ = density.means_of(x, clamp, streams, _STEPS, once=True)
                expected[incomplete] = np.concatenate(of_blocks, axis=1)
        state = np.concatenate([state[:, 1:], filled[:, None]], axis=1)
        return log_p, filled, expected, state

    def encoded(self, v):
        density = self.density
        x, _ = density.layout.clamp_rows(v)
        return np.concatenate([np.asarray(values) for values in x[: self._n]], axis=1)

    def decoded(self, mean):
        layout = self.density.layout
        ends = np.cumsum([unit.size for unit in layout.units])[:-1]
        return layout.to_table(np.split(mean, ends, axis=1))

    @property
    def _n(self):
        return len(self.density.layout.units)
