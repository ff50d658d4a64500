r"""Recurrent nets with latent units in each step.

.. math:: z_t \sim \mathcal{N}(\mu(h_{t-1}), \sigma^2(h_{t-1})), \qquad
   x_t \sim p(x \mid z_t, h_{t-1}), \qquad
   h_t = f(\phi_x(x_t), \phi_z(z_t), h_{t-1})

An encoder :math:`q(z_t \mid x_t, h_{t-1})` infers the latent units. All functions are
nets with one hidden layer [1]_.

References
----------
.. [1] Chung, Kastner, Dinh, Goel, Courville and Bengio (2015). A recurrent latent
   variable model for sequential data. NeurIPS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import (
    Layer,
    bounded,
    dense,
    divergence_from,
    draw,
    initial,
    log_drawn,
    log_normal,
    pick,
)
from skdgm.nets.constrained import join_columns
from skdgm.nets.recurrent import Walk, stacked


class LatentParams(NamedTuple):
    """Parameters: feature layers of inputs and of latent units; prior, encoder and
    decoder, each a pair of layers; the cell, a pair; and the dispersion of the data
    distribution, or ()."""

    input_layer: Layer
    latent: Layer
    prior: tuple
    encoder: tuple
    decoder: tuple
    cell: tuple
    dispersion: np.ndarray

    # Names of fields in older files.
    RENAMED = {"own": "dispersion", "seen": "input_layer"}


class Trail(NamedTuple):
    """Results of a batch: statistics of the encoder and of the prior, noise, latent
    units and decoder outputs, each with a row for each row of data; and the final
    states of the longest sequences."""

    stats: object
    prior: object
    noise: object
    z: object
    out: object
    state: object

    @property
    def divergence(self):
        """KL divergence of the encoder's distribution from the prior, for each row."""
        return divergence_from(self.stats, self.prior)


class LatentNet:
    """Nets with the options of a ``structure``; ``init`` is the initialization rule.
    ``output`` is the distribution of a row, and ``share`` are the means of its inputs,
    which replace missing entries."""

    def __init__(self, output, share, structure, init):
        self.output, self.share, self.init_rule = output, share, init
        self.n_latent, self.n_hidden = structure.n_components, structure.n_hidden
        self.activation, n_recurrent = structure.activation, structure.n_recurrent
        self.walk = Walk(structure.cell, n_recurrent)
        self.n_states = n_recurrent * self.walk.cell.n_states
        self.n_inputs = int(output.n_inputs.sum())
        self.n_outputs = int(output.n_outputs.sum())
        n_gates, n_dense = n_recurrent * self.walk.cell.n_gates, self.n_hidden
        n_dense += n_recurrent
        self.width = max(n_gates, n_dense, self.n_inputs, self.n_outputs)

    def n_weights(self):
        """Number of weights."""
        n, h, z = self.walk.n_units, self.n_hidden, self.n_latent
        dense_layers = (self.n_inputs + z) * h + (3 * n + 2 * h) * h + 4 * z * h
        n_cell = (2 * h + n) * n * self.walk.cell.n_gates
        return dense_layers + h * self.n_outputs + n_cell

    def init(self, rng, dtype):
        """Draw initial parameters, whose outputs are the means of columns."""
        n, h, z = self.walk.n_units, self.n_hidden, self.n_latent

        def layer(n_below, n_above):
            W = initial(self.init_rule, rng, n_below, n_above).astype(dtype)
            return Layer(W, np.zeros(n_above, dtype))

        def net(n_below, n_above):
            return layer(n_below, h), layer(h, n_above)

        params = LatentParams(
            input_layer=layer(self.n_inputs, h),
            latent=layer(z, h),
            prior=net(n, 2 * z),
            encoder=net(h + n, 2 * z),
            decoder=net(h + n, self.n_outputs),
            cell=self.walk.init(self.init_rule, rng, 2 * h, dtype),
            dispersion=self.output.initial_parameters(dtype),
        )
        for pair in params.prior, params.encoder:
            pair[1].W[:, z:] = 0
        # The initial prior does not depend on the state.
        params.prior[1].W[:] = 0
        start = self.output.start(self.share)
        params.decoder[1].b[: len(start)] = start
        return params

    def inputs(self, v):
        """Encode rows as inputs."""
        return self.output.inputs(v, self.share)

    def _through(self, pair, x):
        """Outputs of a net with one hidden layer."""
        (W, c), (V, b) = pair
        return dense(dense(x, W, c, self.activation), V, b, "identity")

    def prior(self, params, h):
        """Means and log variances of latent units, given the units of the previous
        state."""
        return bounded(self._through(params.prior, h))

    def posterior(self, params, seen, h):
        """Means and log variances of latent units, given also features of the row."""
        return bounded(self._through(params.encoder, join_columns(seen, h)))

    def seen(self, params, x):
        """Features of inputs."""
        return dense(x, params.input_layer.W, params.input_layer.b, self.activation)

    def latent_features(self, params, z):
        """Features of latent units."""
        return dense(z, params.latent.W, params.latent.b, self.activation)

    def out(self, params, latent, h):
        """Decoder outputs, given features of latent units."""
        return self._through(params.decoder, join_columns(latent, h))

    def follow(self, params, state, seen, latent):
        """States after a step, given features of inputs and of latent units."""
        return self.walk.step(params.cell, state, join_columns(seen, latent))

    def begin(self, params, n):
        """Initial states of n sequences."""
        return self.walk.start(params.cell, n)

    def trail(self, params, x, noise, sizes, state):
        """Process a batch of inputs x step by step from a state, with standard normal
        noise, (n_rows, n_latent): a :class:`Trail`, differentiable in the parameters.
        """
        units, stats, drawn, latent, first = [], [], [], [], 0
        for size in sizes:
            if size < len(state):
                state = pick(state, np.arange(size), 0)
            part = slice(first, first + size)
            h, seen = self.walk.units(state), self.seen(params, x[part])
            stats.append(self.posterior(params, seen, h))
            drawn.append(draw(stats[-1], noise[part]))
            latent.append(self.latent_features(params, drawn[-1]))
            units.append(h)
            state, first = self.follow(params, state, seen, latent[-1]), first + size
        h, latent = stacked(*units), stacked(*latent)
        prior, out = self.prior(params, h), self.out(params, latent, h)
        return Trail(stacked(*stats), prior, noise, stacked(*drawn), out, state)

    def gap(self, stats, prior, noise, z):
        """Log q(z | x, h) - log p(z | h) of draws, (n_rows,)."""
        return log_drawn(stats, noise) - log_normal(z, prior)
