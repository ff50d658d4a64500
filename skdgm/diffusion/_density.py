r"""Density, samples and codes of a fitted diffusion model.

Missing entries m of a row are integrated out by importance sampling,

.. math:: p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[ \frac{p(x_o, x_m)}
   {q(x_m \mid x_o)} \right]

where p is the density of the flow, and q is a normal distribution, or a mixture of
normal distributions, fitted to the training rows. Let c be the columns that are modeled
by masked diffusion. The score of an incomplete row follows from

.. math:: \log p(x_o, c) = \log p(c) + \log p(x_o \mid c)

The first term is replaced by its lower bound, with all other columns pure noise. The
particles of :mod:`~skdgm.diffusion._guided` estimate the second term.
"""

from functools import partial
from itertools import pairwise

import numpy as np
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import _num_samples

from skdgm.base import Density
from skdgm.data import events_of, fill
from skdgm.diffusion._codes import RowCoder
from skdgm.diffusion._field import Field, add_noise, heun_steps, integrate_flow
from skdgm.diffusion._flips import draw_by_reversal, offset
from skdgm.diffusion._guided import drawn_given, log_p_given
from skdgm.diffusion._layout import UnmaskingOrder, masked
from skdgm.diffusion._matching import MAX_ACTIVATIONS, Denoiser, proposal_of
from skdgm.diffusion._noise import NoiseSchedule
from skdgm.latent.filling import impute_by_importance
from skdgm.nets import layers_of
from skdgm.utils import addresses
from skdgm.utils.counts import count_rows
from skdgm.utils.given import Given
from skdgm.utils.math import LOG_2PI, distinct, log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective_sample_size, pooled

# Standard deviation of proposals for missing entries, relative to the fitted standard
# deviation; maximum number of columns with an exact divergence.
_PROPOSAL_SCALE, _MAX_EXACT_COLUMNS = 1.25, 24
# Random streams of initial noise, probes of the divergence, sampling steps, particles,
# bounds, orders of masked columns, and values of masked columns.
_START, _PROBE, _STEP, _CLAMP, _RAISE = addresses.DIFFUSION[:5]
_BOUND, _NOISE, _ORDER, _SHOW = addresses.DIFFUSION[5:]


class DiffusionDensity(Density):
    """Density of rows under a diffusion model.

    ``net`` predicts velocities and masked columns with the parameters of ``state``, and
    ``width`` is its largest number of activations of a layer for one row.
    ``covariates`` encodes classes or attributes, and ``layout`` has the noisy and the
    masked columns. ``options`` are the current values of the options that may change
    after ``fit``.
    """

    # Values far beyond the range of the training rows are clipped to it.
    bounded = True

    def __init__(self, context, *, net, width, covariates, layout, state, options):
        super().__init__(context)
        self.net, self.width, self.layout = net, width, layout
        self.covariates, self.options, self.params = covariates, options, state.learned
        # Models saved by older versions have no mixture for missing entries.
        self.statistics, self.whitening, *mixture = state.statistics
        self.schedule = NoiseSchedule(self.whitening.size)
        self.proposal = proposal_of(self.whitening, mixture)

    @property
    def capabilities(self):
        """Capabilities; models with bit-flip noise have no latent codes."""
        kind = "lower bound" if self._is_bound else "estimate"
        arguments = ["conditions", "ranges"]
        scored = {"complete": kind, "missing": kind}
        if self.covariates.n_inputs:
            name = "labels" if self.covariates.attributes is None else "attributes"
            arguments.append(name)
            scored[name] = kind
        capabilities = {
            "log_prob": scored,
            "sample": {"unconditional": "exact"} | dict.fromkeys(arguments, "estimate"),
            "fill": {"missing": "estimate"},
        }
        if not self.layout.flips:
            capabilities["features"] = {"complete": "estimate", "missing": "estimate"}
            capabilities["inverse"] = {"unconditional": "estimate"}
        return capabilities

    @property
    def _is_bound(self):
        return bool(self.options.likelihood == "bound" or self.layout.output)

    @property
    def dtype(self):
        """Data type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        return self._coder(self.dtype).size

    @property
    def n_columns(self):
        """Number of columns of the data."""
        return len(self.columns.seen)

    def log_prob(self, X, *, codes=None, y=None):
        """Log-likelihood of each row, in nats, conditional on class ``codes`` or
        attributes y if given."""
        rows = self.read(X)
        self.warn_of_gray(rows)
        covariates = self._covariates(codes, y, rows.shape[0], rows.dtype)
        function = self._bounds if self._is_bound else self._by_flow
        log_p = self._in_batches(function, rows, covariates)
        return log_p + self.domain.log_volume(self.columns, rows)

    def features(self, X):
        """Code of each row; the expected code of a row with missing entries."""
        rows = self.read(X)
        self.require("features", rows)

        def encode(v, rng):
            coder, incomplete = self._coder(v.dtype), np.isnan(v).any(axis=1)
            codes = np.empty((len(v), coder.size), v.dtype)
            if not incomplete.all():
                codes[~incomplete] = coder.codes(v[~incomplete])
            if incomplete.any():
                rng = rng.take(np.flatnonzero(incomplete))
                codes[incomplete] = self._expected_code(v[incomplete], rng)
            return codes

        return self._in_batches(encode, rows)

    def gradient(self, X, noise):
        """Gradient of the log-density of complete rows smoothed by ``noise``, with
        respect to the rows, (n_rows, n_columns)."""

        def gradient_of(v, _):
            time = self.schedule.time_of(noise)
            angles = self.schedule(time, v.dtype)
            signal = np.cos(angles.phi)
            x = signal * (v - self.whitening.backward.b)
            y = self.whitening.unmixed(x, angles).astype(v.dtype)
            velocity = self.field(v.dtype).velocity(y, time)
            scaled_velocity = velocity * angles.cos / angles.sin
            return signal * self.whitening.pulled(-y - scaled_velocity, angles)

        rows = self.read(X)
        kinds = getattr(self.columns, "kinds", np.array(["gaussian"]))
        if self.layout.output or (kinds != "gaussian").any():
            raise ValueError(
                f"{self.name}: gradients require real columns: fit with "
                'column_types="gaussian".'
            )
        if not rows.complete:
            raise ValueError(f"{self.name}: gradients require complete rows.")
        return self._in_batches(gradient_of, rows) / self.columns.scale

    def inverse(self, H):
        self.require("inverse")
        H, coder = self.checked(H, self.dtype), self._coder(self.dtype)
        return self._in_data_format(lambda batch: coder.rows(H[batch]), len(H))

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
        """Draw rows conditional on class ``codes`` or attributes y, and on
        ``conditions``, a dict from column ``names`` to numbers, categories, lists or
        ranges."""
        n_samples = count_rows(n_samples, self.n_columns)
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        covariates = self._covariates(codes, y, n_samples, self.dtype)
        if conditions is not None:
            return self._conditioned(n_samples, rng, covariates, conditions, names)
        streams = rng.rows(n_samples)

        def draw_batch(batch):
            return self._drawn(streams.take(batch), covariates[batch])

        return self._in_data_format(draw_batch, n_samples)

    def fill(
        self, X, method="mean", random_state=None, *, n_samples=1, codes=None, y=None
    ):
        """Impute missing entries in ``n_samples`` copies of each row, conditional on
        class ``codes`` or attributes y if given. The copies of the first row come
        first."""
        n_samples = count_rows(n_samples, self.n_columns)
        X = self.with_missing_columns(X)
        condition = None
        if codes is not None or y is not None:
            condition = Given(self._covariates(codes, y, _num_samples(X), self.dtype))

        def filled(block):
            v, rng, covariates = block.v, block.rng, block.given
            n_draws = self.options.n_draws if method == "mean" else 1
            if covariates is None:
                covariates = np.zeros((len(v), self.covariates.n_inputs))
            covariates, completed = covariates.astype(v.dtype), np.empty_like(v)
            for batch in gen_batches(len(v), self._at_once):
                streams = rng.take(batch)
                draws = [
                    self._clamped(v[batch], streams.fold(k), covariates[batch])
                    for k in range(n_draws)
                ]
                completed[batch] = self.layout.mean(draws)
            return np.where(np.isnan(v), completed, v)

        complete = fill(
            self, X, method, random_state, filled, n_draws=n_samples, given=condition
        )
        return self.decoded(complete, X)

    def field(self, dtype, guidance=0.0):
        """Velocity :class:`Field` with parameters of a ``dtype``."""
        params, statistics = astype((self.params, self.statistics), dtype)
        n_covariates = self.covariates.n_inputs
        return Field(
            self.net,
            params,
            statistics,
            self.schedule,
            n_extra=self.layout.n_masked_inputs + n_covariates,
            n_covariates=n_covariates,
            guidance=guidance,
            timed=self.layout.timed,
        )

    def _covariates(self, codes, y, n_rows, dtype):
        return self.covariates.requested(codes, y, self.name, n_rows, dtype)

    @property
    def _at_once(self):
        """Number of rows that are imputed at a time, each by several particles."""
        return max(1, MAX_ACTIVATIONS // (self.width * self.options.n_resamplings))

    @property
    def _times(self):
        """Grid of times, from data at 0 to noise at 1."""
        return np.linspace(0, 1, self.options.n_steps + 1)

    def _in_batches(self, function, rows, covariates=None):
        n_columns = self.n_columns
        n_entries = self.width * (n_columns if n_columns <= _MAX_EXACT_COLUMNS else 1)
        n_rows = MAX_ACTIVATIONS // n_entries
        return self.by_content(function, rows, n_rows, extra=covariates)

    def _in_data_format(self, function, n_rows):
        """Concatenate ``function(batch)``, rows in units of the model, over batches,
        and convert them to the format of the data."""
        with one_blas_thread():
            batches = gen_batches(n_rows, max(1, MAX_ACTIVATIONS // self.width))
            v = np.concatenate([function(batch) for batch in batches])
        return self.decoded(self.domain.to_data(self.columns, v))

    def _drawn(self, rng, covariates, order=None, categories=None):
        """Draw noisy columns by ``sampler``, and masked columns in ``order``."""
        dtype = covariates.dtype.type
        if self.layout.flips:
            all_masked = np.full((len(rng.ids), len(self.layout.masked)), np.nan)
            return self._flipped_back(all_masked.astype(dtype), rng, covariates)
        field, layout = self.field(dtype, self.options.guidance), self.layout
        if categories is None:
            categories = np.full((len(rng.ids), len(layout.masked)), np.nan, dtype)
        order = order or UnmaskingOrder(layout, categories, rng.fold(_ORDER))
        y = rng.fold(_START).normal(len(layout.noisy), dtype)

        def masked_outputs(y, time, categories, rows):
            extra = layout.extra_inputs(categories[rows], covariates[rows])
            return field.out(y[rows], time, extra)[:, y.shape[1] :]

        for k, (start, next_time) in enumerate(pairwise(self._times[::-1])):
            is_flow = self.options.sampler == "flow"
            # An ancestral step overshoots to twice the distance, then adds noise.
            target = next_time if is_flow else max(0.0, 2 * next_time - start)
            extra = layout.extra_inputs(categories, covariates)
            y = heun_steps(field, y, (start, target), extra)
            if next_time and not is_flow:
                y = add_noise(field, y, target, next_time, rng.fold(_STEP, k))
            outputs = partial(masked_outputs, y, next_time, categories)
            categories = order.shown(categories, next_time, outputs, rng.fold(_SHOW, k))
        return layout.joined(self.whitening.rows(y), categories)

    def _flipped_back(self, v, rng, covariates):
        """Draw missing bits by reversing the flips."""
        field = self.field(v.dtype, self.options.guidance)
        no_numbers = np.zeros((len(v), 0), v.dtype)

        def log_odds_of(z, time):
            inputs = self.layout.extra_inputs(z, covariates)
            return field.out(no_numbers, time, inputs) + offset(z, time)

        n_resamplings = self.options.n_resamplings
        return draw_by_reversal(log_odds_of, v, self._times[::-1], rng, n_resamplings)

    def _coder(self, dtype):
        return RowCoder(self.layout, self.whitening, self.field(dtype), self._times)

    def _log_p(self, v, rng, covariates=None):
        """Log-densities, under the flow, of complete rows in units of the model."""
        z, probe = self.whitening.components(v), None
        if z.shape[1] > _MAX_EXACT_COLUMNS:
            probe = np.where(rng.fold(_PROBE).uniform(z.shape[1]) < 0.5, -1, 1)
            probe = probe.astype(z.dtype)
        field, n_steps = self.field(v.dtype), self.options.n_steps
        y, log_volume = integrate_flow(field, z, n_steps, probe, covariates)
        y = y.astype(np.float64)
        log_normal = -0.5 * (y * y + LOG_2PI).sum(axis=1)
        return log_normal + log_volume + self.whitening.log_volume

    def _by_flow(self, v, rng, covariates):
        log_p, incomplete = np.empty(len(v)), np.isnan(v).any(axis=1)
        if not incomplete.all():
            full = np.flatnonzero(~incomplete)
            log_p[full] = self._log_p(v[full], rng.take(full), covariates[full])
        if incomplete.any():
            streams = rng.take(np.flatnonzero(incomplete))
            draws = self._weighed(v[incomplete], streams, covariates[incomplete])
            log_p[incomplete] = log_mean_exp(np.stack([log_w for log_w, _ in draws]))[0]
            # The marginal density over no entries is one.
            log_p[np.isnan(v).all(axis=1)] = 0
        return log_p

    def _weighed(self, v, rng, covariates=None):
        """Yield log importance weights and completed rows, one draw at a time."""
        conditional = self.proposal.given(v)
        for k in range(self.options.n_draws):
            streams = rng.fold(k)
            completed, log_q = conditional.completed(streams, _PROPOSAL_SCALE)
            yield self._log_p(completed, streams, covariates) - log_q, completed

    def _expected_code(self, v, rng):
        draws, coder = self._weighed(v, rng), self._coder(v.dtype)
        if self.layout.output:
            covariates = np.zeros((len(v), self.covariates.n_inputs), v.dtype)
            draws = (
                (np.zeros(len(v)), self._clamped(v, rng.fold(k), covariates))
                for k in range(self.options.n_draws)
            )

        def draw(_):
            log_w, completed = next(draws)
            return log_w, coder.codes(completed)

        return impute_by_importance(draw, rng, self.options.n_draws, "mean")

    def _bounds(self, v, rng, covariates):
        """Lower bound on the log-density of each row. For rows with missing real
        entries: the bound of the masked columns plus an estimate of the log-density of
        the other observed entries."""
        real, categories = self.layout.split(v)
        log_p, missing = np.empty(len(v)), np.isnan(real)
        incomplete = missing.any(axis=1)
        for selected, all_columns in ((~incomplete, True), (incomplete, False)):
            rows = np.flatnonzero(selected)
            if rows.size:
                numbers, codes, streams = real[rows], categories[rows], rng.take(rows)
                log_p[rows] = self._bound(
                    numbers, codes, streams, covariates[rows], all_columns
                )
        partly_known = np.flatnonzero(incomplete & ~missing.all(axis=1))
        n_particles = self.options.n_draws
        at_once = max(1, MAX_ACTIVATIONS // (self.width * n_particles))
        for rows in np.split(partly_known, range(at_once, len(partly_known), at_once)):
            if rows.size:
                log_p[rows] += log_p_given(
                    self, v[rows], rng.take(rows), covariates[rows], n_particles
                )
        log_p[np.isnan(v).all(axis=1)] = 0
        return log_p

    def _bound(self, v, categories, rng, covariates, all_columns):
        """Lower bounds on log-densities, a mean over evenly spaced times. Without
        ``all_columns``, the bound of the masked columns only, given pure noise in the
        other columns."""
        bound, n_draws = np.zeros(len(v)), self.options.n_draws
        if not all_columns and not categories.shape[1]:
            return bound
        first_time = rng.fold(_BOUND).uniform(1)[:, 0]
        params, statistics = astype((self.params, self.statistics), v.dtype)
        denoiser = Denoiser(
            self.net, self.layout, params, statistics, self.whitening, self.schedule
        )
        for k in range(n_draws):
            streams, time = rng.fold(_NOISE, k), (k + first_time) / n_draws
            noise = streams.normal(v.shape[1], v.dtype)
            uniform = streams.fold(2).uniform(categories.shape[1])
            if all_columns:
                losses = denoiser.bounds(
                    v, categories, time, noise, uniform, covariates
                )
            else:
                masks, end_time = masked(categories, time, uniform), np.ones(len(v))
                zeros = np.zeros_like(v)
                losses = denoiser.of_masked(zeros, end_time, noise, masks, covariates)
            bound -= losses / n_draws
        return bound

    def _clamped(self, v, rng, covariates, order=None):
        """Rows with missing entries drawn conditional on the observed entries: by
        particles of a :class:`Guide` if real entries are observed, else by the sampler.
        """
        if self.layout.flips:
            return self._flipped_back(v, rng, covariates)
        real, categories = self.layout.split(v)
        order = order or UnmaskingOrder(self.layout, categories, rng.fold(_ORDER))
        drawn, all_missing = np.empty_like(v), np.isnan(real).all(axis=1)
        for selected in ~all_missing, all_missing:
            rows = np.flatnonzero(selected)
            if not rows.size:
                continue
            streams, inputs = rng.take(rows), covariates[rows]
            row_order = order.take(rows)
            if selected is all_missing:
                drawn[rows] = self._drawn(streams, inputs, row_order, categories[rows])
            else:
                drawn[rows] = drawn_given(self, v[rows], streams, inputs, row_order)
            order.log_w[rows] = row_order.log_w
        return np.where(np.isnan(v), drawn, v)

    def _conditioned(self, n, rng, covariates, conditions, names):
        """Draw rows under conditions for each class or set of attributes: known values
        are clamped, ranges are enforced by rejection, and masked columns are drawn
        within their allowed sets, with importance weights."""
        layout, n_columns = self.layout, self.n_columns
        kinds = getattr(self.columns, "kinds", None)
        if kinds is None:
            kind = "gaussian" if not layout.output else layout.output.kinds[0]
            kinds = np.full(n_columns, kind)
        values, model_values, events = events_of(
            self.columns, kinds, conditions, names, self.name
        )
        place_of = {j: k for k, j in enumerate(layout.masked)}
        events = {j: e for j, e in enumerate(events) if e is not None}
        masked_events = {place_of[j]: e for j, e in events.items() if j in place_of}
        # A condition that allows both values of a bit has no effect.
        masked_events = {} if layout.flips else masked_events
        ranges = {j: e.intervals for j, e in events.items() if j not in place_of}
        has_values = not np.isnan(model_values).all()
        at_once = self._at_once if has_values else max(1, MAX_ACTIVATIONS // self.width)

        def draw(covariates, size, rng):
            covariates = np.broadcast_to(covariates, (size, covariates.shape[1]))
            rows, log_w = np.empty((size, n_columns), self.dtype), np.empty(size)
            all_streams = rng.rows(size)
            for batch in gen_batches(size, at_once):
                streams, inputs = all_streams.take(batch), covariates[batch]
                values_of_rows = model_values.astype(self.dtype)
                clamped = np.tile(values_of_rows, (len(streams.ids), 1))
                categories, orders = layout.split(clamped)[1], streams.fold(_ORDER)
                order = UnmaskingOrder(layout, categories, orders, masked_events)
                if has_values:
                    rows[batch] = self._clamped(clamped, streams, inputs, order)
                else:
                    rows[batch] = self._drawn(streams, inputs, order)
                log_w[batch] = order.log_w
            inside = np.ones(size, bool)
            for j, intervals in ranges.items():
                low, high = intervals.T
                inside &= ((rows[:, [j]] >= low) & (rows[:, [j]] <= high)).any(axis=1)
            log_w = np.where(inside, log_w, -np.inf)
            return Weighted(rows, log_w, effective_sample_size(log_w), inside.mean())

        with one_blas_thread():
            if events:
                drawn = np.empty((n, n_columns), self.dtype)
                # Draws of a class do not depend on the other classes.
                groups, group_of = distinct(covariates)
                columns = np.c_[groups.astype(float), np.ones(len(groups))]
                for group, group_hash in enumerate(Given(columns).hashes):
                    rows = np.flatnonzero(group_of == group)
                    draw_group = partial(draw, groups[[group]])
                    streams = rng.fold(group_hash)
                    drawn[rows] = pooled(
                        draw_group, len(rows), streams, at_once, self.name, hard=True
                    )
            else:
                drawn = draw(covariates, n, rng).rows
        drawn = self.domain.to_data(self.columns, drawn)
        drawn[:, ~np.isnan(values)] = values[~np.isnan(values)]
        return self.decoded(drawn)
