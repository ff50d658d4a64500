r"""Density of rows by a diffusion.

.. math:: p(x_o) = \mathbb{E}_{q(x_m \mid x_o)} \left[ \frac{p(x_o, x_m)}
   {q(x_m \mid x_o)} \right]

where p is the density by the flow, and q that of the normal distribution of the
training rows. A lower bound of rows without some real entries is that of masked columns
c, drawn before any noise is taken away, and an estimate by particles, of
:mod:`~skdgm.diffusion._guided`, of the density of real entries given these:

.. math:: \log p(x_o, c) = \log p(c) + \log p(x_o \mid c)
"""

from functools import partial
from itertools import pairwise

import numpy as np
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.validation import _num_samples

from skdgm.base import Density
from skdgm.data import events_of, fill
from skdgm.diffusion._field import Field, flowed, moved, noised
from skdgm.diffusion._flips import before, flipped, offset
from skdgm.diffusion._guided import drawn_given, log_p_given
from skdgm.diffusion._layout import Turns, masked
from skdgm.diffusion._matching import ROOM, bounds, filler_of, of_masked
from skdgm.diffusion._noise import Clocks
from skdgm.latent.filling import by_weight
from skdgm.nets import layers_of
from skdgm.utils.counts import count_rows
from skdgm.utils.given import Given
from skdgm.utils.math import LOG_2PI, distinct, log_mean_exp
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread
from skdgm.utils.tree import astype
from skdgm.utils.weighted import Weighted, effective, pooled

# Draws of missing entries are from distributions wider than normal ones.
_SPREAD = 1.25
# Columns up to which divergences are exact.
_EXACT = 24
# Purposes of random numbers.
_START, _PROBE, _STEP, _CLAMP, _RAISE, _BOUND, _NOISE, _TURN, _SHOW = range(400, 409)


class DiffusionDensity(Density):
    """Density of rows by a diffusion.

    Besides the arguments of :class:`~skdgm.base.Density` it has ``net``; ``width``, the
    most numbers of a layer for one row; classes or attributes that rows are told of;
    the layout of masked columns; the training state; and ``now``, the present values of
    options of inference.
    """

    # Known values far beyond the range seen are read as its ends.
    bounded = True

    def __init__(self, context, *, net, width, told, layout, state, now):
        super().__init__(context)
        self.net, self.width, self.told, self.layout = net, width, told, layout
        self.now = now
        self.params = state.learned
        # Files of older versions have no mixture of missing entries.
        self.statistics, self.frame, *base = state.statistics
        self.clocks, self.filler = Clocks(self.frame.size), filler_of(self.frame, *base)

    @property
    def capabilities(self):
        """Estimates, or lower bounds; samples are the model's own. Codes are those of
        columns with noise."""
        kind = "lower bound" if self._is_bound else "estimate"
        given = "labels" if self.told.attributes is None else "attributes"
        given = (given,) if self.told.n_inputs else ()
        drawn = dict.fromkeys(("conditions", "ranges"), "estimate")
        found = {
            "log_prob": dict.fromkeys(("complete", "missing", *given), kind),
            "sample": {"nothing": "exact"} | dict.fromkeys(given, "estimate") | drawn,
            "fill": {"missing": "estimate"},
        }
        if not self.layout.output:
            found["features"] = {"complete": "estimate", "missing": "estimate"}
            found["inverse"] = {"nothing": "estimate"}
        return found

    @property
    def _is_bound(self):
        return bool(self.now.likelihood == "bound" or self.layout.output)

    @property
    def dtype(self):
        """Type of the parameters."""
        return next(layers_of(self.params)).b.dtype.type

    @property
    def n_features_out(self):
        """Number of columns of the code: that of the data."""
        return len(self.columns.seen)

    def log_prob(self, X, codes=None, y=None):
        """Log-likelihood of each row, in nats; given classes, if there are ``codes`` of
        these, or attributes y."""
        rows = self.read(X)
        self.tell_grey(rows)
        told = self.told.asked(codes, y, self.name, rows.shape[0], rows.dtype)
        function = self._bounds if self._is_bound else self._by_flow
        found = self._of_rows(function, rows, told)
        return found + self.domain.log_volume(self.columns, rows)

    def features(self, X):
        """Code of each row; the expected one where entries are missing."""

        rows = self.read(X)
        self.require("features", rows)

        def of_rows(v, rng):
            found = np.empty_like(v)
            holes = np.isnan(v).any(axis=1)
            if not holes.all():
                found[~holes] = self._code(v[~holes])
            if holes.any():
                own, rng = v[holes], rng.take(np.flatnonzero(holes))
                found[holes] = self._expected_code(own, rng)
            return found

        return self._of_rows(of_rows, rows)

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
        if self.layout.output:
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
        y, times = self.checked(H, self.dtype), self._times[::-1]

        def of_rows(part):
            return self.frame.rows(moved(self._field(y.dtype), y[part], times))

        return self._presented(of_rows, len(y))

    def sample(
        self,
        n_samples,
        random_state=None,
        codes=None,
        conditions=None,
        names=None,
        y=None,
    ):
        """Draw rows; ``codes`` are classes, y attributes, and ``conditions`` a dict by
        the ``names`` of columns."""
        n = self.n_features_out
        n_samples = count_rows(n_samples, n)
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        told = self.told.asked(codes, y, self.name, n_samples, self.dtype)
        if conditions is not None:
            return self._conditioned(n_samples, rng, told, conditions, names)
        own = rng.rows(n_samples)

        def of_rows(part):
            return self._drawn(own.take(part), told[part])

        return self._presented(of_rows, n_samples)

    def fill(
        self, X, method="mean", random_state=None, n_samples=1, codes=None, y=None
    ):
        """Fill missing entries of ``n_samples`` copies of each row, given classes or
        attributes, too, if there are any."""
        n_samples, X = count_rows(n_samples, self.n_features_out), self.widened(X)
        told, given = (codes, y, self.name, _num_samples(X), self.dtype), None
        if codes is not None or y is not None:
            given = Given(self.told.asked(*told))

        def filled(v, rng, told=None):
            n_draws = self.now.n_draws if method == "mean" else 1
            found = np.empty_like(v)
            for part in gen_batches(len(v), self._at_once):
                draws = [
                    self._clamped(
                        v[part],
                        rng.take(part).fold(k),
                        None if told is None else told[part].astype(v.dtype),
                    )
                    for k in range(n_draws)
                ]
                found[part] = self._mean(draws)
            return np.where(np.isnan(v), found, v)

        how = {"n_draws": n_samples, "given": given}
        found = fill(self, X, method, random_state, filled, **how)
        return self.decoded(found, X)

    @property
    def _at_once(self):
        """Number of rows that are filled in at a time, each by several particles."""
        return max(1, ROOM // (self.width * self.now.n_resamplings))

    @property
    def _times(self):
        """Times from rows to noise."""
        return np.linspace(0, 1, self.now.n_steps + 1)

    def _field(self, dtype, guidance=0.0):
        net = astype((self.params, self.statistics), dtype)
        n_told = self.told.n_inputs
        own = self.layout.n_beside + n_told, n_told, guidance, self.layout.timed
        return Field(self.net, *net, self.clocks, *own)

    def _mean(self, draws):
        """Means of draws of rows; of masked columns, the values that the means of
        inputs stand for."""
        if len(draws) == 1:
            return draws[0]
        found, output = sum(draws) / len(draws), self.layout.output
        if output:
            inputs = sum(output.inputs(self.layout.split(v)[1]) for v in draws)
            found[:, self.layout.masked] = output.value(inputs / len(draws))
        return found

    def _of_rows(self, function, rows, beside=None):
        n = self.n_features_out
        size = self.width * (n if n <= _EXACT else 1)
        return self.by_content(function, rows, ROOM // size, beside=beside)

    def _presented(self, function, n_rows):
        """Rows in the units of the model, of slices of them, in the form of the
        data."""
        with one_blas_thread():
            parts = gen_batches(n_rows, max(1, ROOM // self.width))
            found = np.concatenate([function(part) for part in parts])
        return self.decoded(self.domain.to_data(self.columns, found))

    def _drawn(self, rng, told, turns=None, coded=None):
        """Rows of draws: real columns by the flow, or with new noise after each step;
        and masked ones in ``turns``."""
        dtype = told.dtype.type
        if self.layout.flips:
            nothing = np.full((len(rng.ids), len(self.layout.masked)), np.nan)
            return self._turned(nothing.astype(dtype), rng, told)
        field, layout = self._field(dtype, self.now.guidance), self.layout
        if coded is None:
            coded = np.full((len(rng.ids), len(layout.masked)), np.nan, dtype)
        turns = turns or Turns(layout, coded, rng.fold(_TURN))
        y = rng.fold(_START).normal(len(layout.noisy), dtype)
        for k, (now, after) in enumerate(pairwise(self._times[::-1])):
            flow = self.now.sampler == "flow"
            # Twice as far, and back with noise: a step of the diffusion in reverse.
            far = after if flow else max(0.0, 2 * after - now)
            y = moved(field, y, (now, far), layout.beside(coded, told))
            if after and not flow:
                y = noised(field, y, far, after, rng.fold(_STEP, k))
            given = field, turns, y, coded, after, told, after
            coded = self._shown(*given, rng.fold(_SHOW, k))
        return layout.joined(self.frame.rows(y), coded)

    def _shown(self, field, turns, y, coded, time, told, turn, rng):
        """Masked columns, with the values of those whose ``turn``, a time, has come,
        given others with the noise of a time."""
        due = turns.due(coded, turn)
        rows = np.flatnonzero(due.any(axis=1))
        if not rows.size:
            return coded
        if np.ndim(time):
            time = time[rows]
        beside = self.layout.beside(coded[rows], told[rows])
        out = field.out(y[rows], time, beside)[:, y.shape[1] :]
        drawn = turns.drawn(out, due[rows], rows, rng.take(rows))
        found = coded.copy()
        found[rows] = np.where(due[rows], drawn, coded[rows])
        return found

    def _turned(self, v, rng, told):
        """Bits drawn by turning flips back, given others, which are known with the
        flips of each time; steps are repeated as by :meth:`_clamped`."""
        field, n = self._field(v.dtype, self.now.guidance), v.shape[1]
        none, known = np.zeros((len(v), 0), v.dtype), ~np.isnan(v)
        z = (rng.fold(_START).uniform(n) < 0.5).astype(v.dtype)
        n_each = self.now.n_resamplings if known.any() else 1
        for k, (now, after) in enumerate(pairwise(self._times[::-1])):
            for r in range(n_each):
                own = rng.fold(_STEP, k, r)
                out = field.out(none, now, self.layout.beside(z, told))
                out = out + offset(z, now)
                drawn = own.uniform(n) < before(out, z, now, after)
                given = flipped(v, own.fold(0).uniform(n), after)
                z = np.where(known, given, drawn).astype(v.dtype)
                if r + 1 < n_each:
                    z = flipped(z, own.fold(1).uniform(n), now, after)
        return np.where(known, v, z)

    def _code(self, v):
        """Codes of complete rows, in the units of the model."""
        return moved(self._field(v.dtype), self.frame.components(v), self._times)

    def _log_p(self, v, rng, told=None):
        """Log densities of complete rows in the units of the model, by the flow."""
        z, probe = self.frame.components(v), None
        if z.shape[1] > _EXACT:
            probe = np.where(rng.fold(_PROBE).uniform(z.shape[1]) < 0.5, -1, 1)
            probe = probe.astype(z.dtype)
        y, log_volume = flowed(self._field(v.dtype), z, self.now.n_steps, probe, told)
        y = y.astype(np.float64)
        normal = -0.5 * (y * y + LOG_2PI).sum(axis=1)
        return normal + log_volume + self.frame.log_volume

    def _by_flow(self, v, rng, told):
        found, holes = np.empty(len(v)), np.isnan(v).any(axis=1)
        if not holes.all():
            whole = np.flatnonzero(~holes)
            found[whole] = self._log_p(v[whole], rng.take(whole), told[whole])
        if holes.any():
            own = rng.take(np.flatnonzero(holes))
            draws = self._weighed(v[holes], own, told[holes])
            found[holes] = log_mean_exp(np.stack([log_w for log_w, _ in draws]))[0]
            # Nothing has a probability of one.
            found[np.isnan(v).all(axis=1)] = 0
        return found

    def _weighed(self, v, rng, told=None):
        """Log weights and completed rows of each draw of missing entries."""
        given = self.filler.given(v)
        for k in range(self.now.n_draws):
            own = rng.fold(k)
            whole, log_q = given.completed(own, _SPREAD)
            yield self._log_p(whole, own, told) - log_q, whole

    def _expected_code(self, v, rng):
        draws = self._weighed(v, rng)

        def draw(_):
            log_w, whole = next(draws)
            return log_w, self._code(whole)

        return by_weight(draw, rng, self.now.n_draws, "mean")

    def _bounds(self, v, rng, told):
        """Lower bounds of log densities, at times spread evenly; where real entries are
        missing, of masked columns first, and of known real entries given these."""
        real, coded = self.layout.split(v)
        found, holes = np.empty(len(v)), np.isnan(real)
        noisy = holes.any(axis=1)
        for rows, of_all in ((~noisy, True), (noisy, False)):
            own = np.flatnonzero(rows)
            if own.size:
                part = real[own], coded[own], rng.take(own), told[own]
                found[own] = self._bound(*part, of_all)
        known, n_each = np.flatnonzero(noisy & ~holes.all(axis=1)), self.now.n_draws
        at_once = max(1, ROOM // (self.width * n_each))
        for own in np.split(known, range(at_once, len(known), at_once)):
            if own.size:
                given = v[own], rng.take(own), told[own], n_each
                found[own] += log_p_given(self, *given)
        found[np.isnan(v).all(axis=1)] = 0
        return found

    def _bound(self, v, coded, rng, told, of_all):
        """Lower bounds of log densities, at times spread evenly, of all columns, or of
        masked ones where the others are noise."""
        found, n_draws = np.zeros(len(v)), self.now.n_draws
        if not of_all and not coded.shape[1]:
            return found
        first = rng.fold(_BOUND).uniform(1)[:, 0]
        field = self._field(v.dtype)
        net = field.net, self.layout, field.params, field.statistics
        own = net, self.frame, self.clocks
        for k in range(n_draws):
            streams, time = rng.fold(_NOISE, k), (k + first) / n_draws
            noise = streams.normal(v.shape[1], v.dtype)
            uniform = streams.fold(2).uniform(coded.shape[1])
            if of_all:
                losses = bounds(*own, v, coded, time, noise, uniform, told)
            else:
                hidden = masked(coded, time, uniform)
                given = np.zeros_like(v), np.ones(len(v)), noise, hidden, told
                losses = of_masked(*own, *given)
            found -= losses / n_draws
        return found

    def _clamped(self, v, rng, told=None, turns=None):
        """Rows with missing entries drawn given the others: by weighted particles, as
        :class:`Guide` says, where some real entries are known, and by the model itself
        where none is; where all real ones are known they have no noise."""
        if told is None:
            told = np.zeros((len(v), self.told.n_inputs), v.dtype)
        if self.layout.flips:
            return self._turned(v, rng, told)
        real, coded = self.layout.split(v)
        turns = turns or Turns(self.layout, coded, rng.fold(_TURN))
        found, some = np.empty_like(v), ~np.isnan(real).all(axis=1)
        for rows, guided in (
            (np.flatnonzero(some), True),
            (np.flatnonzero(~some), False),
        ):
            if not rows.size:
                continue
            part = turns.take(rows)
            how = rng.take(rows), told[rows], part
            if guided:
                found[rows] = drawn_given(self, v[rows], *how)
            else:
                found[rows] = self._drawn(*how, coded[rows])
            turns.log_w[rows] = part.log_w
        return np.where(np.isnan(v), found, v)

    def _conditioned(self, n, rng, told, conditions, names):
        """Rows under conditions: values are clamped, and rows in ranges chosen, for
        those of each class by themselves; masked columns are drawn within theirs, with
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

        def rows_of(rng, told):
            holes = np.tile(v.astype(self.dtype), (len(rng.ids), 1))
            turns = Turns(layout, layout.split(holes)[1], rng.fold(_TURN), within)
            if not known:
                return self._drawn(rng, told, turns), turns.log_w
            return self._clamped(holes, rng, told, turns), turns.log_w

        def draw(told, size, rng):
            own, each = rng.rows(size), (size, self.told.n_inputs)
            told = np.broadcast_to(told, each)
            parts = [
                rows_of(own.take(part), told[part])
                for part in gen_batches(size, at_once)
            ]
            rows, log_w = (np.concatenate(found) for found in zip(*parts))
            inside = np.ones(size, bool)
            for j, intervals in ranges.items():
                low, high = intervals.T
                own = rows[:, [j]]
                inside &= ((own >= low) & (own <= high)).any(axis=1)
            log_w = np.where(inside, log_w, -np.inf)
            return Weighted(rows, log_w, effective(log_w), inside.mean())

        with one_blas_thread():
            if events:
                found = np.empty((n, n_columns), self.dtype)
                # Whose draws do not depend on those of others.
                each, place = distinct(told)
                marks = Given(np.c_[each.astype(float), np.ones(len(each))]).hashes
                for number, mark in enumerate(marks):
                    own = np.flatnonzero(place == number)
                    one = partial(draw, each[[number]])
                    how = len(own), rng.fold(mark), at_once, self.name
                    found[own] = pooled(one, *how, hard=True)
            else:
                found = draw(told, n, rng).rows
        found = self.domain.to_data(self.columns, found)
        found[:, ~np.isnan(x)] = x[~np.isnan(x)]
        return self.decoded(found)
