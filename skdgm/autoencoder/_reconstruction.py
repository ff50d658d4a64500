r"""Objective of autoencoders: reconstruct rows, perhaps from corrupted copies.

.. math:: \mathcal{L} = \mathbb{E}_{\tilde x \sim C(\tilde x \mid x)}
   [\log p(x \mid \tilde x)] - \lambda \, \Omega(\tilde x)

The penalties :math:`\Omega` are the L1 norm of codes and the squared norm of their
Jacobian. With walkback, rows are also reconstructed from the states of a chain of
corruption and reconstruction that starts from them [1]_.

References
----------
.. [1] Bengio, Yao, Alain and Vincent (2013). Generalized denoising auto-encoders as
   generative models. NeurIPS.
"""

from functools import partial

import numpy as np

from skdgm.autoencoder._chain import CorruptionChain
from skdgm.autoencoder._corruption import BatchStreams
from skdgm.data.reach import limits
from skdgm.nets import NetObjective, Variables, layers_of, nll, row_mean
from skdgm.nets.codes import absolute, squared_along, squared_slopes
from skdgm.utils import addresses

_ALONG = addresses.HIDDEN_NOISE


class Reconstruction(NetObjective):
    """Log-likelihood of rows given their reconstructions, minus penalties. ``coder``
    has the nets, ``corrupt(v, rng)`` returns inputs for rows, and ``output`` is the
    distribution of rows given outputs."""

    quantity = "log-likelihood of reconstructions"

    def __init__(self, run, *, coder, corrupt, domain, columns, output):
        super().__init__(run, domain.loss_of_independent(columns))
        self.coder, self.corrupt, self.output = coder, corrupt, output
        self.limit = limits(columns)
        # Losses without corruption are deterministic.
        self.max_held_out_draws = 1 if self.options.n_draws is None else 32

    def init(self, rng):
        """Initial parameters, with outputs close to the means of columns, and
        statistics."""
        dtype, output = self.rows.dtype, self.output
        return self.coder.init(
            rng,
            output.start(self.corrupt.share),
            output.initial_parameters(dtype),
            dtype,
        )

    def prepare(self, state, batch, clock):
        """Rows, running statistics, inputs, and random streams for directions."""
        v, rng = self.values(batch), self.stream(clock)
        x = self.corrupt(v, BatchStreams(rng, len(v)))
        x = self.walked(state, v, x, rng.rows(len(v)))
        return v, state.statistics, x, BatchStreams(rng.fold(_ALONG), len(x))

    def chain(self, net, clamped=None):
        """Chain of corruption and reconstruction for the variables of a net."""
        return CorruptionChain(
            partial(self.advance, net),
            self.corrupt,
            output=self.output,
            dispersion=net.params.dispersion,
            clamped=clamped,
            limit=self.limit,
        )

    def advance(self, net, x, hidden, rng):
        """Outputs for inputs x, and no hidden layers."""
        return self.coder.rebuilt(net, x), ()

    def values(self, index):
        """Rows at an index."""
        return self.rows.take(index)

    def walked(self, state, v, x, rng):
        """Inputs of all steps of a chain that starts from rows v, corrupted to x;
        inputs of the same row are consecutive."""
        n_steps = self.options.walkback
        if not n_steps:
            return x
        chain = self.chain(Variables(state.params, state.statistics))
        steps = [inputs for inputs, _ in chain.walk(v, x, rng, n_steps + 1)]
        return np.stack(steps, axis=1).reshape(-1, x.shape[1])

    def forward(self, params, prepared):
        v, statistics, x, rng = prepared
        return self.loss(Variables(params, statistics), v, x, rng), statistics

    def losses(self, state, index, rng):
        v, net = self.values(index), Variables(state.learned, state.statistics)
        loss = self.loss(net, v, self.corrupt(v, rng), rng.fold(_ALONG))
        return loss.astype(np.float64)

    def loss(self, net, v, x, rng):
        """Loss of rows v, given inputs x."""
        code = self.coder.encode(net, x)
        out = self.coder.decode(net, code)
        loss = nll(out, net.params.dispersion, v, self.output)
        sparsity = self.options.sparsity
        if sparsity:
            loss = loss + x.dtype.type(sparsity) * absolute(code)
        contraction = self.options.contraction
        if contraction:
            norm = self._jacobian(net, x, code, rng)
            loss = loss + x.dtype.type(contraction) * norm
        n_copies = len(x) // len(v)
        return loss if n_copies == 1 else row_mean(loss.reshape((len(v), n_copies)))

    def _jacobian(self, net, x, code, rng):
        """Squared Frobenius norm of the encoder's Jacobian: exact for one layer,
        otherwise an unbiased estimate along a random direction."""
        if self.coder.single:
            (layer,) = layers_of(net.params.encoder)
            return squared_slopes(code, layer.W, self.coder.activation)
        direction = rng.normal(x.shape[1], x.dtype.type)
        return squared_along(
            self.coder.encoder, net.params.encoder, net.statistics[0], x, direction
        )
