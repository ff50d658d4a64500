"""Objective of directed nets with bits in their hidden layers."""

from math import ceil

import numpy as np

from skdgm.directed._gibbs import Gibbs
from skdgm.directed._importance_weighted import Compared, Reweighted, WakeSleep
from skdgm.directed._mean_field import MeanField
from skdgm.directed._score_function import Antithetic, Local, Reinforce
from skdgm.directed._watch import GradientWatch
from skdgm.directed._way import (
    DATA,
    DREAM,
    FILL,
    GREY,
    NOISE,
    OTHER,
    Kept,
    Learned,
    Net,
    Relaxed,
    Update,
)
from skdgm.nets import NetObjective, nll
from skdgm.utils import random
from skdgm.utils.math import log_mean_exp

# Draws, of all rows together, by which losses are compared at least.
_JUDGED = 240
OBJECTIVES = {
    "rws": Reweighted,
    "vimco": Compared,
    "nvil": Local,
    "reinforce": Reinforce,
    "disarm": Antithetic,
    "wake-sleep": WakeSleep,
    "concrete": Relaxed,
    "straight-through": Relaxed,
    "mean-field": MeanField,
    "gibbs": Gibbs,
}


class DirectedObjective(NetObjective):
    """Objective of a directed net, which learns by a :class:`Way`.

    Held-out rows are compared by the importance weighted bound of ``n_importance``
    draws, of "gibbs" ten at least. The hierarchy is one of
    :class:`~skdgm.latent.Coins`; ``output`` is the distribution of the data given the
    decoder's outputs; options are those of a sigmoid belief network.
    """

    quantity = "bound"

    def __init__(self, run, *, hierarchy, domain, columns, output):
        super().__init__(run, domain.loss_of_independent(columns))
        self.hierarchy, self.output = hierarchy, output
        self.share = domain.share(columns)
        net = Net(hierarchy, output, self.share)
        self.way = OBJECTIVES[self.options.objective](net, self.options)
        self.n_judged = self.way.n_judged
        if self.way.of_rows:
            self.LOCAL = None

    def init(self, rng):
        """Initial parameters, with which columns are independent and have their means,
        and what else training changes."""
        dtype, output, hierarchy = self.rows.dtype, self.output, self.hierarchy
        out = output.start(self.share).astype(dtype)
        params, kept = hierarchy.init(rng, out, output.own(dtype), dtype)
        return Learned(params, self.way.init(rng, dtype)), Kept(kept, ())

    def resume(self, state):
        """State to continue from, with what the way to learn has of its own."""
        if len(state.params.own) != len(self.way.nets):
            rng = random.stream(self.seed, self.INIT).generator()
            params = state.learned._replace(own=self.init(rng)[0].own)
            state = state._replace(params=params, optimiser=(), mean=())
        kept = state.statistics
        kept = kept._replace(own=self.way.resume(kept.own, self.rows))
        return super().resume(state._replace(statistics=kept))

    def spare(self, params, grads, l2):
        """Have weight decay see links between columns as they act, by their pace."""
        if self.hierarchy.data is not None:
            own = params.model.links[1][0], grads.model.links[1][0]
            self.hierarchy.data.link.spare(*own, l2)

    def watch(self, table, held_out, state):
        """Losses of the same rows at the end of each epoch, and by option the variance
        of the gradient."""
        # The total weight of rows may be less than 1.
        of_few = ceil(_JUDGED / max(1, table.weight.sum()))
        self.n_judged = max(self.way.n_judged, of_few)
        if self.options.gradient_draws is None:
            return super().watch(table, held_out, state)
        return GradientWatch(self, table, held_out, state)

    def prepare(self, state, batch, clock):
        """Rows and random numbers of an update, a :class:`Update`."""
        v, rng = self.rows.take(batch), self.stream(clock)
        if self.options.resample:
            v = self.output.resampled(v, rng.fold(GREY).rows(len(v)))
        noise, dreams = self.way.noise(state, batch, v, rng), None
        if self.way.asleep:
            own = state.params.model, state.statistics.model
            dreams = self.dreams(*own, rng.fold(DREAM).rows(len(v)))
        return Update(state.params, state.statistics, v, noise, dreams, rng)

    def dreams(self, params, statistics, rng):
        """Rows drawn from the model, and their latent units, the lowest first."""
        top = self.hierarchy.top(params, rng.fold(NOISE))
        steps = self.hierarchy.descent(params, statistics, top, rng.fold(OTHER))
        z, outs = zip(*steps)
        out, rng = outs[-1], rng.fold(DATA)
        if self.hierarchy.data is not None:
            return self.hierarchy.data.draw(params, out, rng), z[::-1]
        return self.output.draw(out, rng, params.own), z[::-1]

    def forward(self, params, given):
        """What has the gradient, up to its sign, for each row; updated statistics."""
        total, kept = self.way.aim(params, given)
        if self.way.asleep:
            asleep = given.v.dtype.type(self.way.asleep)
            own = params.model, given.kept.model, *given.dreams
            total = total + self.log_recognised(*own) * asleep
        return -total, kept

    def losses(self, state, index, rng):
        """Negative importance weighted bound of the rows at an index, in float64."""
        v, net = self.rows.take(index), (state.learned.model, state.statistics.model)
        x, streams = self.way.net.inputs(v), range(self.n_judged)
        log_w = [self._log_weight(net, v, x, rng.fold(k)) for k in streams]
        return -log_mean_exp(np.stack(log_w, axis=1).astype(np.float64), axis=1)[0]

    def _log_weight(self, net, v, x, rng):
        """Log importance weight of a draw for each row."""
        how = self.hierarchy.noise(rng, 1), (v, rng.fold(FILL))
        found = self.hierarchy.through(*net, x, how[0], given=how[1])
        return -nll(found.out, net[0].own, v, self.output) - found.gap

    def log_recognised(self, params, statistics, v, z):
        """log q(z | x) of given latent units, for each row."""
        x, source = self.way.net.inputs(v), self.hierarchy.noise_of(z)
        own = params, statistics, x, source
        return sum(self.hierarchy.through(*own, decoded=False).log_q)
