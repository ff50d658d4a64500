r"""Density of rows by a diffusion.

.. math:: p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[ \frac{p(x_o, x_m)}
   {q(x_m \mid x_o)} \right]

where p is the density by the flow, and q the density of the normal distribution of the
training rows. A lower bound of rows with missing real entries is that of masked columns
c, drawn before any noise is taken away, plus an estimate, by the particles of
:mod:`~skdgm.diffusion._guided`, of the density of real entries given c:

.. math:: \log p(x_o, c) = \log p(c) + \log p(x_o \mid c)
"""

from functools import partial
from itertools import pairwise

import numpy as np
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import _num_samples

from skdgm.base import Density
from skdgm.data import events_of, fill
from skdgm.diffusion._codes import RowCoder
from skdgm.diffusion._field import Field, flowed, moved, noised
from skdgm.diffusion._flips import before, flipped, offset
from skdgm.diffusion._guided import drawn_given, log_p_given
from skdgm.diffusion._layout import Turns, masked
from skdgm.diffusion._matching import ROOM, Denoiser, filler_of
from skdgm.diffusion._noise import Clocks
from skdgm.latent.filling import by_weight
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.given import Given
from skdgm.utils.math import LOG_2PI, distinct, log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective, pooled

# Width of the distributions from which missing entries are drawn, relative to normal;
# columns up to which divergences are exact.
_SPREAD, _EXACT = 1.25, 24
_START, _PROBE, _STEP, _CLAMP, _RAISE = addresses.DIFFUSION[:5]
_BOUND, _NOISE, _TURN, _SHOW = addresses.DIFFUSION[5:]


class DiffusionDensity(Density):
    """Density of rows by a diffusion.

    Besides the arguments of :class:`~skdgm.base.Density` it has ``net``; ``width``, the
    most numbers of a layer for one row; the ``covariates``; the layout of masked
    columns; the training state; and ``now``, the present values of options of
    inference.
    """

    # Known values far beyond the range seen are read as its ends.
    bounded = True

    def __init__(self, context, *, net, width, covariates, layout, state, now):
        super().__init__(context)
        self.net, self.width, self.layout = net, width, layout
        self.covariates, self.now, self.params = covariates, now, state.learned
        # Files of older versions have no mixture of missing entries.
        self.statistics, self.frame, *base = state.statistics
        self.clocks, self.filler = Clocks(self.frame.size), filler_of(self.frame, base)

    @property
    def capabilities(self):
        """Estimates, or lower bounds, and exact samples; codes unless bits flip."""
        kind = "lower bound" if self._is_bound else "estimate"
        arguments = ["conditions", "ranges"]
        scored = {"complete": kind, "missing": kind}
        if self.covariates.n_inputs:
            name = "labels" if self.covariates.attributes is None else "attributes"
            arguments.append(name)
            scored[name] = kind
        capabilities = {
            "log_prob": scored,
            "sample": {"nothing": "exact"} | dict.fromkeys(arguments, "estimate"),
            "fill": {"missing": "estimate"},
        }
        if not self.layout.flips:
            capabilities["features"] = {"complete": "estimate", "missing": "estimate"}
            capabilities["inverse"] = {"nothing": "estimate"}
        return capabilities

    @property
    def _is_bound(self):
        return bool(self.now.likelihood == "bound" or self.layout.output)

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        """Number of columns of the code."""
        return self._coder(self.dtype).size

    @property
    def n_columns(self):
        """Number of columns of the data."""
        return len(self.columns.seen)

    def log_prob(self, X, *, codes=None, y=None):
        """Log-likelihood of each row, in nats, conditional on ``codes`` of classes, or
        on attributes y, if any."""
        rows = self.read(X)
        self.tell_grey(rows)
        covariates = self._covariates(codes, y, rows.shape[0], rows.dtype)
        function = self._bounds if self._is_bound else self._by_flow
        log_p = self._of_rows(function, rows, covariates)
        return log_p + self.domain.log_volume(self.columns, rows)

    def features(self, X):
        """Code of each row, the expected one where entries are missing."""
        rows = self.read(X)
        self.require("features", rows)

        def of_rows(v, rng):
            coder, holes = self._coder(v.dtype), np.isnan(v).any(axis=1)
            codes = np.empty((len(v), coder.size), v.dtype)
            if not holes.all():
                codes[~holes] = coder.codes(v[~holes])
            if holes.any():
                rng = rng.take(np.flatnonzero(holes))
                codes[holes] = self._expected_code(v[holes], rng)
            return codes

        return self._of_rows(of_rows, rows)

    def gradient(self, X, noise):
        """Gradient, by its entries, of the log density of complete rows with noise."""

        def of_rows(v, _):
            time = self.clocks.time_of(noise)
            angles = self.clocks(time, v.dtype)
            signal = np.cos(angles.phi)
            x = signal * (v - self.frame.backward.b)
            y = self.frame.unmixed(x, angles).astype(v.dtype)
            velocity = self.field(v.dtype).velocity(y, time)
            turning = velocity * angles.cos / angles.sin
            return signal * self.frame.pulled(-y - turning, angles)

        rows = self.read(X)
        kinds = getattr(self.columns, "kinds", np.array(["gaussian"]))
        if self.layout.output or (kinds != "gaussian").any():
            raise ValueError(
                f"{self.name}: gradients are of columns that are all real numbers: fit "
                'with column_types="gaussian".'
            )
        if not rows.complete:
            raise ValueError(
                f"{self.name}: gradients are of rows without missing entries."
            )
        return self._of_rows(of_rows, rows) / self.columns.scale

    def inverse(self, H):
        """Rows of codes."""
        self.require("inverse")
        H, coder = self.checked(H, self.dtype), self._coder(self.dtype)
        return self._in_data_form(lambda part: coder.rows(H[part]), len(H))

    def sample(
        self,
        n_samples,
        random_state=None,
        *,
        codes=None,
        conditions=None,
        names=None,
        y=None,
    ):
        """Draw rows of classes by ``codes``, or of attributes y, under ``conditions``,
        a dict by the ``names`` of columns."""
        n_samples = count_rows(n_samples, self.n_columns)
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        covariates = self._covariates(codes, y, n_samples, self.dtype)
        if conditions is not None:
            return self._conditioned(n_samples, rng, covariates, conditions, names)
        streams = rng.rows(n_samples)

        def of_rows(part):
            return self._drawn(streams.take(part), covariates[part])

        return self._in_data_form(of_rows, n_samples)

    def fill(
        self, X, method="mean", random_state=None, *, n_samples=1, codes=None, y=None
    ):
        """Fill missing entries of ``n_samples`` copies of each row, conditional on
        ``codes`` of classes, or on attributes y, if any."""
        n_samples, X = count_rows(n_samples, self.n_columns), self.widened(X)
        given = None
        if codes is not None or y is not None:
            given = Given(self._covariates(codes, y, _num_samples(X), self.dtype))

        def filled(v, rng, covariates=None):
            n_draws = self.now.n_draws if method == "mean" else 1
            if covariates is None:
                covariates = np.zeros((len(v), self.covariates.n_inputs))
            covariates, mean = covariates.astype(v.dtype), np.empty_like(v)
            for part in gen_batches(len(v), self._at_once):
                streams = rng.take(part)
                draws = [
                    self._clamped(v[part], streams.fold(k), covariates[part])
                    for k in range(n_draws)
                ]
                mean[part] = self._mean(draws)
            return np.where(np.isnan(v), mean, v)

        complete = fill(
            self, X, method, random_state, filled, n_draws=n_samples, given=given
        )
        return self.decoded(complete, X)

    def field(self, dtype, guidance=0.0):
        """Velocity of rows of a type, a :class:`Field`."""
        params, statistics = astype((self.params, self.statistics), dtype)
        n_covariates = self.covariates.n_inputs
        return Field(
            self.net,
            params,
            statistics,
            self.clocks,
            n_extra=self.layout.n_masked_inputs + n_covariates,
            n_covariates=n_covariates,
            guidance=guidance,
            timed=self.layout.timed,
        )

    def _covariates(self, codes, y, n_rows, dtype):
        return self.covariates.requested(codes, y, self.name, n_rows, dtype)

    @property
    def _at_once(self):
        """Number of rows that are filled in at a time, each by several particles."""
        return max(1, ROOM // (self.width * self.now.n_resamplings))

    @property
    def _times(self):
        """Times from rows to noise."""
        return np.linspace(0, 1, self.now.n_steps + 1)

    def _mean(self, draws):
        """Means of draws of rows; masked columns have the values for the means of their
        inputs."""
        if len(draws) == 1:
            return draws[0]
        mean, output = sum(draws) / len(draws), self.layout.output
        if output:
            inputs = sum(output.inputs(self.layout.split(v)[1]) for v in draws)
            mean[:, self.layout.masked] = output.value(inputs / len(draws))
        return mean

    def _of_rows(self, function, rows, covariates=None):
        n = self.n_columns
        size = self.width * (n if n <= _EXACT else 1)
        return self.by_content(function, rows, ROOM // size, beside=covariates)

    def _in_data_form(self, function, n_rows):
        """Rows in the form of the data, by a function of slices, whose rows are in the
        units of the model."""
        with one_blas_thread():
            parts = gen_batches(n_rows, max(1, ROOM // self.width))
            v = np.concatenate([function(part) for part in parts])
        return self.decoded(self.domain.to_data(self.columns, v))

    def _drawn(self, rng, covariates, turns=None, coded=None):
        """Draws of rows: real columns by the flow, or with new noise after each step;
        and masked ones in ``turns``."""
        dtype = covariates.dtype.type
        if self.layout.flips:
            hidden = np.full((len(rng.ids), len(self.layout.masked)), np.nan)
            return self._flipped_back(hidden.astype(dtype), rng, covariates)
        field, layout = self.field(dtype, self.now.guidance), self.layout
        if coded is None:
            coded = np.full((len(rng.ids), len(layout.masked)), np.nan, dtype)
        turns = turns or Turns(layout, coded, rng.fold(_TURN))
        y = rng.fold(_START).normal(len(layout.noisy), dtype)

        def masked_outputs(y, time, coded, rows):
            extra = layout.extra_inputs(coded[rows], covariates[rows])
            return field.out(y[rows], time, extra)[:, y.shape[1] :]

        for k, (now, after) in enumerate(pairwise(self._times[::-1])):
            flow = self.now.sampler == "flow"
            # Twice as far, and back with noise: a step of the diffusion in reverse.
            far = after if flow else max(0.0, 2 * after - now)
            y = moved(field, y, (now, far), layout.extra_inputs(coded, covariates))
            if after and not flow:
                y = noised(field, y, far, after, rng.fold(_STEP, k))
            outputs = partial(masked_outputs, y, after, coded)
            coded = turns.shown(coded, after, outputs, rng.fold(_SHOW, k))
        return layout.joined(self.frame.rows(y), coded)

    def _flipped_back(self, v, rng, covariates):
        """Missing bits drawn by reversing their flips, conditional on the known ones,
        flipped to each time; steps are repeated ``n_resamplings`` times."""
        field, n = self.field(v.dtype, self.now.guidance), v.shape[1]
        empty, known = np.zeros((len(v), 0), v.dtype), ~np.isnan(v)
        z = (rng.fold(_START).uniform(n) < 0.5).astype(v.dtype)
        n_each = self.now.n_resamplings if known.any() else 1
        for k, (now, after) in enumerate(pairwise(self._times[::-1])):
            for r in range(n_each):
                streams = rng.fold(_STEP, k, r)
                out = field.out(empty, now, self.layout.extra_inputs(z, covariates))
                out = out + offset(z, now)
                drawn = streams.uniform(n) < before(out, z, now, after)
                clamped = flipped(v, streams.fold(0).uniform(n), after)
                z = np.where(known, clamped, drawn).astype(v.dtype)
                if r + 1 < n_each:
                    z = flipped(z, streams.fold(1).uniform(n), now, after)
        return np.where(known, v, z)

    def _coder(self, dtype):
        return RowCoder(self.layout, self.frame, self.field(dtype), self._times)

    def _log_p(self, v, rng, covariates=None):
        """Log densities of complete rows in the units of the model, by the flow."""
        z, probe = self.frame.components(v), None
        if z.shape[1] > _EXACT:
            probe = np.where(rng.fold(_PROBE).uniform(z.shape[1]) < 0.5, -1, 1)
            probe = probe.astype(z.dtype)
        field = self.field(v.dtype)
        y, log_volume = flowed(field, z, self.now.n_steps, probe, covariates)
        y = y.astype(np.float64)
        normal = -0.5 * (y * y + LOG_2PI).sum(axis=1)
        return normal + log_volume + self.frame.log_volume

    def _by_flow(self, v, rng, covariates):
        log_p, holes = np.empty(len(v)), np.isnan(v).any(axis=1)
        if not holes.all():
            whole = np.flatnonzero(~holes)
            log_p[whole] = self._log_p(v[whole], rng.take(whole), covariates[whole])
        if holes.any():
            streams = rng.take(np.flatnonzero(holes))
            draws = self._weighed(v[holes], streams, covariates[holes])
            log_p[holes] = log_mean_exp(np.stack([log_w for log_w, _ in draws]))[0]
            # The density of no entry is one.
            log_p[np.isnan(v).all(axis=1)] = 0
        return log_p

    def _weighed(self, v, rng, covariates=None):
        """Log weights and completed rows of each draw of missing entries."""
        conditional = self.filler.given(v)
        for k in range(self.now.n_draws):
            streams = rng.fold(k)
            whole, log_q = conditional.completed(streams, _SPREAD)
            yield self._log_p(whole, streams, covariates) - log_q, whole

    def _expected_code(self, v, rng):
        draws, coder = self._weighed(v, rng), self._coder(v.dtype)
        if self.layout.output:
            covariates = np.zeros((len(v), self.covariates.n_inputs), v.dtype)
            draws = (
                (np.zeros(len(v)), self._clamped(v, rng.fold(k), covariates))
                for k in range(self.now.n_draws)
            )

        def draw(_):
            log_w, whole = next(draws)
            return log_w, coder.codes(whole)

        return by_weight(draw, rng, self.now.n_draws, "mean")

    def _bounds(self, v, rng, covariates):
        """Lower bound on the log density of each row, as a mean over spaced times;
        with missing real entries, the bound of the masked columns plus an estimate for
        the observed real entries conditional on them."""
        real, coded = self.layout.split(v)
        log_p, missing = np.empty(len(v)), np.isnan(real)
        holes = missing.any(axis=1)
        for which, of_all in ((~holes, True), (holes, False)):
            rows = np.flatnonzero(which)
            if rows.size:
                log_p[rows] = self._bound(
                    real[rows], coded[rows], rng.take(rows), covariates[rows], of_all
                )
        known, n_each = np.flatnonzero(holes & ~missing.all(axis=1)), self.now.n_draws
        at_once = max(1, ROOM // (self.width * n_each))
        for rows in np.split(known, range(at_once, len(known), at_once)):
            if rows.size:
                log_p[rows] += log_p_given(
                    self, v[rows], rng.take(rows), covariates[rows], n_each
                )
        log_p[np.isnan(v).all(axis=1)] = 0
        return log_p

    def _bound(self, v, coded, rng, covariates, of_all):
        """Lower bounds of log densities, at evenly spread times, of all columns, or of
        masked ones where the others are noise."""
        total, n_draws = np.zeros(len(v)), self.now.n_draws
        if not of_all and not coded.shape[1]:
            return total
        first = rng.fold(_BOUND).uniform(1)[:, 0]
        params, statistics = astype((self.params, self.statistics), v.dtype)
        denoiser = Denoiser(
            self.net, self.layout, params, statistics, self.frame, self.clocks
        )
        for k in range(n_draws):
            streams, time = rng.fold(_NOISE, k), (k + first) / n_draws
            noise = streams.normal(v.shape[1], v.dtype)
            uniform = streams.fold(2).uniform(coded.shape[1])
            if of_all:
                losses = denoiser.bounds(v, coded, time, noise, uniform, covariates)
            else:
                hidden, end = masked(coded, time, uniform), np.ones(len(v))
                zeros = np.zeros_like(v)
                losses = denoiser.of_masked(zeros, end, noise, hidden, covariates)
            total -= losses / n_draws
        return total

    def _clamped(self, v, rng, covariates, turns=None):
        """Rows with missing entries drawn conditional on the others: by the weighted
        particles of a :class:`Guide` where some real entries are known, and by the
        model itself where none is; known real entries have no noise if all are."""
        if self.layout.flips:
            return self._flipped_back(v, rng, covariates)
        real, coded = self.layout.split(v)
        turns = turns or Turns(self.layout, coded, rng.fold(_TURN))
        drawn, unknown = np.empty_like(v), np.isnan(real).all(axis=1)
        for which in ~unknown, unknown:
            rows = np.flatnonzero(which)
            if not rows.size:
                continue
            streams, part, each = rng.take(rows), turns.take(rows), covariates[rows]
            if which is unknown:
                drawn[rows] = self._drawn(streams, each, part, coded[rows])
            else:
                drawn[rows] = drawn_given(self, v[rows], streams, each, part)
            turns.log_w[rows] = part.log_w
        return np.where(np.isnan(v), drawn, v)

    def _conditioned(self, n, rng, covariates, conditions, names):
        """Rows under conditions, by themselves for each class: values are clamped, rows
        chosen by ranges of real columns, and masked columns drawn within events, with
        weights."""
        layout, n_columns = self.layout, len(self.columns.seen)
        kinds = getattr(self.columns, "kinds", None)
        if kinds is None:
            kind = "gaussian" if not layout.output else layout.output.kinds[0]
            kinds = np.full(n_columns, kind)
        x, v, events = events_of(self.columns, kinds, conditions, names, self.name)
        place = {j: k for k, j in enumerate(layout.masked)}
        events = {j: e for j, e in enumerate(events) if e is not None}
        within = {place[j]: e for j, e in events.items() if j in place}
        # More than one value of a bit means both.
        within = {} if layout.flips else within
        ranges = {j: e.intervals for j, e in events.items() if j not in place}
        known = not np.isnan(v).all()
        at_once = self._at_once if known else max(1, ROOM // self.width)

        def draw(covariates, size, rng):
            covariates = np.broadcast_to(covariates, (size, covariates.shape[1]))
            rows, log_w = np.empty((size, n_columns), self.dtype), np.empty(size)
            every = rng.rows(size)
            for part in gen_batches(size, at_once):
                streams, each = every.take(part), covariates[part]
                clamped = np.tile(v.astype(self.dtype), (len(streams.ids), 1))
                coded = layout.split(clamped)[1]
                turns = Turns(layout, coded, streams.fold(_TURN), within)
                if known:
                    rows[part] = self._clamped(clamped, streams, each, turns)
                else:
                    rows[part] = self._drawn(streams, each, turns)
                log_w[part] = turns.log_w
            inside = np.ones(size, bool)
            for j, intervals in ranges.items():
                low, high = intervals.T
                inside &= ((rows[:, [j]] >= low) & (rows[:, [j]] <= high)).any(axis=1)
            log_w = np.where(inside, log_w, -np.inf)
            return Weighted(rows, log_w, effective(log_w), inside.mean())

        with one_blas_thread():
            if events:
                drawn = np.empty((n, n_columns), self.dtype)
                # Draws of each class do not depend on those of others.
                each, number_of = distinct(covariates)
                marks = Given(np.c_[each.astype(float), np.ones(len(each))]).hashes
                for number, mark in enumerate(marks):
                    rows = np.flatnonzero(number_of == number)
                    drawn[rows] = pooled(
                        partial(draw, each[[number]]),
                        len(rows),
                        rng.fold(mark),
                        at_once,
                        self.name,
                        hard=True,
                    )
            else:
                drawn = draw(covariates, n, rng).rows
        drawn = self.domain.to_data(self.columns, drawn)
        drawn[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(drawn)
