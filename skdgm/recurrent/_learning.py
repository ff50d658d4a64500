"""Density and training objective of recurrent nets with a distribution of each step."""

import numpy as np

from skdgm.base import of_rows
from skdgm.data.gaps import SeriesModel
from skdgm.data.reach import seen_range
from skdgm.exceptions import LikelihoodWarning
from skdgm.recurrent._density import SequenceDensity
from skdgm.recurrent._objective import SequenceObjective
from skdgm.recurrent._rbm_step import combined
from skdgm.utils import addresses
from skdgm.utils.threading.callers import warn
from skdgm.utils.tree import astype, leaves

# Random stream of dropout.
_DROP = addresses.RECURRENT_DROPOUT
# Mean gap between both sides of annealing, in nats, that causes a warning.
_GAP = 0.5
# Number of particles if likelihoods are exact, if they are estimates, and for forecasts
# by estimates.
_N_PARTICLES, _N_ESTIMATE_PARTICLES, _N_FORECAST_PARTICLES = 300, 20, 50


class RecurrentDensity(SequenceDensity):
    r"""Distributions of steps conditional on the state of a recurrent net.

    .. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid s_{t-1})

    ``net`` is a :class:`~skdgm.recurrent._net.RecurrentNet`, and ``gray`` tells whether
    the training rows were gray. Missing entries of previous steps are replaced by the
    means of their columns.
    """

    def __init__(self, context, *, sequence_length, net, params, gray):
        super().__init__(context, sequence_length=sequence_length)
        self.net, self.params, self.gray = net, params, gray
        # Gray values have no likelihood under conditionals of entries.
        self.warns_of_gray = hasattr(net.step, "log_p_of_entries")

    @property
    def capabilities(self):
        """Capabilities of the distribution of steps; incomplete rows have estimates."""
        kind = self.net.step.kind
        entries = of_rows(kind, missing="estimate", gray="estimate")
        of_entries = {"log_prob_of_entries": entries} if self.warns_of_gray else {}
        return of_entries | {
            "log_prob": entries,
            "features": of_rows("exact", missing="estimate"),
            "sample": {"unconditional": "exact" if kind == "exact" else "estimate"},
            "fill": {"missing": "estimate", "future": "estimate"},
        }

    @property
    def width(self):
        """Number of units of the widest layer."""
        return self.net.width

    def _readable(self):
        if self.net.extrapolates and np.ndim(getattr(self.columns, "reach", 0.0)):
            low, high = seen_range(self.columns, len(self.columns.seen))
            wide = np.stack([2 * low - high, 2 * high - low])
            return self.columns._replace(range=wide)
        return self.columns

    @property
    def n_features_out(self):
        return self.net.n_units

    def log_prob(self, X, lengths=None):
        if not hasattr(self.net.step, "bracket") or self.net.step.exact:
            return super().log_prob(X, lengths=lengths)
        high, low = self.bracket(X, lengths).T
        gap = (high - low).mean()
        if gap > _GAP:
            warn(
                f"{self.name}: the log-likelihood of a step is between "
                f"{low.mean():.2f} and {high.mean():.2f} nats on average, by annealing "
                "from both sides, and the estimate between them uncertain by some of "
                "this. Raise n_betas (it may be changed after fit), or learn fewer or "
                "weaker couplings, as of a lower n_components.",
                LikelihoodWarning,
            )
        return combined(high, low)

    def bracket(self, X, lengths=None):
        """Estimates of the log-likelihood of each row that are too high and too low on
        average, (n_rows, 2)."""

        def bracketed(v, batch, rng, state):
            step, biases, state = self._biases(v, batch, state)
            return self.net.step.bracket(step, biases, v, rng).T, state

        rows, ends = self._of_rows(X, lengths, bracketed)
        return (ends.T + self.domain.log_volume(self.columns, rows)).T

    def scored(self, v, batch, rng, state):
        step, biases, state = self._biases(v, batch, state)
        return self.net.step.log_p(step, biases, v, rng), state

    def scored_entries(self, v, batch, rng, state):
        step, biases, state = self._biases(v, batch, state)
        return self.net.step.log_p_of_entries(step, biases, v, rng), state

    def _biases(self, v, batch, state):
        """Parameters and biases of the distributions of steps, and the states after
        them."""
        net, params, state = self.net, self.params_as(v.dtype), state.astype(v.dtype)
        x = net.inputs(params, v)
        biases, state = net.all_biases(params, x, batch.sizes, state)
        return params.step, biases, state

    def hidden(self, v, batch, rng, state):
        net, params, state = self.net, self.params_as(v.dtype), state.astype(v.dtype)
        x = net.inputs(params, v)
        states = net.states(params, x, batch.sizes, state)
        return net.features(states), net.last(states, x, batch.sizes, state)

    def filled(self, v, batch, rng, state, method):
        net, params, v = self.net, self.params_as(v.dtype), v.copy()
        state, first = state.astype(v.dtype), 0
        for size in batch.sizes:
            part, biases = slice(first, first + size), net.biases(params, state[:size])
            v[part] = net.step.fill(
                params.step, biases, v[part], rng.take(part), method
            )
            x, first = net.inputs(params, v[part]), first + size
            state[:size] = net.follow(params, state[:size], x)
        return v, state

    def begin(self, n):
        return self.net.begin(self.params, n)

    @property
    def particles(self):
        return RecurrentParticles(self)

    @property
    def n_particles(self):
        """Number of particles of each sequence."""
        return _N_PARTICLES if self.net.step.kind == "exact" else _N_ESTIMATE_PARTICLES

    def drawn(self, state, rng):
        net, params = self.net, self.params
        state = state.astype(leaves(params)[0].dtype)
        v = net.step.draw(params.step, net.biases(params, state), rng)
        return v, net.follow(params, state, net.inputs(params, v))

    def drawn_given(self, v, state, rng):
        unweighed = np.zeros(len(v), bool)
        _, v, _, state = self.particles.advance(state, v, unweighed, rng, means=False)
        return v, state

    def params_as(self, dtype):
        """Parameters converted to a dtype."""
        return astype(self.params, dtype)


class RecurrentParticles(SeriesModel):
    """Particles of a recurrent net."""

    def __init__(self, density):
        self.density = density
        if density.net.step.kind != "exact":
            self.n_forecasts = _N_FORECAST_PARTICLES

    def begin(self, n):
        return self.density.begin(n)

    def advance(self, state, v, needs_log_p, rng, means):
        net, params = self.density.net, self.density.params_as(v.dtype)
        state = state.astype(v.dtype, copy=False)
        log_p, filled, expected = net.step.completed(
            params.step, net.biases(params, state), v, needs_log_p, rng, means
        )
        state = net.follow(params, state, net.inputs(params, filled))
        return log_p, filled, expected, state

    def encoded(self, v):
        return self.density.net.step.output.inputs(v, None)

    def decoded(self, mean):
        return self.density.net.step.output.value(mean)


class RecurrentObjective(SequenceObjective):
    """Loss of the distribution of steps, given the states of a recurrent net."""

    def prepare(self, state, batch, clock):
        return self.rows.rows.take(batch.index), batch, self.stream(clock)

    def constrain(self, params):
        self.net.step.constrain(params.step)

    def forward(self, params, prepared):
        (v, batch, rng), net = prepared, self.net
        carried, x = self.carried if batch.begin else None, net.inputs(params, v)
        biases, self.carried = net.all_biases(
            params, x, batch.sizes, carried, rng.fold(_DROP)
        )
        return net.step.loss(params.step, biases, v, rng), ()

    def n_watched(self, n_rows):
        return self.net.step.n_watched(n_rows)

    def watched(self, params, batch, streams, states, some):
        net, v = self.net, self.rows.rows.take(batch.index)
        x = net.inputs(params, v)
        biases, states = net.all_biases(params, x, batch.sizes, states)
        biases, streams = biases.take(some), streams.take(some)
        return net.step.watched(params.step, biases, v[some], streams), states
