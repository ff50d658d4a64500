"""Spike-and-slab machines: samplers and model."""

import numpy as np
from scipy.linalg import get_lapack_funcs

from skdgm.boltzmann._covariance.model import MovesModel
from skdgm.boltzmann._covariance.moves import Moves
from skdgm.boltzmann._covariance.objective import CovarianceState
from skdgm.boltzmann.model_options import SlabOptions
from skdgm.distributions import Normal
from skdgm.energies.spike_slab import SpikeSlab, SpikeSlabParams
from skdgm.samplers import Info, Sampler, State
from skdgm.utils.math import sigmoid, softplus

_SPIKE, _SLAB, _VISIBLE = range(3)
# Maximum number of columns of rows that are drawn with slabs marginalized.
_MAX_MARGINAL_COLUMNS = 64


class SlabGibbs(Sampler):
    """Gibbs sampling of spikes given rows, slabs given both, and rows given spikes and
    slabs. Rows with few columns are drawn given only the spikes. Such chains also mix
    if a precision given the spikes is nearly zero; given the slabs, rows would hardly
    move. ``clamp`` is a tuple with the mask of the clamped entries, (n_rows,
    n_visible)."""

    def __init__(self, energy, clamp=None):
        super().__init__(energy)
        self.clamp = clamp

    def step(self, rng, params, state, n_steps=1, first=0):
        (v,), visible = state.x, params.visible
        n, k = params.W.shape
        if self.clamp is None and self.energy.enumerable(params):
            return State((self._rows(rng.fold(first), params, v.dtype),)), Info(None)
        slab_deviation = np.exp(-0.5 * params.log_alpha)
        precision = np.exp(visible.log_precision)
        for number in range(first, first + n_steps):
            of_step = rng.fold(number)
            field, slab = self.energy.slabs(params, v)
            h = (of_step.fold(_SPIKE).uniform(k) < sigmoid(field)).astype(v.dtype)
            if n <= _MAX_MARGINAL_COLUMNS:
                v = self._row(of_step.fold(_VISIBLE).normal(n, v.dtype), params, v, h)
                continue
            noise = of_step.fold(_SLAB).normal(k, v.dtype)
            hs = h * (slab + slab_deviation * noise)
            each = precision + h @ params.Phi.T
            drawn = of_step.fold(_VISIBLE).normal(n, v.dtype) / np.sqrt(each)
            drawn += visible.mean + hs @ params.W.T / each
            v = drawn if self.clamp is None else np.where(self.clamp[0], v, drawn)
        return State((v,)), Info(None)

    def _rows(self, rng, params, dtype):
        """Independent rows from the model, by drawing the state of the spikes first."""
        patterns = self.energy.patterns(params)
        edges = np.cumsum(patterns.p[:-1])
        pattern_of_row = np.searchsorted(edges, rng.fold(_SPIKE).uniform(1)[:, 0])
        noise = rng.fold(_VISIBLE).normal(len(params.W), float)
        factor = np.linalg.cholesky(patterns.covariance)[pattern_of_row]
        gap = patterns.mean[pattern_of_row] + np.einsum("rij,rj->ri", factor, noise)
        return (params.visible.mean + gap).astype(dtype)

    def _row(self, noise, params, v, h):
        """Rows given spikes and clamped entries."""
        visible, P = params.visible.mean, self.energy.precisions(params, h)
        pull = (h * params.mu) @ params.W.T
        if self.clamp is not None:
            is_free = (~self.clamp[0]).astype(v.dtype)
            stays = (1 - is_free) * (v - visible)
            pull = is_free * (pull - np.einsum("rij,rj->ri", P, stays))
            P = P * is_free[:, :, None] * is_free[:, None]
            P[:, np.arange(len(visible)), np.arange(len(visible))] += 1 - is_free
        drawn = visible + _drawn(P, pull, noise)
        return drawn if self.clamp is None else np.where(self.clamp[0], v, drawn)


def _drawn(P, pull, noise):
    """Normal rows with precision matrices P and means P^-1 pull. For P = L L^T, the
    noise is multiplied by L^-T. LAPACK is called for each row, since NumPy has no
    triangular solver, and a Cholesky factorization takes half as long in LAPACK."""
    posv, trtrs = get_lapack_funcs(("posv", "trtrs"), (P,))
    drawn = np.empty_like(pull)
    for number, precision in enumerate(P):
        factor, mean, info = posv(precision.T, pull[number], lower=1, overwrite_a=1)
        if info:
            raise np.linalg.LinAlgError("A precision matrix is not positive definite.")
        drawn[number] = mean + trtrs(factor, noise[number], lower=1, trans=1)[0]
    return drawn


class SlabMoves(Moves):
    """Block Gibbs sampling, along a path of machines with smaller weights."""

    def sampler(self, size, guide=None, clamp=None):
        return SlabGibbs(self.energy, clamp)

    def exact(self, params):
        return self.energy.enumerable(params)

    def warmed_up(self, rng, params, state, n_steps):
        return 1.0, self.sampler(1.0).step(rng, params, state, n_steps)[0]

    def at(self, params, beta, size, guide=None, clamp=None):
        """As :meth:`Moves.at`: precisions are interpolated from 1, weights and means
        from 0."""
        visible, scale = params.visible, params.dtype.type(beta)
        precision = (1 - scale) + scale * np.exp(visible.log_precision)
        scaled = params._replace(
            visible=Normal(scale * visible.mean, np.log(precision)),
            W=scale * params.W,
            Phi=scale * params.Phi,
        )
        return self.energy, scaled, self.sampler(size, guide, clamp)

    def log_base(self, params):
        return float(softplus(params.c).sum(dtype=float))


class SlabModel(MovesModel[SlabOptions]):
    """Model of spike-and-slab machines."""

    STRUCTURE = ("n_components",)

    def check(self, options):
        """Accept all values."""

    def moves(self, options, n_visible):
        return SlabMoves(SpikeSlab(n_visible), options.n_steps)

    def sizes(self, structure):
        return {"n_components": structure.n_components}

    def units(self, density):
        return (("", len(density.params.c)),)

    def attributes(self, facts, state):
        _, W, Phi, c, mu, log_alpha = state.params
        return {
            "components_": W.T,
            "component_precisions_": Phi.T,
            "intercept_hidden_": c,
            "slab_means_": mu,
            "slab_precisions_": np.exp(log_alpha),
            "_log_alpha": log_alpha,
            **self.of_rows(facts, state),
        }

    def state(self, facts, attributes):
        params = SpikeSlabParams(
            self.visible(attributes),
            attributes["components_"].T,
            attributes["component_precisions_"].T,
            attributes["intercept_hidden_"],
            attributes["slab_means_"],
            attributes["_log_alpha"],
        )
        optimizer, chains, log_size = attributes["_training"]
        return CovarianceState(params, optimizer, chains, log_size)
