"""Learning by the score function: REINFORCE, NVIL and DisARM.

REINFORCE and NVIL with their baselines, :mod:`skdgm.gradients.stochastic.reinforce`,
and antithetic bits, :mod:`skdgm.gradients.stochastic.disarm`.
"""

import numpy as np
from scipy.special import expit

from skdgm.directed._way import OTHER, DrawnWay, by_row
from skdgm.gradients.stochastic.disarm import disarm
from skdgm.gradients.stochastic.reinforce import Optimal, Running, reinforce, signals
from skdgm.nets import Layer, layers, vjp
from skdgm.nets.tape import getval
from skdgm.utils.tree import leaves, tree_map

# Hidden units of nets that predict signals.
_UNITS = 100
# Their statistics: none, of two layers.
_STILL = (), ()


class Reinforce(DrawnWay):
    """REINFORCE: the whole signal for all layers; if ``local``, a layer's leaves out
    what does not depend on its draws."""

    local = False

    def __init__(self, net, options):
        super().__init__(net, options)
        if options.baseline == "net":
            baseline = layers.serial(layers.dense(_UNITS, "tanh"), layers.dense(1))
            self.nets = [baseline for _ in net.hierarchy.n_latent]

    def init(self, rng, dtype):
        """Initial parameters of nets that predict nothing yet."""
        found = super().init(rng, dtype)
        for layer in found:
            layer[-1].W[:] = 0
        return found

    def resume(self, own, rows):
        """Running moments of signals, and of parameters if these have baselines."""
        running = getattr(own, "signals", own)
        if not isinstance(running, Running):
            running = Running.start(len(self.net.hierarchy.n_latent))
        if self.options.baseline != "optimal":
            return running
        return own if isinstance(own, Optimal) else Optimal(running)

    def of_drawn(self, params, given, drawn):
        """Score functions times signals, and what nets learn that predict these."""
        options, own = self.options, given.kept.own
        running = own.signals if options.baseline == "optimal" else own
        values = drawn.values()
        signal = signals(*values, local=self.local)
        after = running.after(signal)
        # Moments of former batches do not depend on these draws.
        now = running if running.n[0] else after
        mean = 0.0 if options.baseline == "none" else now.mean
        size = np.maximum(1, np.sqrt(now.variance))
        rest, predicted = (signal - mean) / size, 0.0
        for level, net in enumerate(self.nets):
            below = drawn.found.z[level - 1] if level else drawn.x
            found, _ = net.apply(params.own[level], _STILL, below)
            rest[:, :, level] -= getval(found).reshape(drawn.n, -1)
            # The gradient of minus half the squared rest.
            slope = rest[:, :, level].reshape(found.shape[0], -1).mean(axis=1)
            slope = slope.astype(found.dtype)
            predicted = predicted + by_row(found.reshape((-1,)) * slope, drawn.n)
        weights = reinforce(rest, 0.0, 1.0 if options.normalise_signal else 1 / size)
        if options.baseline == "optimal":
            own = own._replace(signals=after)
            return self._optimal(params, given, drawn, weights, own)
        return drawn.weighed(weights) + predicted, after

    def _optimal(self, params, given, drawn, weights, own):
        """The same, less the scores times each parameter's own baseline."""
        model, n = given.params.model, drawn.n
        one = np.full_like(weights.of_q, 1 / self.n_each)

        def scores(of_q):
            """Mean over rows of scores times weights."""

            def log_q(encoders):
                now = model._replace(encoders=encoders)
                noise = given.noise
                own = now, given.kept.model, drawn.x, lambda level, _: noise[level]
                found = self.net.hierarchy.through(*own, decoded=False)
                parts = np.moveaxis(of_q.astype(given.v.dtype), 2, 0)
                terms = zip(found.log_q, parts)
                return by_row(sum(q * w.reshape(-1) for q, w in terms), n)

            return vjp(log_q, model.encoders, lambda out: np.full_like(out, 1 / n))[1]

        by_one, total = scores(one), drawn.weighed(weights)
        # All else that has these signals keeps them.
        taken = leaves(own.taken(by_one))
        for part, grad in zip(leaves(params.model.encoders), taken):
            total = total - (part * grad).sum()
        if self.net.hierarchy.units.n_stats == 1:
            return total, own.after(*self._moments(given, drawn, weights.of_q))
        # Nets have outputs besides log odds.
        cross = tree_map(np.multiply, scores(weights.of_q), by_one)
        return total, own.after(cross, tree_map(np.square, by_one))

    def _moments(self, given, drawn, of_q):
        """Squares of the scores of draws, times signals and times one."""
        cross, square = [], []
        below, share = self.net.output.inputs(given.v, self.net.share), 1 / self.n_each
        below = np.repeat(below, self.n_each, axis=0)
        for level, z in enumerate(drawn.found.z):
            odds = self.net.hierarchy.units.odds(drawn.found.stats[level], z)
            squares = (z - expit(odds)) ** 2 * share / len(given.v)
            weighed = squares * of_q[:, :, level].reshape(-1, 1).astype(z.dtype)
            many = below**2
            cross.append((Layer(many.T @ weighed, weighed.sum(axis=0)),))
            squares = squares * share
            square.append((Layer(many.T @ squares, squares.sum(axis=0)),))
            below = z
        return tuple(cross), tuple(square)


class Local(Reinforce):
    """NVIL: REINFORCE with the signal of each layer."""

    local = True


class Antithetic(DrawnWay):
    """DisARM: the model by the bound, log odds of bits by antithetic ones."""

    def of_drawn(self, params, given, drawn):
        n, dtype = drawn.n, given.v.dtype.type
        total = by_row(sum(drawn.log_p) * dtype(1 / self.n_each), n)
        for part in self._parts(given, drawn):
            total = total + part
        return total, ()

    def _parts(self, given, drawn):
        """Log odds times the gradient by them, for each layer."""
        values = drawn.values()
        local, z = signals(*values, local=True), drawn.found.z
        for level, stats in enumerate(drawn.found.stats):
            noise = list(given.noise)
            noise[level] = 1 - noise[level]
            rng = given.rng.fold(OTHER, level).generator()
            for above in range(level + 1, len(noise)):
                noise[above] = rng.random(noise[above].shape, noise[above].dtype)
            other = self.net.drawn(given.params.model, given, noise)
            values = other.values()
            gap = (local - signals(*values, local=True))[:, :, level].reshape(-1)
            odds = self.net.hierarchy.units.odds(stats, z[level])
            slope = disarm(odds, z[level], other.found.z[level], gap) / self.n_each
            slope = slope.reshape(len(stats), -1, odds.shape[1]).sum(axis=1)
            part = (stats * slope.astype(odds.dtype)).sum(axis=1)
            yield by_row(part, drawn.n)
