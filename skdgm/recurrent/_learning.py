"""Density and objective of recurrent nets below a distribution of steps."""

import numpy as np

from skdgm.base import of_rows
from skdgm.data.gaps import Particles
from skdgm.exceptions import LikelihoodWarning
from skdgm.nets.recurrent import last
from skdgm.recurrent._density import SequenceDensity, batches_of
from skdgm.recurrent._objective import SequenceObjective
from skdgm.recurrent._rbm_step import combined
from skdgm.utils.threading.callers import warn
from skdgm.utils.tree import astype, leaves, tree_map

# Random stream of units that drop out; numbers of particles with exact
# log-likelihoods, with estimates, which take longer, and of forecasts by the latter.
_DROP = 400
# Mean difference of both sides of annealing, in nats, above which there is a warning.
_GAP = 0.5
_MANY, _SOME, _FORECASTS = 300, 20, 50


class RecurrentDensity(SequenceDensity):
    r"""Steps distributed as the state of a recurrent net before them says.

    .. math:: p(x_1, \dots, x_T) = \prod_t p(x_t \mid s_{t-1})

    Besides the arguments of :class:`SequenceDensity` it has the net, a
    :class:`~skdgm.recurrent._net.RecurrentNet`, its parameters, and whether the
    training rows were grey. Missing entries of former steps are read as means of their
    columns.
    """

    def __init__(self, context, *, sequence_length, net, params, grey):
        super().__init__(context, sequence_length=sequence_length)
        self.net, self.params, self.grey = net, params, grey
        # Conditionals of entries have no likelihood where bits are grey.
        self.tells_grey = hasattr(net.step, "log_p_of_entries")

    @property
    def capabilities(self):
        """As of the distribution of steps; of incomplete rows, estimates."""
        kind = self.net.step.kind
        entries = of_rows(kind, missing="estimate", grey="estimate")
        more = {"log_prob_of_entries": entries} if self.tells_grey else {}
        return more | {
            "log_prob": entries,
            "features": of_rows("exact", missing="estimate"),
            "sample": {"nothing": "exact" if kind == "exact" else "estimate"},
            "fill": {"missing": "estimate", "future": "estimate"},
        }

    @property
    def width(self):
        """Number of units of the widest layer."""
        return self.net.width

    @property
    def n_features_out(self):
        """Number of units of the cell."""
        return self.net.n_units

    def log_prob(self, X, lengths=None):
        """Log-likelihood of each row given those before it in its sequence."""
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
        rows, found = self._of_rows(X, lengths, self.bracketed)
        return (found.T + self.domain.log_volume(self.columns, rows)).T

    def bracketed(self, v, batch, rng, state):
        """The same of rows of a stretch, and states."""
        net, params = self.net, self._params(v.dtype)
        given = params, net.inputs(params, v), batch.sizes, state.astype(v.dtype)
        biases, state = net.all_biases(*given)
        return net.step.bracket(params.step, biases, v, rng).T, state

    def scored(self, v, batch, rng, state):
        """Log-likelihood of each row given the state before, and states."""
        net, params = self.net, self._params(v.dtype)
        given = params, net.inputs(params, v), batch.sizes, state.astype(v.dtype)
        biases, state = net.all_biases(*given)
        return net.step.log_p(params.step, biases, v, rng), state

    def scored_entries(self, v, batch, rng, state):
        """Log-likelihood of each entry given those before it, and states."""
        net, params = self.net, self._params(v.dtype)
        given = params, net.inputs(params, v), batch.sizes, state.astype(v.dtype)
        biases, state = net.all_biases(*given)
        return net.step.log_p_of_entries(params.step, biases, v, rng), state

    def hidden(self, v, batch, rng, state):
        """Units of the cell after each row, and states."""
        net, params, state = self.net, self._params(v.dtype), state.astype(v.dtype)
        found = net.states(params, net.inputs(params, v), batch.sizes, state)
        return net.features(found), last(found, batch.sizes, state)

    def filled(self, v, batch, rng, state, method):
        """Rows filled step by step, each given what was filled in; and states."""
        net, params, v = self.net, self._params(v.dtype), v.copy()
        state, first = state.astype(v.dtype), 0
        for size in batch.sizes:
            part, biases = slice(first, first + size), net.biases(params, state[:size])
            given = params.step, biases, v[part], rng.take(part)
            v[part] = net.step.fill(*given, method)
            own = net.follow(params, state[:size], net.inputs(params, v[part]))
            state[:size], first = own, first + size
        return v, state

    def begin(self, n):
        """States of the net at the start."""
        return self.net.begin(self.params, n)

    @property
    def particles(self):
        """What fills gaps given the rows before and after."""
        return RecurrentParticles(self)

    @property
    def n_particles(self):
        """Number of these for each sequence."""
        return _MANY if self.net.step.kind == "exact" else _SOME

    def drawn(self, state, rng):
        """The next row of each sequence, and the state after it."""
        net, params = self.net, self.params
        state = state.astype(leaves(params)[0].dtype)
        v = net.step.draw(params.step, net.biases(params, state), rng)
        return v, net.follow(params, state, net.inputs(params, v))

    def drawn_given(self, v, state, rng):
        """The next row of each sequence given its known entries, and the states."""
        known = v, np.zeros(len(v), bool), rng, False
        _, v, _, state = self.particles.advance(state, *known)
        return v, state

    def _params(self, dtype):
        return astype(self.params, dtype)


class RecurrentParticles(Particles):
    """Particles of a recurrent net."""

    def __init__(self, density):
        self.density = density
        if density.net.step.kind != "exact":
            self.n_forecasts = _FORECASTS

    def begin(self, n):
        """States of the net at the start."""
        return self.density.begin(n)

    def advance(self, state, v, weighed, rng, means):
        """Log-likelihoods, rows, means of these and the states after them."""
        net, params = self.density.net, self.density._params(v.dtype)
        state = state.astype(v.dtype, copy=False)
        given = params.step, net.biases(params, state), v, weighed, rng, means
        log_p, filled, expected = net.step.completed(*given)
        state = net.follow(params, state, net.inputs(params, filled))
        return log_p, filled, expected, state

    def encoded(self, v):
        """Visible units, one for each category."""
        return self.density.net.step.output.inputs(v, None)

    def decoded(self, mean):
        """Rows of means of visible units."""
        return self.density.net.step.output.value(mean)


class RecurrentObjective(SequenceObjective):
    """Loss of the distribution of steps, given states of a recurrent net."""

    def __init__(self, run, independent, *, net):
        super().__init__(run, independent)
        self.net = net
        self.quantity = getattr(net.step, "quantity", self.quantity)

    def init(self, rng):
        """Initial parameters."""
        return self.net.init(rng, self.rows.dtype), ()

    def prepare(self, state, batch, clock):
        """Rows of a stretch, and a stream."""
        return self.rows.rows.take(batch.index), batch, self.stream(clock)

    def constrain(self, params):
        """Keep to the limits of the distribution's parameters, in place."""
        limit = getattr(self.net.step, "constrain", None)
        if limit is not None:
            limit(params.step)

    def forward(self, params, given):
        """Loss of each row; the states at the end are carried to the next stretch."""
        (v, batch, rng), net = given, self.net
        carried = self.carried if batch.begin else None
        x = net.inputs(params, v)
        given = params, x, batch.sizes, carried, rng.fold(_DROP)
        biases, self.carried = net.all_biases(*given)
        return net.step.loss(params.step, biases, v, rng), ()

    def losses(self, state, index, rng):
        """Losses of sequences at an index, summed over their steps, in float64; where
        each step costs much, some stand for all."""
        net, params, found = self.net, state.learned, np.zeros(len(index))
        n_rows, every = self.rows.lengths[index].sum(), 1
        if hasattr(net.step, "n_watched"):
            every = max(1, -(-n_rows // net.step.n_watched(n_rows)))
        some = slice(None, None, every)
        for which, parts in batches_of(self.rows, index, net.width):
            states = None
            for batch in parts:
                v = self.rows.rows.take(batch.index)
                given = params, net.inputs(params, v), batch.sizes, states
                biases, states = net.all_biases(*given)
                number = np.concatenate([which[:size] for size in batch.sizes])
                steps = batch.begin + np.arange(len(batch.sizes), dtype=np.uint64)
                keys = number.astype(np.uint64) << np.uint64(32)
                streams = rng.rows(keys + np.repeat(steps, batch.sizes))
                few = tree_map(lambda part: part[some], biases)
                own = net.step.watched(params.step, few, v[some], streams.take(some))
                own *= len(number) / len(own)
                found += np.bincount(number[some], own, len(index))
        return found
