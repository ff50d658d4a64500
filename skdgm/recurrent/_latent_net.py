r"""Recurrent nets with latent units in each step.

.. math:: z_t \sim \mathcal{N}(\mu(h_{t-1}), \sigma^2(h_{t-1})), \qquad
   x_t \sim p(x \mid z_t, h_{t-1}), \qquad
   h_t = f(\phi_x(x_t), \phi_z(z_t), h_{t-1})

with an encoder :math:`q(z_t \mid x_t, h_{t-1})`, and nets of one hidden layer for all
of these functions [1]_.

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
from skdgm.nets.constrained import beside
from skdgm.nets.recurrent import Walk, stacked


class Weights(NamedTuple):
    """Parameters: of inputs and of latent units to the cell; of the nets of prior,
    encoder and decoder, pairs of layers; of the cell, a pair; and of the data's
    distribution those that are no outputs, or ()."""

    seen: Layer
    latent: Layer
    prior: tuple
    encoder: tuple
    decoder: tuple
    cell: tuple
    own: np.ndarray


class Trail(NamedTuple):
    """What a batch has gone through, step after step: statistics of the encoder and of
    the prior, noise, latent units, and outputs for the data, with a row for each row;
    and states at the end, of the sequences that last longest."""

    stats: object
    prior: object
    noise: object
    z: object
    out: object
    state: object

    @property
    def divergence(self):
        """Divergence of the encoder's distribution from the prior, of each row."""
        return divergence_from(self.stats, self.prior)


class LatentNet:
    """Nets of ``n_latent`` units, with ``n_hidden`` units in each hidden layer, of an
    ``activation``; weights are drawn by a ``rule``. ``output`` is the distribution of a
    row, and ``share`` are means of its inputs, which stand for missing entries."""

    def __init__(self, output, share, cell, n_recurrent, n_latent, n_hidden, how):
        self.output, self.share = output, share
        self.n_latent, self.n_hidden = n_latent, n_hidden
        self.walk = Walk(cell, n_recurrent)
        self.activation, self.rule = how
        self.n_states = n_recurrent * self.walk.cell.n_states
        self.n_inputs = int(output.n_inputs.sum())
        self.n_outputs = int(output.n_outputs.sum())
        gates = n_recurrent * self.walk.cell.n_gates
        self.width = max(gates, n_hidden + n_recurrent, self.n_inputs, self.n_outputs)

    def n_weights(self):
        """Number of weights."""
        n, h, z = self.walk.n_units, self.n_hidden, self.n_latent
        own = (self.n_inputs + z) * h + (n + n + h + n + h) * h + 4 * z * h
        return own + h * self.n_outputs + (2 * h + n) * n * self.walk.cell.n_gates

    def init(self, rng, dtype):
        """Draw initial parameters, whose outputs are the means of columns."""
        n, h, z = self.walk.n_units, self.n_hidden, self.n_latent

        def layer(n_below, n_above):
            W = initial(self.rule, rng, n_below, n_above).astype(dtype)
            return Layer(W, np.zeros(n_above, dtype))

        def net(n_below, n_above):
            return layer(n_below, h), layer(h, n_above)

        found = Weights(
            *(layer(self.n_inputs, h), layer(z, h)),
            *(net(n, 2 * z), net(h + n, 2 * z), net(h + n, self.n_outputs)),
            self.walk.init(self.rule, rng, 2 * h, dtype),
            self.output.own(dtype),
        )
        for pair in found.prior, found.encoder:
            pair[1].W[:, z:] = 0
        # At first the prior depends on no state.
        found.prior[1].W[:] = 0
        start = self.output.start(self.share)
        found.decoder[1].b[: len(start)] = start
        return found

    def inputs(self, v):
        """Inputs that represent rows."""
        return self.output.inputs(v, self.share)

    def _through(self, pair, x):
        """Outputs of a net with one hidden layer."""
        return dense(dense(x, *pair[0], self.activation), *pair[1], "identity")

    def prior(self, params, h):
        """Means and log variances of latent units, given units of the state before."""
        return bounded(self._through(params.prior, h))

    def posterior(self, params, seen, h):
        """The same given what was seen of the row, too."""
        return bounded(self._through(params.encoder, beside(seen, h)))

    def seen(self, params, x):
        """What the nets see of inputs."""
        return dense(x, *params.seen, self.activation)

    def told(self, params, z):
        """What the nets see of latent units."""
        return dense(z, *params.latent, self.activation)

    def out(self, params, told, h):
        """Outputs for the data."""
        return self._through(params.decoder, beside(told, h))

    def follow(self, params, state, seen, told):
        """States after a step."""
        return self.walk.step(params.cell, state, beside(seen, told))

    def begin(self, params, n):
        """States of n sequences before their first step."""
        return self.walk.start(params.cell, n)

    def trail(self, params, x, noise, sizes, state):
        """Go through a batch of stretches of inputs x, step by step, with standard
        normal noise, (n_rows, n_latent), from a state: a :class:`Trail`, differentiable
        by the parameters."""
        units, stats, drawn, told, first = [], [], [], [], 0
        for size in sizes:
            if size < len(state):
                state = pick(state, np.arange(size), 0)
            part = slice(first, first + size)
            h, seen = self.walk.units(state), self.seen(params, x[part])
            stats.append(self.posterior(params, seen, h))
            drawn.append(draw(stats[-1], noise[part]))
            told.append(self.told(params, drawn[-1]))
            units.append(h)
            state, first = self.follow(params, state, seen, told[-1]), first + size
        h, told = stacked(*units), stacked(*told)
        prior, out = self.prior(params, h), self.out(params, told, h)
        return Trail(stacked(*stats), prior, noise, stacked(*drawn), out, state)

    def gap(self, stats, prior, noise, z):
        """log q(z | x, h) - log p(z | h) of draws, (n_rows,)."""
        return log_drawn(stats, noise) - log_normal(z, prior)
