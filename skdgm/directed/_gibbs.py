r"""Monte Carlo EM: a Markov chain over the hidden bits of each row [1]_.

.. math:: z_{lj} \sim p(z_{lj} \mid x, z_{-lj}), \qquad
   \log \frac{p(z_{lj} = 1 \mid \cdot)}{p(z_{lj} = 0 \mid \cdot)} = a_{lj} +
   \log \frac{p(z_{l-1} \mid z_l, z_{lj} = 1)}{p(z_{l-1} \mid z_l, z_{lj} = 0)}

Here :math:`a_{lj}` are the log odds given the layer above. The state of a row's chain
persists between updates, keyed by the row's content. The model is trained by
:math:`\nabla \log p(x, z)`, and the inference net by :math:`\nabla \log q(z \mid x)`.

References
----------
.. [1] Neal (1992). Connectionist learning of belief networks. Artificial Intelligence.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from skdgm._kernels.graphs import belief_gibbs as kernels
from skdgm.directed._method import NOISE, OTHER, SamplingMethod, affine, fields
from skdgm.gradients.stochastic.draws import DrawWeights
from skdgm.nets import Variables
from skdgm.utils.rows import row_hash
from skdgm.utils.threading.parallel import run

# Placeholder for the bits of a chain that has not started.
_UNKNOWN = 2
# Cost of a pair of parent and child, in multiply-adds.
_WORK = 10
# Minimum number of draws from q for losses: EM does not maximize the bound, which with
# one draw can be below the likelihood of independent columns for a good model.
_LOSS_DRAWS = 10


class BeliefChains(NamedTuple):
    """States of the chains of training rows: content hashes, (n_rows,), and bits of all
    layers, (n_rows, n_chains, n_hidden), uint8."""

    hashes: np.ndarray
    z: np.ndarray


class GibbsEM(SamplingMethod):
    """Monte Carlo EM with persistent Gibbs chains."""

    of_rows = True

    def __init__(self, net, options):
        super().__init__(net, options)
        self.n_loss_draws = max(_LOSS_DRAWS, self.n_each)

    def resume(self, state, rows):
        """Chains of rows; chains of known rows continue."""
        hashes, n = row_hash(rows), sum(self.net.hierarchy.n_latent)
        z = np.full((len(hashes), self.n_each, n), _UNKNOWN, np.uint8)
        if not isinstance(state, BeliefChains):
            return BeliefChains(hashes, z)
        if state.z.shape == z.shape and np.array_equal(state.hashes, hashes):
            return state
        if state.z.shape[1:] == z.shape[1:] and len(state.z):
            order = np.argsort(state.hashes, kind="stable")
            earlier = np.searchsorted(state.hashes[order], hashes)
            earlier = order[earlier.clip(max=len(order) - 1)]
            same = state.hashes[earlier] == hashes
            z[same] = state.z[earlier[same]]
        return BeliefChains(hashes, z)

    def noise(self, state, batch, v, rng):
        """Noise that reproduces the bits of the chains, which take ``n_steps`` steps in
        place."""
        model, hierarchy = state.params.model, self.net.hierarchy
        states, ends = state.statistics.method.z, np.cumsum(hierarchy.n_latent)[:-1]
        bits = states[batch].reshape(len(v) * self.n_each, -1)
        is_new = bits[:, :1] == _UNKNOWN
        if self.options.resample:
            is_new[:] = True
        z = [part.astype(v.dtype) for part in np.split(bits, ends, axis=1)]
        net = Variables(model, state.statistics.model)
        chain = GibbsChain(self.net, net, v, self.n_each)
        if is_new.any():
            drawn = chain.init(super().noise(state, batch, v, rng))
            z = [np.where(is_new, a, b) for a, b in zip(drawn, z)]
        z = [np.ascontiguousarray(part) for part in z]
        generator = rng.fold(OTHER, NOISE).generator()
        for _ in range(self.options.n_steps):
            z, _ = chain.step(generator, z)
        states[batch] = np.concatenate(z, axis=1).reshape(len(batch), self.n_each, -1)
        return [hierarchy.noise_of(z)(level, None) for level in range(len(z))]

    def of_draws(self, params, batch, draws):
        shape = draws.n, self.n_each, len(draws.log_q)
        share = np.full(shape, 1 / self.n_each)
        return draws.weighed(DrawWeights(share[:, :, 0], share)), batch.kept.method


class GibbsChain:
    """Gibbs sampler of the hidden bits of rows v, with ``n_each`` chains per row."""

    def __init__(self, net, variables, v, n_each):
        self.net, self.variables, self.rows = net, variables, v
        self.params, self.n_each = variables.params, n_each
        self.v = v if n_each == 1 else np.repeat(v, n_each, axis=0)

    def init(self, noise):
        """Bits of each layer, drawn by the inference net from noise of each layer."""
        x = self.net.inputs(self.rows)
        infer = self.net.hierarchy.infer
        return infer(self.variables, x, lambda level, _: noise[level]).z

    def step(self, generator, z):
        """Draw each bit of all layers z given the other bits, in place; z are
        C-contiguous arrays of shape (n_rows * n_each, n_units)."""
        model = self.params
        for level, bits in enumerate(z):
            noise = generator.random(bits.shape, bits.dtype)
            field = fields(model, z, level)
            layer = affine(model, level)
            if level or self.net.output.kind == "bernoulli":
                t = z[level - 1] if level else np.ascontiguousarray(self.v)
                work = _WORK * len(bits) * layer.W.size
                run(kernels.sweep, bits, t, field, layer, noise, n=len(bits), work=work)
            else:
                self._step_lowest(bits, field, noise)
        return z, ()

    def _step_lowest(self, z, field, noise):
        """Draw the lowest layer above columns of any type."""
        (W, b), output = affine(self.params, 0), self.net.output
        out, dispersion = z @ W + b, self.params.dispersion
        loss = output.nll(out, self.v, dispersion)
        for j, weights in enumerate(W):
            sign = 1 - 2 * z[:, j]
            other = out + sign[:, None] * weights
            other_loss = output.nll(other, self.v, dispersion)
            flips = noise[:, j] < expit(sign * field[:, j] + loss - other_loss)
            loss = np.where(flips, other_loss, loss)
            out = np.where(flips[:, None], other, out)
            z[:, j] = np.where(flips, 1 - z[:, j], z[:, j])
