r"""Training and particle filters of recurrent nets with latent units.

The training objective is by default the evidence lower bound [1]_

.. math:: \log p(x_1, \dots, x_T) \ge \mathbb{E}_q \sum_t \log p(x_t \mid z_t, h_{t-1})
   - \mathrm{KL}(q(z_t \mid x_t, h_{t-1}) \,\|\, p(z_t \mid h_{t-1}))

Scores are estimates of a particle filter with the encoder as the proposal,

.. math:: \log \hat p(x_t \mid x_{<t}) = \log \sum_k W_{t-1}^k w_t^k, \qquad
   w_t^k = \frac{p(x_t, z_t^k \mid h_{t-1}^k)}{q(z_t^k \mid x_t, h_{t-1}^k)}

Their products over steps are unbiased estimates of likelihoods, so their logs are lower
bounds in expectation [2]_. Particles are resampled by their weights W if the effective
sample size is small; without resampling this is importance sampling.

References
----------
.. [1] Chung, Kastner, Dinh, Goel, Courville and Bengio (2015). A recurrent latent
   variable model for sequential data. NeurIPS.
.. [2] Maddison, Lawson, Tucker, Heess, Norouzi, Mnih, Doucet and Teh (2017). Filtering
   variational objectives. NeurIPS.
"""

from copy import copy
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from skdgm.base import of_rows
from skdgm.data import gaps
from skdgm.latent.density import Elbo
from skdgm.nets import draw, nll
from skdgm.nets.tape import getval
from skdgm.recurrent._density import SequenceDensity
from skdgm.recurrent._objective import SequenceObjective
from skdgm.recurrent._particle_bound import ParticleBound, ParticleNoise, ancestors_of
from skdgm.utils import addresses
from skdgm.utils.random import standard_normal
from skdgm.utils.tree import astype, leaves

# Random streams.
_NOISE, _RESAMPLE, _CHOICE, _DATA, _GRAY = addresses.LATENT_STEPS
# Default number of particles of bounds with weighted particles.
_N_WEIGHTED = 5


class StepParticles(NamedTuple):
    """Particles of the rows of a step: normalized log weights, (n_rows, n_particles);
    log-likelihoods of rows, (n_rows,); log p(x | z) and log q(z) - log p(z) of each
    particle; and decoder outputs, one row per particle."""

    log_w: np.ndarray
    gain: np.ndarray
    log_p: np.ndarray
    kl: np.ndarray
    out: np.ndarray


class LatentSequenceDensity(SequenceDensity):
    """Density of sequences by particles of latent units.

    It has a :class:`~skdgm.recurrent._latent_net.LatentNet`, its parameters, and the
    number of particles ``n_draws``. The state of a sequence contains the states and log
    weights of its particles. A ``blind`` density draws particles from the prior.
    """

    warns_of_gray = False

    def __init__(self, context, *, sequence_length, net, params, n_draws):
        super().__init__(context, sequence_length=sequence_length)
        self.net, self.params, self.n_draws = net, params, n_draws
        self.resample, self.blind = True, False

    @property
    def capabilities(self):
        """Lower bounds, in expectation."""
        bounds = of_rows("lower bound", gray="lower bound")
        return {
            "log_prob": bounds,
            "features": of_rows("estimate"),
            "sample": {"unconditional": "exact"},
            "fill": {"missing": "estimate", "future": "estimate"},
        }

    @property
    def width(self):
        """Number of units of the widest layer, over all particles."""
        return self.net.width * self.n_draws

    @property
    def n_features_out(self):
        return self.net.walk.n_units

    def begin(self, n):
        """Initial states and log weights of all particles."""
        single, k = self.net.begin(self.params, 1), self.n_draws
        state = np.append(np.tile(single[0], k), np.full(k, -np.log(k)))
        return np.tile(state.astype(single.dtype), (n, 1))

    def _steps(self, v, batch, rng, state, fed=None):
        """Yield, for each step, the slice of its rows, its particles, and their new
        states; ``state`` changes in place. ``fed(v, particles, rng, part)`` returns
        imputed rows, and the number of the particle that drew each. All particles of an
        imputed row become copies of this one."""
        net, params, first = self.net, astype(self.params, v.dtype), 0
        n_states = net.n_states
        for size in batch.sizes:
            part, current = slice(first, first + size), state[:size].astype(v.dtype)
            k = current.shape[1] // (n_states + 1)
            before, log_w = current[:, : k * n_states], current[:, k * n_states :]
            before = before.reshape(size * k, n_states)
            rows, streams = v[part], rng.take(part)
            if self.resample and k > 1:
                before, log_w = _resampled(before, log_w, streams.fold(_RESAMPLE))
            h, seen = net.walk.units(before), net.seen(params, net.inputs(rows))
            seen = np.repeat(seen, k, axis=0)
            stats, prior = net.posterior(params, seen, h), net.prior(params, h)
            # The proposal of rows without known entries is the prior.
            by_prior = np.repeat(np.isnan(rows).all(axis=1) | self.blind, k)
            stats = np.where(by_prior[:, None], prior, stats)
            noise = streams.fold(_NOISE).normal(k * net.n_latent, v.dtype.type)
            noise = noise.reshape(size * k, net.n_latent)
            z = draw(stats, noise)
            latent = net.latent_features(params, z)
            out = net.out(params, latent, h)
            log_p = -net.output.nll(out, rows, params.dispersion)
            kl = net.gap(stats, prior, noise, z)
            total = log_w + (log_p - kl).reshape(size, k).astype(np.float64)
            gain = logsumexp(total, axis=1)
            particles = StepParticles(
                total - gain[:, None],
                gain,
                log_p=log_p.reshape(size, k),
                kl=kl.reshape(size, k),
                out=out,
            )
            log_w = particles.log_w
            if fed is not None:
                filled, chosen = fed(rows, particles, streams, part)
                seen = np.repeat(net.seen(params, net.inputs(filled)), k, axis=0)
                imputed = np.isnan(rows).any(axis=1)[:, None]
                index = np.where(imputed, chosen[:, None], np.arange(k))
                index = (index + k * np.arange(size)[:, None]).ravel()
                before, latent = before[index], latent[index]
                log_w = np.where(imputed, -np.log(k), log_w)
            after = net.follow(params, before, seen, latent)
            state[:size, : k * n_states] = after.reshape(size, -1)
            state[:size, k * n_states :] = log_w
            yield part, particles, after
            first += size

    def scored(self, v, batch, rng, state):
        gain = np.empty(len(v))
        for part, particles, _ in self._steps(v, batch, rng, state):
            gain[part] = particles.gain
        return gain, state

    def bounds(self, v, batch, rng, state):
        """Reconstruction and divergence of each row, averaged over particles, (n_rows,
        2)."""
        terms = np.empty((len(v), 2))
        for part, particles, _ in self._steps(v, batch, rng, state):
            terms[part, 0] = particles.log_p.mean(axis=1)
            terms[part, 1] = particles.kl.mean(axis=1)
        return terms, state

    def hidden(self, v, batch, rng, state):
        """Weighted mean over particles of the cell's units after each row."""
        means = np.empty((len(v), self.n_features_out), v.dtype)
        for part, particles, after in self._steps(v, batch, rng, state):
            k = particles.log_w.shape[1]
            units = self.net.walk.units(after).reshape(-1, k, self.n_features_out)
            w = np.exp(particles.log_w).astype(v.dtype)
            means[part] = (w[:, :, None] * units).sum(axis=1)
        return means, state

    def filled(self, v, batch, rng, state, method):
        """Rows imputed step by step, conditional on previous draws, and states."""
        means = method == "mean"
        _, filled, expected, state = self.completed(v, batch, rng, state, means)
        if means:
            filled = np.where(np.isnan(v), self.net.output.value(expected), v)
        return filled, state

    def completed(self, v, batch, rng, state, means):
        """Log-likelihoods of rows given the previous rows, rows with drawn missing
        entries, expected inputs if ``means`` (else None), and states."""
        output, gain, filled = self.net.output, np.empty(len(v)), v.copy()
        expected = np.empty((len(v), self.net.n_inputs), v.dtype) if means else None

        def fed(rows, particles, streams, part):
            log_w, out = particles.log_w, particles.out
            k = log_w.shape[1]
            if means:
                w = np.exp(log_w).astype(rows.dtype)
                mean = output.expected(out).reshape(len(rows), k, -1)
                expected[part] = (w[:, :, None] * mean).sum(axis=1)
            chosen = (log_w + streams.fold(_CHOICE).gumbel(k)).argmax(axis=1)
            params = astype(self.params.dispersion, rows.dtype)
            of_chosen = out[np.arange(len(rows)) * k + chosen]
            value = output.draw(of_chosen, streams.fold(_DATA), params)
            filled[part] = np.where(np.isnan(rows), value, rows)
            return filled[part], chosen

        for part, particles, _ in self._steps(v, batch, rng, state, fed):
            gain[part] = particles.gain
        return gain, filled, expected, state

    @property
    def particles(self):
        return LatentParticles(self)

    @property
    def n_particles(self):
        """Number of particles of each sequence."""
        return self.n_draws

    def drawn(self, state, rng):
        """Draw the next row of each sequence; return rows and the state of one
        particle."""
        net, params, n_states = self.net, self.params, self.net.n_states
        dtype = leaves(params)[0].dtype
        k = state.shape[1] // (n_states + 1)
        log_w, rows = state[:, k * n_states :], np.arange(len(state))
        before = state[:, : k * n_states].reshape(len(state), k, n_states)
        chosen = (log_w + rng.fold(_CHOICE).gumbel(k)).argmax(axis=1)
        before = before[rows, chosen].astype(dtype)
        h = net.walk.units(before)
        noise = rng.fold(_NOISE).normal(net.n_latent, dtype.type)
        latent = net.latent_features(params, draw(net.prior(params, h), noise))
        out = net.out(params, latent, h)
        v = net.output.draw(out, rng.fold(_DATA), params.dispersion)
        after = net.follow(params, before, net.seen(params, net.inputs(v)), latent)
        return v, np.append(after, np.zeros((len(state), 1), dtype), axis=1)

    def drawn_given(self, v, state, rng):
        k = state.shape[1] // (self.net.n_states + 1)
        if k < self.n_draws:
            repeated = np.repeat(state[:, : self.net.n_states], self.n_draws, axis=0)
            log_w = np.full((len(v), self.n_draws), -np.log(self.n_draws))
            state = np.append(repeated.reshape(len(v), -1), log_w, axis=1)
            state = state.astype(v.dtype)
        batch = SimpleNamespace(sizes=[len(v)])
        model = self.with_particles(self.n_draws, True)
        # The encoder's variance may be too small.
        model.blind = True
        _, v, _, state = model.completed(v, batch, rng, state.copy(), False)
        return v, state

    def with_particles(self, n_draws, resample):
        """Copy with another number of particles, with or without resampling."""
        density = copy(self)
        density.n_draws, density.resample, density.blind = n_draws, resample, False
        return density

    def elbo(self, X, lengths=None):
        """Evidence lower bound of each step."""
        rows, terms = self._of_rows(X, lengths, self.bounds)
        reconstruction, kl = terms.T.copy()
        reconstruction += self.domain.log_volume(self.columns, rows)
        return Elbo(reconstruction - kl, reconstruction, kl)


def _resampled(states, log_w, rng):
    """Resample particles systematically in rows with a small effective sample size;
    return states and log weights."""
    few, ancestors = ancestors_of(log_w, lambda few: rng.take(few).uniform(1))
    if few.size:
        log_w = log_w.copy()
        log_w[few] = -np.log(log_w.shape[1])
    return states[ancestors.ravel()], log_w


class LatentParticles(gaps.SeriesModel):
    """Independent particles of latent units, each with its own sequence."""

    deterministic_state = False

    def __init__(self, density):
        self.density = density.with_particles(1, False)

    def begin(self, n):
        """Initial states and log weights, which remain 0."""
        return self.density.begin(n)

    def advance(self, state, v, needs_log_p, rng, means):
        batch = SimpleNamespace(sizes=[len(v)])
        return self.density.completed(v, batch, rng, state.copy(), means)

    def encoded(self, v):
        return self.density.net.inputs(v)

    def decoded(self, mean):
        return self.density.net.output.value(mean)


class LatentSequenceObjective(SequenceObjective):
    """Negative bound of steps, given the previous states: the evidence lower bound, or
    a :class:`~skdgm.recurrent._particle_bound.ParticleBound`."""

    quantity, max_held_out_draws = "bound", 8

    def __init__(self, run, independent_loss, *, net):
        super().__init__(run, independent_loss, net=net)
        kind, weighted = self.options.objective, self.options.objective != "elbo"
        self.n_each = self.options.n_importance or (_N_WEIGHTED if weighted else 1)
        # A single draw has exact divergences and a shorter tape.
        is_single = not weighted and self.n_each == 1
        self.particles = None if is_single else ParticleBound(kind, self.n_each)

    def prepare(self, state, batch, clock):
        v, rng = self.rows.rows.take(batch.index), self.stream(clock)
        if self.options.resample:
            v = self.net.output.resampled(v, rng.fold(_GRAY).rows(len(v)))
        shape = len(v) * self.n_each, self.net.n_latent
        noise = standard_normal(rng.fold(_NOISE).generator(), shape, v.dtype)
        if self.particles is not None:
            uniform = rng.fold(_RESAMPLE).generator().random((len(v), 1))
            noise = ParticleNoise(noise, uniform.astype(v.dtype))
        return v, batch, noise, self.beta(clock)

    def beta(self, clock):
        """Weight of the divergence, which increases linearly from 0 in the warm-up."""
        if not self.options.warm_up:
            return 1.0
        n_epochs = self.epochs_before + clock.epochs_done
        return min(1.0, n_epochs / self.options.warm_up)

    def forward(self, params, prepared):
        v, batch, noise, beta = prepared
        carried = self.carried if batch.begin else None
        losses, self.carried = self._losses(
            params, v, batch.sizes, noise, carried, beta
        )
        return losses, ()

    def _losses(self, params, v, sizes, noise, carried, beta):
        """Losses of rows, and states after them."""
        net = self.net
        if self.particles is not None:
            return self.particles.losses(net, params, v, sizes, noise, carried, beta)
        state = net.begin(params, sizes[0]) if carried is None else carried
        trail = net.trail(params, net.inputs(v), noise, sizes, state)
        kl = trail.divergence
        kl = kl if beta == 1 else getval(kl).dtype.type(beta) * kl
        losses = nll(trail.out, params.dispersion, v, net.output) + kl
        return losses, getval(trail.state)

    def watched(self, params, batch, streams, states, some):
        v = self.rows.rows.take(batch.index)
        n_noise = self.n_each * self.net.n_latent
        noise = streams.fold(_NOISE).normal(n_noise, v.dtype.type)
        noise = noise.reshape(-1, self.net.n_latent)
        if self.particles is not None:
            uniform = streams.fold(_RESAMPLE).uniform(1, v.dtype.type)
            noise = ParticleNoise(noise, uniform)
        losses, states = self._losses(params, v, batch.sizes, noise, states, 1.0)
        return losses[some], states
