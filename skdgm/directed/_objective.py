"""Training objective of directed nets with binary hidden layers."""

from math import ceil

import numpy as np

from skdgm.directed._gibbs import GibbsEM
from skdgm.directed._importance_weighted import Compared, Reweighted, WakeSleep
from skdgm.directed._mean_field import SaulMeanField
from skdgm.directed._method import (
    DATA,
    DREAM,
    FILL,
    GRAY,
    NOISE,
    OTHER,
    BeliefBatch,
    BeliefNet,
    BeliefParams,
    BeliefStatistics,
    Relaxed,
)
from skdgm.directed._score_function import Antithetic, Local, Reinforce
from skdgm.directed._watch import GradientWatch
from skdgm.latent.data_layer import Entries
from skdgm.nets import NetObjective, Variables, nll
from skdgm.utils import random
from skdgm.utils.math import log_mean_exp

# Minimum number of draws in losses, over all rows.
_LOSS_DRAWS = 240
OBJECTIVES = {
    "rws": Reweighted,
    "vimco": Compared,
    "nvil": Local,
    "reinforce": Reinforce,
    "disarm": Antithetic,
    "wake-sleep": WakeSleep,
    "concrete": Relaxed,
    "straight-through": Relaxed,
    "mean-field": SaulMeanField,
    "gibbs": GibbsEM,
}


class DirectedObjective(NetObjective):
    """Objective of a directed net that is trained by a :class:`Method`.

    Losses of held-out rows are importance weighted bounds of ``n_importance`` draws (at
    least ten for "gibbs"). The hierarchy consists of
    :class:`~skdgm.latent.BernoulliUnits`, and ``output`` is the distribution of the
    data given the decoder's outputs.
    """

    quantity = "bound"

    def __init__(self, run, *, hierarchy, domain, columns, output):
        super().__init__(run, domain.loss_of_independent(columns))
        self.hierarchy, self.output = hierarchy, output
        self.share = domain.share(columns)
        net = BeliefNet(hierarchy, output, self.share)
        self.method = OBJECTIVES[self.options.objective](net, self.options)
        self.n_loss_draws = self.method.n_loss_draws
        if self.method.of_rows:
            self.LOCAL = None

    def init(self, rng):
        """Initial parameters, for which columns are independent with their means, and
        statistics."""
        dtype, output, hierarchy = self.rows.dtype, self.output, self.hierarchy
        out = output.start(self.share).astype(dtype)
        params, kept = hierarchy.init(rng, out, output.initial_parameters(dtype), dtype)
        params = BeliefParams(params, self.method.init(rng, dtype))
        return params, BeliefStatistics(kept, ())

    def resume(self, state):
        """State to continue from, with the nets and the state of the training
        method."""
        if len(state.params.method) != len(self.method.nets):
            rng = random.stream(self.seed, self.INIT).generator()
            params = state.learned._replace(method=self.init(rng)[0].method)
            state = state._replace(params=params, optimizer=(), mean=())
        kept = state.statistics
        kept = kept._replace(method=self.method.resume(kept.method, self.rows))
        return super().resume(state._replace(statistics=kept))

    def exempt_from_decay(self, params, grads, l2):
        """Adapt the weight decay of links between columns to their learning rate."""
        if self.hierarchy.data is not None:
            links, by_links = params.model.links[1][0], grads.model.links[1][0]
            self.hierarchy.data.link.exempt_from_decay(links, by_links, l2)

    def watch(self, table, held_out, state):
        """Monitor losses of the same rows and, optionally, the variance of the
        gradient."""
        # The total weight of rows can be less than 1.
        of_few = ceil(_LOSS_DRAWS / max(1, table.weight.sum()))
        self.n_loss_draws = max(self.method.n_loss_draws, of_few)
        if self.options.gradient_draws is None:
            return super().watch(table, held_out, state)
        return GradientWatch(self, table, held_out, state)

    def prepare(self, state, batch, clock):
        v, rng = self.rows.take(batch), self.stream(clock)
        if self.options.resample:
            v = self.output.resampled(v, rng.fold(GRAY).rows(len(v)))
        noise, dreams = self.method.noise(state, batch, v, rng), None
        if self.method.sleep_weight:
            net = Variables(state.params.model, state.statistics.model)
            dreams = self.dreams(net, rng.fold(DREAM).rows(len(v)))
        return BeliefBatch(state.params, state.statistics, v, noise, dreams, rng)

    def dreams(self, net, rng):
        """Rows drawn from the model, and their latent units, lowest first."""
        top = self.hierarchy.top(net, rng.fold(NOISE))
        z, outs = zip(*self.hierarchy.descent(net, top, rng.fold(OTHER)))
        out, rng = outs[-1], rng.fold(DATA)
        if self.hierarchy.data is not None:
            return self.hierarchy.data.draw(net.params, out, rng), z[::-1]
        return self.output.draw(out, rng, net.params.dispersion), z[::-1]

    def forward(self, params, prepared):
        total, kept = self.method.surrogate(params, prepared)
        if self.method.sleep_weight:
            sleep_weight = prepared.v.dtype.type(self.method.sleep_weight)
            v, z = prepared.dreams
            net = Variables(params.model, prepared.kept.model)
            total = total + self.log_recognized(net, v, z) * sleep_weight
        return -total, kept

    def losses(self, state, index, rng):
        """Negative importance weighted bound of the rows at an index, float64."""
        v = self.rows.take(index)
        net = Variables(state.learned.model, state.statistics.model)
        x, draws = self.method.net.inputs(v), range(self.n_loss_draws)
        log_w = [self._log_weight(net, v, x, rng.fold(k)) for k in draws]
        return -log_mean_exp(np.stack(log_w, axis=1).astype(np.float64), axis=1)[0]

    def _log_weight(self, net, v, x, rng):
        """Log importance weight of one draw for each row."""
        noise, entries = self.hierarchy.noise(rng, 1), Entries(v, rng.fold(FILL))
        decoded = self.hierarchy.through(net, x, noise, entries=entries)
        return -nll(decoded.out, net.params.dispersion, v, self.output) - decoded.gap

    def log_recognized(self, net, v, z):
        """Log q(z | x) of latent units z, for each row."""
        x, source = self.method.net.inputs(v), self.hierarchy.noise_of(z)
        return sum(self.hierarchy.infer(net, x, source).log_q)
