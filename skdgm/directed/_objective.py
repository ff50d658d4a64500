r"""Objectives of directed nets with bits in their hidden layers.

Each update follows a gradient of

.. math:: \sum_k a_k \log p(x, z_k) + \sum_{k, l} b_{kl} \log q_{kl}

for draws :math:`z_k` of q(z | x), with the weights of :mod:`skdgm.gradients`, perhaps
with the gradient of log q(z | x) for dreams x, z of p; or one that passes through
relaxed draws.
"""

from copy import copy
from functools import partial
from typing import NamedTuple

import numpy as np

from skdgm.gradients.disarm import disarm
from skdgm.gradients.reinforce import Running, reinforce, signals
from skdgm.gradients.reweighted import plain, wake
from skdgm.gradients.vimco import vimco
from skdgm.latent import Coins
from skdgm.nets import NetObjective, layers, listed, nll, row_mean
from skdgm.nets.tape import getval
from skdgm.utils import random
from skdgm.utils.math import log_mean_exp

OBJECTIVES = (
    *("rws", "vimco", "nvil", "reinforce", "disarm", "wake-sleep"),
    *("concrete", "straight-through"),
)
# Those whose gradients pass through draws, and those that use a baseline.
RELAXED, SCORED = ("concrete", "straight-through"), ("nvil", "reinforce")
# Weight of the wake phase in what the inference net learns.
_AWAKE = {"wake": 1.0, "both": 0.5, "sleep": 0.0}
# Draws for each row in training, if several are weighted.
_WEIGHTED = 5
# Hidden units of nets that predict signals.
_UNITS = 100
# Their statistics: none, of two layers.
_STILL = (), ()
_NOISE, _DROP, _GREY, _DREAM, _OTHER, _DATA = range(6)


class Learned(NamedTuple):
    """Parameters of a model, and of the nets that predict its signals.

    Parameters
    ----------
    model : Params
    baselines : tuple
    """

    model: tuple
    baselines: tuple


class Kept(NamedTuple):
    """What training changes besides parameters.

    Parameters
    ----------
    model : Statistics
    signals : Running
    """

    model: tuple
    signals: Running


class Given(NamedTuple):
    """Rows and random numbers of an update.

    Parameters
    ----------
    params : Learned
        Parameters before it.
    kept : Kept
    v : ndarray of shape (n_rows, n_columns)
    noise : list of ndarray of shape (n_rows * n_draws, n_units)
        Of each layer.
    dreams : tuple or None
        Rows of the model, and their latent units.
    rng : Stream
    """

    params: Learned
    kept: Kept
    v: np.ndarray
    noise: list
    dreams: tuple
    rng: object


class Belief(NetObjective):
    """Objective of a directed net; see ``OBJECTIVES``.

    Held-out rows are compared by the importance weighted bound of ``n_importance``
    draws.

    Parameters
    ----------
    hierarchy : Hierarchy
        Of :class:`~skdgm.latent.Coins`.
    domain : ColumnKind
    columns : tuple
        Statistics of the columns.
    output : Output
        Distribution of the data given the decoder's outputs.
    recipe, rows, seed, epochs_before
        As of :class:`~skdgm.nets.NetObjective`; the recipe with ``objective``,
        ``n_importance``, ``recognition_phase``, ``baseline``, ``normalise_signal`` and
        ``resample``.
    """

    quantity = "bound"

    def __init__(self, hierarchy, domain, columns, output, *given):
        super().__init__(*given, independent=domain.loss_of_independent(columns))
        recipe, self.hierarchy = self.recipe, hierarchy
        self.output, self.share = output, domain.share(columns)
        self.n_each = draws_of(recipe)
        ways = {"wake-sleep": (plain, 1.0), "vimco": (vimco, 0.0)}
        awake = _AWAKE[recipe.recognition_phase]
        ways["rws"] = partial(wake, share=awake), 1 - awake
        # Weights of log probabilities, and of those of dreams.
        self.weigh, self.sleeps = ways.get(recipe.objective, (None, 0.0))
        self.relaxed = copy(hierarchy)
        if recipe.objective in RELAXED:
            self.relaxed.units = Coins(recipe.objective, recipe.temperature)
        self.baselines = []
        if recipe.objective in SCORED and recipe.baseline == "net":
            net = layers.serial(layers.dense(_UNITS, "tanh"), layers.dense(1))
            self.baselines = [net for _ in hierarchy.n_latent]

    def init(self, rng):
        """Initial parameters, with which columns are independent and have their means,
        and what else training changes."""
        dtype, output, hierarchy = self.rows.dtype, self.output, self.hierarchy
        out = output.start(self.share).astype(dtype)
        params, kept = hierarchy.init(rng, out, output.own(dtype), dtype)
        sizes = zip(self.baselines, hierarchy.n_inputs)
        nets = tuple(net.init(rng, n, dtype)[1] for net, n in sizes)
        for layer in nets:
            layer[-1].W[:] = 0
        running = Running.start(len(hierarchy.n_latent))
        return Learned(params, nets), Kept(kept, running)

    def resume(self, state):
        """State to continue from, with nets that predict signals if they are needed."""
        if len(state.params.baselines) != len(self.baselines):
            rng = random.stream(self.seed, self.INIT).generator()
            params = state.params._replace(baselines=self.init(rng)[0].baselines)
            state = state._replace(params=params, optimiser=())
        return super().resume(state)

    def prepare(self, state, batch, clock):
        """Rows and random numbers of an update, a :class:`Given`."""
        v, rng = self.rows.take(batch), self.stream(clock)
        if self.recipe.resample:
            v = self.output.resampled(v, rng.fold(_GREY).rows(len(v)))
        generator, dreams = rng.fold(_NOISE).generator(), None
        shapes = [(len(v) * self.n_each, n) for n in self.hierarchy.n_latent]
        noise = [generator.random(shape, v.dtype) for shape in shapes]
        if self.sleeps:
            own = state.params.model, state.statistics.model
            dreams = self.dreams(*own, rng.fold(_DREAM).rows(len(v)))
        return Given(state.params, state.statistics, v, noise, dreams, rng)

    def dreams(self, params, statistics, rng):
        """Rows drawn from the model, and their latent units, the lowest first."""
        top = self.hierarchy.top(params, rng.fold(_NOISE))
        steps = self.hierarchy.descent(params, statistics, top, rng.fold(_OTHER))
        z, outs = zip(*steps)
        return self.output.draw(outs[-1], rng.fold(_DATA), params.own), z[::-1]

    def forward(self, params, given):
        """What has the gradient, up to its sign, for each row; updated statistics."""
        x = listed(self.output.inputs(given.v, self.share))
        how = {"rng": given.rng.fold(_DROP), "train": True}
        own = params.model, given.kept.model, x, _source(given.noise)
        found = self.relaxed.through(*own, **how)
        log_p = -nll(found.out, params.model.own, given.v, self.output), *found.log_p
        kept = given.kept._replace(model=found.statistics)
        n, share = len(given.v), given.v.dtype.type(1 / self.n_each)
        terms = log_p, found.log_q
        if self.weigh is not None:
            total = _by_row(_weighed(*terms, self.weigh(*_values(*terms, n))), n)
        elif self.recipe.objective in SCORED:
            total, kept = self._scored(params, kept, x, found.z, terms, n)
        elif self.recipe.objective in RELAXED:
            total = _by_row((sum(log_p) - sum(found.log_q)) * share, n)
        else:
            total = _by_row(sum(log_p) * share, n)
            for part in self._antithetic(given, x, found, _values(*terms, n), n):
                total = total + part
        if self.sleeps:
            own = params.model, given.kept.model, *given.dreams
            total = total + self.log_recognised(*own) * share.dtype.type(self.sleeps)
        return -total, kept

    def losses(self, state, index, rng):
        """Negative importance weighted bound of the rows at an index, in float64."""
        v, net = self.rows.take(index), (state.params.model, state.statistics.model)
        x, streams = listed(self.output.inputs(v, self.share)), range(self.n_each)
        log_w = [self._log_weight(net, v, x, rng.fold(k)) for k in streams]
        return -log_mean_exp(np.stack(log_w, axis=1).astype(np.float64), axis=1)[0]

    def _log_weight(self, net, v, x, rng):
        """Log importance weight of a draw for each row."""
        found = self.hierarchy.through(*net, x, self.hierarchy.noise(rng, 1))
        return -nll(found.out, net[0].own, v, self.output) - found.gap

    def log_recognised(self, params, statistics, v, z):
        """log q(z | x) of given latent units, for each row."""
        x = listed(self.output.inputs(v, self.share))
        source = self.hierarchy.noise_of(z)
        _, log_q, *_ = self.hierarchy.climb(params, statistics, x, source)
        return sum(log_q)

    def _scored(self, params, kept, x, z, terms, n):
        """Score functions times signals, and what nets learn that predict these."""
        recipe, running = self.recipe, kept.signals
        signal = signals(*_values(*terms, n), local=recipe.objective == "nvil")
        after = running.after(signal)
        # Moments of former batches do not depend on these draws.
        now = running if running.n[0] else after
        mean = 0.0 if recipe.baseline == "none" else now.mean
        size = np.maximum(1, np.sqrt(now.variance))
        rest, predicted = (signal - mean) / size, 0.0
        for level, net in enumerate(self.baselines):
            below = z[level - 1] if level else x
            own = params.baselines[level], _STILL, below
            found, _ = net.apply(*own)
            rest[:, :, level] -= getval(found).reshape(n, -1)
            # The gradient of minus half the squared rest.
            slope = rest[:, :, level].reshape(found.shape[0], -1).mean(axis=1)
            slope = slope.astype(found.dtype)
            predicted = predicted + _by_row(found.reshape((-1,)) * slope, n)
        weights = reinforce(rest, 0.0, 1.0 if recipe.normalise_signal else 1 / size)
        total = _by_row(_weighed(*terms, weights), n)
        return total + predicted, kept._replace(signals=after)

    def _antithetic(self, given, x, found, values, n):
        """Log odds times the gradient by them, for each layer."""
        (params, _), local = given.params, signals(*values, local=True)
        for level, stats in enumerate(found.stats):
            noise = list(given.noise)
            noise[level] = 1 - noise[level]
            rng = given.rng.fold(_OTHER, level).generator()
            for above in range(level + 1, len(noise)):
                noise[above] = rng.random(noise[above].shape, noise[above].dtype)
            own = params, given.kept.model, x, _source(noise)
            how = {"rng": given.rng.fold(_DROP), "train": True}
            other = self.hierarchy.through(*own, **how)
            log_p = -nll(other.out, params.own, given.v, self.output), *other.log_p
            alike = signals(*_values(log_p, other.log_q, n), local=True)
            gap = (local - alike)[:, :, level].reshape(-1)
            odds = getval(stats)
            odds = np.repeat(odds, len(gap) // len(odds), axis=0)
            slope = disarm(odds, found.z[level], other.z[level], gap) / self.n_each
            slope = slope.reshape(len(stats), -1, odds.shape[1]).sum(axis=1)
            part = (stats * slope.astype(odds.dtype)).sum(axis=1)
            yield _by_row(part, n)


def draws_of(recipe):
    """Number of draws for each row in training."""
    several = recipe.objective in ("rws", "vimco")
    return recipe.n_importance or (_WEIGHTED if several else 1)


def _source(noise):
    return lambda level, stats: noise[level]


def _values(log_p, log_q, n):
    """Values of log probabilities, of shape (n_rows, n_draws, n_terms), float64."""
    return [
        np.stack([getval(part).reshape(n, -1) for part in parts], axis=2).astype(float)
        for parts in (log_p, log_q)
    ]


def _weighed(log_p, log_q, weights):
    """Weighted sum of log probabilities, for each draw."""
    dtype = getval(log_p[0]).dtype
    of_p, of_q = (part.astype(dtype) for part in weights)
    total = sum(log_p) * of_p.reshape(-1)
    for level, part in enumerate(log_q if of_q.any() else ()):
        total = total + part * of_q[:, :, level].reshape(-1)
    return total


def _by_row(terms, n):
    """Sum over the draws of each row."""
    each = len(getval(terms)) // n
    if each == 1:
        return terms
    return row_mean(terms.reshape((n, each))) * getval(terms).dtype.type(each)
