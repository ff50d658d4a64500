r"""Density of rows by a diffusion.

.. math:: p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[ \frac{p(x_o, x_m)}
   {q(x_m \mid x_o)} \right]

where p is the density by the flow, or a lower bound of it, and q that of the normal
distribution of the training rows.
"""

from functools import partial
from itertools import pairwise

import numpy as np
from sklearn.utils import check_random_state, gen_batches

from skdgm.base import Density
from skdgm.data import events_of, fill
from skdgm.diffusion._field import Field, flowed, moved, noised, seen
from skdgm.diffusion._matching import ROOM, errors, noisy
from skdgm.diffusion._noise import Clocks
from skdgm.latent.filling import by_weight
from skdgm.nets import layers_of
from skdgm.utils.counts import count_rows
from skdgm.utils.math import log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective, pooled

_LOG_2PI = float(np.log(2 * np.pi))
# Draws of missing entries are from distributions wider than normal ones.
_SPREAD = 1.25
# Columns up to which divergences are exact.
_EXACT = 24
# Purposes of random numbers.
_START, _PROBE, _STEP, _CLAMP, _RAISE, _BOUND, _NOISE = range(400, 407)


class DiffusionDensity(Density):
    """Density of rows by a diffusion.

    Besides the arguments of :class:`~skdgm.base.Density` it has ``net``; ``width``, the
    most numbers of a layer for one row; the number of classes; the training state; and
    ``now``, the present values of options of inference.
    """

    def __init__(self, *common):
        *common, self.net, self.width, self.n_classes, state, self.now = common
        super().__init__(*common)
        self.params, (self.statistics, self.frame) = state.learned, state.statistics
        self.clocks, self.normal = Clocks(self.frame.size), self.frame.normal

    @property
    def capabilities(self):
        """Estimates, or lower bounds; samples are the model's own."""
        bound = self.now.likelihood == "bound"
        kind = "lower bound" if bound else "estimate"
        given = {"labels": "estimate"} if self.n_classes else {}
        drawn = dict.fromkeys(("conditions", "ranges"), "estimate")
        return {
            "log_prob": {"complete": kind, "missing": kind},
            "features": {"complete": "estimate", "missing": "estimate"},
            "inverse": {"nothing": "estimate"},
            "sample": {"nothing": "exact"} | given | drawn,
            "fill": {"missing": "estimate"},
        }

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        """Number of columns of the code: that of the data."""
        return len(self.columns.seen)

    def log_prob(self, X):
        """Log-likelihood of each row, in nats."""
        rows = self.read(X)
        bound = self.now.likelihood == "bound"
        found = self._of_rows(self._bounds if bound else self._by_flow, rows)
        return found + self.domain.log_volume(self.columns, rows)

    def features(self, X):
        """Code of each row; the expected one where entries are missing."""

        def of_rows(v, rng):
            found = np.empty_like(v)
            holes = np.isnan(v).any(axis=1)
            if not holes.all():
                found[~holes] = self._code(v[~holes])
            if holes.any():
                own, rng = v[holes], rng.take(np.flatnonzero(holes))
                found[holes] = self._expected_code(own, rng)
            return found

        return self._of_rows(of_rows, self.read(X))

    def gradient(self, X, noise):
        """Gradient, by its entries, of the log density of complete rows with noise."""

        def of_rows(v, _):
            time = self.clocks.time_of(noise)
            angles = self.clocks(time, v.dtype)
            signal = np.cos(angles.phi)
            x = signal * (v - self.frame.backward.b)
            y = self.frame.unmixed(x, angles).astype(v.dtype)
            turning = self._field(v.dtype).velocity(y, time) * angles.cos / angles.sin
            return signal * self.frame.pulled(-y - turning, angles)

        rows = self.read(X)
        if not rows.complete:
            raise ValueError(
                f"{self.name}: gradients are of rows without missing entries."
            )
        return self._of_rows(of_rows, rows) / self.columns.scale

    def inverse(self, H):
        """Rows of codes."""
        y, times = self.checked(H, self.dtype), self._times[::-1]
        return self._presented(
            lambda part: moved(self._field(y.dtype), y[part], times), len(y)
        )

    def sample(
        self, n_samples, random_state=None, codes=None, conditions=None, names=None
    ):
        """Draw rows; ``codes`` are classes, and ``conditions`` a dict by the ``names``
        of columns."""
        n = self.n_features_out
        n_samples = count_rows(n_samples, n)
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        beside = self._beside(codes)
        if conditions is not None:
            return self._conditioned(n_samples, rng, codes, conditions, names)
        own = rng.rows(n_samples)

        def of_rows(part):
            return self._drawn(own.take(part), None if beside is None else beside[part])

        return self._presented(of_rows, n_samples)

    def fill(self, X, method="mean", random_state=None, n_samples=1):
        """Fill missing entries of ``n_samples`` copies of each row."""
        n_samples = count_rows(n_samples, self.n_features_out)

        def filled(v, rng):
            n_draws = self.now.n_draws if method == "mean" else 1
            found = np.empty_like(v)
            for part in gen_batches(len(v), max(1, ROOM // self.width)):
                draws = (
                    self._clamped(v[part], rng.take(part).fold(k))
                    for k in range(n_draws)
                )
                found[part] = sum(draws) / n_draws
            return found

        how = method, random_state, filled
        found = fill(self, self.widened(X), *how, n_draws=n_samples)
        return self.decoded(found, X)

    @property
    def _times(self):
        """Times from rows to noise."""
        return np.linspace(0, 1, self.now.n_steps + 1)

    def _field(self, dtype, guidance=0.0):
        net = astype((self.params, self.statistics), dtype)
        return Field(self.net, *net, self.clocks, self.n_classes, guidance)

    def _beside(self, codes):
        if codes is None:
            return None
        return np.eye(self.n_classes, dtype=self.dtype)[codes]

    def _of_rows(self, function, rows):
        n = self.n_features_out
        size = self.width * (n if n <= _EXACT else 1)
        return self.by_content(function, rows, ROOM // size)

    def _presented(self, function, n_rows):
        """Rows by components, of slices of them, in the form of the data."""
        with one_blas_thread():
            parts = gen_batches(n_rows, max(1, ROOM // self.width))
            found = np.concatenate([self.frame.rows(function(part)) for part in parts])
        return self.decoded(self.domain.to_data(self.columns, found))

    def _drawn(self, rng, beside=None):
        """Components of draws, by the flow or with new noise after each step."""
        field = self._field(self.dtype, self.now.guidance)
        y = rng.fold(_START).normal(self.n_features_out, self.dtype)
        if self.now.sampler == "flow":
            return moved(field, y, self._times[::-1], beside)
        times = self._times[::-1]
        for k, (now, after) in enumerate(pairwise(times)):
            # Twice as far, and back with noise: a step of the diffusion in reverse.
            far = max(0.0, 2 * after - now)
            y = moved(field, y, (now, far), beside)
            if after:
                y = noised(field, y, far, after, rng.fold(_STEP, k))
        return y

    def _code(self, v):
        """Codes of complete rows, in the units of the model."""
        return moved(self._field(v.dtype), self.frame.components(v), self._times)

    def _log_p(self, v, rng):
        """Log densities of complete rows in the units of the model, by the flow."""
        z, probe = self.frame.components(v), None
        if z.shape[1] > _EXACT:
            probe = np.where(rng.fold(_PROBE).uniform(z.shape[1]) < 0.5, -1, 1)
            probe = probe.astype(z.dtype)
        y, log_volume = flowed(self._field(v.dtype), z, self.now.n_steps, probe)
        y = y.astype(np.float64)
        normal = -0.5 * (y * y + _LOG_2PI).sum(axis=1)
        return normal + log_volume + self.frame.log_volume

    def _by_flow(self, v, rng):
        found, holes = np.empty(len(v)), np.isnan(v).any(axis=1)
        if not holes.all():
            whole = np.flatnonzero(~holes)
            found[whole] = self._log_p(v[whole], rng.take(whole))
        if holes.any():
            draws = self._weighed(v[holes], rng.take(np.flatnonzero(holes)))
            found[holes] = log_mean_exp(np.stack([log_w for log_w, _ in draws]))[0]
            # Nothing has a probability of one.
            found[np.isnan(v).all(axis=1)] = 0
        return found

    def _weighed(self, v, rng):
        """Log weights and completed rows of each draw of missing entries."""
        given = self.normal.given(v)
        for k in range(self.now.n_draws):
            own = rng.fold(k)
            whole, log_q = given.completed(own, _SPREAD)
            yield self._log_p(whole, own) - log_q, whole

    def _expected_code(self, v, rng):
        draws = self._weighed(v, rng)

        def draw(_):
            log_w, whole = next(draws)
            return log_w, self._code(whole)

        return by_weight(draw, rng, self.now.n_draws, "mean")

    def _bounds(self, v, rng):
        """Lower bounds of log densities, at times spread evenly."""
        found, n, n_draws = np.zeros(len(v)), v.shape[1], self.now.n_draws
        first = rng.fold(_BOUND).uniform(1)[:, 0]
        given = self.normal.given(v) if np.isnan(v).any() else None
        field = self._field(v.dtype)
        net = field.net, field.params, field.statistics
        for k in range(n_draws):
            own, log_q, whole = rng.fold(_NOISE, k), 0.0, v
            if given is not None:
                whole, log_q = given.completed(own.fold(1))
            time = (k + first) / n_draws
            noise = own.normal(n, v.dtype)
            y, *rest = noisy(self.frame, self.clocks, whole, time, noise)
            beside = np.zeros((len(v), self.n_classes), v.dtype)
            losses = errors(*net, seen(y, time, beside), *rest)[0]
            found -= (losses + log_q) / n_draws
        found[np.isnan(v).all(axis=1)] = 0
        return found

    def _clamped(self, v, rng, beside=None):
        """Rows with missing entries drawn given the others, by a reverse diffusion in
        which these are known at every level of noise, and steps are repeated."""
        field, frame = self._field(v.dtype, self.now.guidance), self.frame
        known = ~np.isnan(v)
        there = np.where(known, v, 0) - frame.backward.b
        y = rng.fold(_START).normal(v.shape[1], v.dtype)
        times = self._times[::-1]
        for k, pair in enumerate(pairwise(times)):
            angles = self.clocks(pair[1], v.dtype)
            signal, amount = np.cos(angles.phi), np.sin(angles.phi)
            for r in range(self.now.n_resamplings):
                own = rng.fold(_CLAMP, k, r)
                y = moved(field, y, pair, beside)
                noise = own.normal(v.shape[1])
                x = np.where(
                    known, signal * there + amount * noise, frame.mixed(y, angles)
                )
                y = frame.unmixed(x, angles).astype(v.dtype)
                if r + 1 < self.now.n_resamplings:
                    y = noised(field, y, pair[1], pair[0], rng.fold(_RAISE, k, r))
        return np.where(known, v, frame.rows(y))

    def _conditioned(self, n, rng, codes, conditions, names):
        """Rows under conditions: values are clamped, and rows in ranges chosen, for
        each class by itself."""
        kinds = np.full(self.n_features_out, "gaussian")
        x, v, events = events_of(self.columns, kinds, conditions, names, self.name)
        ranges = {j: e.intervals[0] for j, e in enumerate(events) if e is not None}
        beside, at_once = self._beside(codes), max(1, ROOM // self.width)
        known = not np.isnan(v).all()

        def rows_of(rng, beside):
            if not known:
                return self.frame.rows(self._drawn(rng, beside))
            holes = np.tile(v.astype(self.dtype), (len(rng.ids), 1))
            return self._clamped(holes, rng, beside)

        def draw(beside, size, rng):
            own, each = rng.rows(size), (size, self.n_classes)
            beside = None if beside is None else np.broadcast_to(beside, each)
            rows = np.concatenate(
                [
                    rows_of(own.take(part), None if beside is None else beside[part])
                    for part in gen_batches(size, at_once)
                ]
            )
            inside = np.ones(size, bool)
            for j, (low, high) in ranges.items():
                inside &= (rows[:, j] >= low) & (rows[:, j] <= high)
            log_w = np.where(inside, 0.0, -np.inf)
            return Weighted(rows, log_w, effective(log_w), inside.mean())

        with one_blas_thread():
            if ranges:
                found = np.empty((n, self.n_features_out), self.dtype)
                of_all = np.zeros(n, int) if codes is None else codes
                for code in np.unique(of_all):
                    own = np.flatnonzero(of_all == code)
                    one = partial(draw, None if beside is None else beside[own[:1]])
                    how = len(own), rng.fold(code), at_once, self.name
                    found[own] = pooled(one, *how, hard=True)
            else:
                found = draw(beside, n, rng).rows
        found = self.domain.to_data(self.columns, found)
        found[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(found)
