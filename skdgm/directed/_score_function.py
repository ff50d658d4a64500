"""Training with score functions: REINFORCE, NVIL and DisARM.

Baselines of REINFORCE and NVIL are those of
:mod:`skdgm.gradients.stochastic.reinforce`, and antithetic bits those of
:mod:`skdgm.gradients.stochastic.disarm`.
"""

import numpy as np

from skdgm.directed._method import OTHER, SamplingMethod, by_row
from skdgm.gradients.stochastic.disarm import disarm
from skdgm.gradients.stochastic.reinforce import Optimal, Running, reinforce, signals
from skdgm.nets import Layer, Variables, layers, vjp
from skdgm.nets.tape import getval
from skdgm.utils.math import sigmoid
from skdgm.utils.tree import leaves, tree_map

# Hidden units of baseline nets.
_UNITS = 100
# Empty statistics of the two layers of baseline nets.
_STILL = (), ()


class Reinforce(SamplingMethod):
    """REINFORCE with one learning signal for all layers. With ``local``, the signal of
    a layer omits terms that do not depend on its draws."""

    local = False

    def __init__(self, net, options):
        super().__init__(net, options)
        if options.baseline == "net":
            baseline = layers.serial(layers.dense(_UNITS, "tanh"), layers.dense(1))
            self.nets = [baseline for _ in net.hierarchy.n_latent]

    def init(self, rng, dtype):
        """Initial parameters of baseline nets, whose outputs are 0."""
        params = super().init(rng, dtype)
        for layer in params:
            layer[-1].W[:] = 0
        return params

    def resume(self, state, rows):
        """Running moments of signals and, for "optimal" baselines, of parameters."""
        running = getattr(state, "signals", state)
        if not isinstance(running, Running):
            running = Running.start(len(self.net.hierarchy.n_latent))
        if self.options.baseline != "optimal":
            return running
        return state if isinstance(state, Optimal) else Optimal(running)

    def of_draws(self, params, batch, draws):
        """Score functions times signals, and the objective of baseline nets."""
        options, state = self.options, batch.kept.method
        running = state.signals if options.baseline == "optimal" else state
        log_p, log_q = draws.values()
        signal = signals(log_p, log_q, local=self.local)
        after = running.after(signal)
        # Moments of previous batches do not depend on these draws.
        moments = running if running.n[0] else after
        mean = 0.0 if options.baseline == "none" else moments.mean
        scale = np.maximum(1, np.sqrt(moments.variance))
        delta, predicted = (signal - mean) / scale, 0.0
        for level, net in enumerate(self.nets):
            below = draws.decoded.z[level - 1] if level else draws.x
            baseline, _ = net.apply(params.method[level], _STILL, below)
            delta[:, :, level] -= getval(baseline).reshape(draws.n, -1)
            # Gradient of minus half the squared residual.
            slope = delta[:, :, level].reshape(baseline.shape[0], -1).mean(axis=1)
            slope = slope.astype(baseline.dtype)
            predicted = predicted + by_row(baseline.reshape((-1,)) * slope, draws.n)
        weights = reinforce(delta, 0.0, 1.0 if options.normalize_signal else 1 / scale)
        if options.baseline == "optimal":
            state = state._replace(signals=after)
            return self._optimal(params, batch, draws, weights, state)
        return draws.weighed(weights) + predicted, after

    def _optimal(self, params, batch, draws, weights, state):
        """Score functions times signals, minus the baseline of each parameter."""
        model, n = batch.params.model, draws.n
        equal = np.full_like(weights.of_q, 1 / self.n_each)

        def scores(of_q):
            """Mean over rows of weighted score functions."""

            def log_q(encoders):
                net = Variables(model._replace(encoders=encoders), batch.kept.model)
                inferred = self.net.hierarchy.infer(
                    net, draws.x, lambda level, _: batch.noise[level]
                )
                parts = np.moveaxis(of_q.astype(batch.v.dtype), 2, 0)
                terms = zip(inferred.log_q, parts)
                return by_row(sum(q * w.reshape(-1) for q, w in terms), n)

            return vjp(log_q, model.encoders, lambda out: np.full_like(out, 1 / n))[1]

        by_one, total = scores(equal), draws.weighed(weights)
        # Signals of other parameters remain.
        baselines = leaves(state.taken(by_one))
        for part, grad in zip(leaves(params.model.encoders), baselines):
            total = total - (part * grad).sum()
        if self.net.hierarchy.units.n_stats == 1:
            cross, square = self._moments(batch, draws, weights.of_q)
            return total, state.after(cross, square)
        # Nets with other outputs than log odds.
        cross = tree_map(np.multiply, scores(weights.of_q), by_one)
        return total, state.after(cross, tree_map(np.square, by_one))

    def _moments(self, batch, draws, of_q):
        """Squared score functions, summed with the signals as weights, and with equal
        weights."""
        cross, square = [], []
        below, share = self.net.output.inputs(batch.v, self.net.share), 1 / self.n_each
        below = np.repeat(below, self.n_each, axis=0)
        for level, z in enumerate(draws.decoded.z):
            odds = self.net.hierarchy.units.odds(draws.decoded.stats[level], z)
            squares = (z - sigmoid(odds)) ** 2 * share / len(batch.v)
            weighed = squares * of_q[:, :, level].reshape(-1, 1).astype(z.dtype)
            many = below**2
            cross.append((Layer(many.T @ weighed, weighed.sum(axis=0)),))
            squares = squares * share
            square.append((Layer(many.T @ squares, squares.sum(axis=0)),))
            below = z
        return tuple(cross), tuple(square)


class Local(Reinforce):
    """NVIL: REINFORCE with a learning signal for each layer."""

    local = True


class Antithetic(SamplingMethod):
    """DisARM: the bound for the model, and antithetic bits for the inference net."""

    def of_draws(self, params, batch, draws):
        n, dtype = draws.n, batch.v.dtype.type
        total = by_row(sum(draws.log_p) * dtype(1 / self.n_each), n)
        for part in self._parts(batch, draws):
            total = total + part
        return total, ()

    def _parts(self, batch, draws):
        """Log odds times their gradients, for each layer."""
        log_p, log_q = draws.values()
        local, z = signals(log_p, log_q, local=True), draws.decoded.z
        for level, stats in enumerate(draws.decoded.stats):
            noise = list(batch.noise)
            noise[level] = 1 - noise[level]
            rng = batch.rng.fold(OTHER, level).generator()
            for above in range(level + 1, len(noise)):
                noise[above] = rng.random(noise[above].shape, noise[above].dtype)
            other = self.net.drawn(batch.params.model, batch, noise)
            log_p, log_q = other.values()
            gap = (local - signals(log_p, log_q, local=True))[:, :, level].reshape(-1)
            odds = self.net.hierarchy.units.odds(stats, z[level])
            slope = disarm(odds, z[level], other.decoded.z[level], gap) / self.n_each
            slope = slope.reshape(len(stats), -1, odds.shape[1]).sum(axis=1)
            part = (stats * slope.astype(odds.dtype)).sum(axis=1)
            yield by_row(part, draws.n)
