r"""Density of the rows of series, each given those before.

.. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid x_{t-1}, \dots, x_{t-k})

with a conditional machine for each step; what is before the first row counts as the
mean.
"""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.boltzmann._conditional.conditions import Past, inputs
from skdgm.boltzmann._conditional.density import ConditionalDensity
from skdgm.data import fill
from skdgm.utils.counts import count
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.rows import Rows
from skdgm.utils.threading.threads import one_blas_thread

# Gibbs steps of a row that is drawn or filled in, of all after it.
_STEPS = 30


class SeriesDensity(ConditionalDensity):
    """Density of rows given the ``n_lags`` rows before each; see
    :class:`ConditionalDensity`. Methods take the lengths of the series of a table."""

    @property
    def capabilities(self):
        found = super().capabilities
        return found | {"sample": {"nothing": found["sample"]["conditions"]}}

    def steps(self, X, lengths, dtype=None):
        """Rows of series with those before beside them."""
        rows = self.read(X, dtype=dtype)
        return rows._replace(given=Past(rows, self.columns, self.n_lags, lengths))

    def log_prob(self, X, lengths=None):
        """Log-likelihood of each row given those before, in nats."""
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
        means = self.layout.to_table(self.marginals_of(nothing, True))
        return self.decoded(self.rounded(self.to_data(means)))

    def continued(self, n_steps, given, n_samples, random_state=None):
        """Draw the steps after prefixes, ``given`` as a table and lengths or None:
        (n_series * n_steps, n_columns), all steps of the first series first."""
        n_columns = len(self.columns.seen)
        n_prefixes = 1 if given is None else len(given[1])
        past = np.full((n_prefixes, self.n_lags, n_columns), np.nan, self.params.dtype)
        if given is not None:
            table, lengths = given
            rows = self.read(table)
            for number, stop in enumerate(np.cumsum(lengths)):
                last = np.arange(max(stop - lengths[number], stop - self.n_lags), stop)
                past[number, self.n_lags - len(last) :] = rows.take(last)
        past = np.repeat(past, n_samples, axis=0)
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        rng, found = rng.rows(len(past)), []
        free = np.full((len(past), n_columns), np.nan, self.params.dtype)
        with one_blas_thread():
            for number in range(n_steps):
                v = self._next(past, free, rng.fold(number), True, "sample")
                past = np.concatenate([past[:, 1:], v[:, None]], axis=1)
                found.append(v)
        whole = np.stack(found, axis=1).reshape(-1, n_columns)
        return self.decoded(self.to_data(whole))

    def sample(self, n_samples, random_state=None):
        """Draw a series of so many rows."""
        return self.continued(count(n_samples, "n_samples"), None, 1, random_state)

    def fill(self, X, method="mean", random_state=None, lengths=None):
        """Fill missing entries, given the others of their row and the rows before, with
        what was filled in there."""
        lengths = np.array([self.read(X).shape[0]] if lengths is None else lengths)
        whole = []

        def filled(index):
            if not whole:
                whole.append(self._in_order(X, lengths, method, random_state))
            return whole[0][index]

        given = self, self.widened(X), method, random_state, filled
        return self.decoded(fill(*given, by_place=True), X)

    def _in_order(self, X, lengths, method, random_state):
        """Rows filled one after the other, in the units of the model."""
        rows = self.read(X)
        v = np.array(rows.take(slice(None)))
        rng = self.streams(rows, 2)
        if method == "sample":
            seed = check_random_state(random_state).randint(MAX_SEED)
            rng = stream(seed).rows(len(v))
        for start, length in zip(np.cumsum(lengths) - lengths, lengths):
            for t in range(start, start + length):
                if np.isnan(v[t]).any():
                    v[t] = self._filled(v, t, start, rng.take([t]), method)
        return v

    def _filled(self, v, t, start, rng, method):
        """Row t of a series that begins at a row, filled."""
        past = np.full((1, self.n_lags, v.shape[1]), np.nan, v.dtype)
        last = v[max(start, t - self.n_lags) : t]
        past[0, self.n_lags - len(last) :] = last
        free = bool(np.isnan(v[t]).all())
        return self._next(past, v[[t]], rng, free, method)[0]

    def _next(self, past, v, rng, free, method):
        """Rows after the last ``n_lags``, (n_series, n_lags, n_columns), which are NaN
        where missing: means or draws."""
        lags = [
            inputs(self.columns, past[:, -lag]) for lag in range(1, self.n_lags + 1)
        ]
        x, clamp = self.layout.present(v, self.fills)
        x, clamp = (*x, np.concatenate(lags, axis=1)), (*clamp, True)
        if method == "sample":
            return self.draws_of(x, clamp, rng, free, _STEPS)
        means = self.means_of(x, clamp, rng, free, _STEPS)
        return self.layout.to_table(means).astype(v.dtype, copy=False)
