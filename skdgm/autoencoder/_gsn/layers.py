r"""Hidden layers of generative stochastic networks, each given its neighbors.

.. math:: h_k = f(W_k^\top h_{k-1} + b_k + V_{k+1} h_{k+1} + c_k + \epsilon_k)
   + \epsilon'_k, \qquad h_0 = \tilde x

A step computes odd layers given even layers, then even layers and outputs given odd
layers.
"""

from typing import Any

from skdgm.autoencoder._coder import whole
from skdgm.nets import activate, dense, lists_if_sparse
from skdgm.utils.counts import per_layer

_BEFORE, _AFTER = 150, 151


class ChainLayers:
    """Hidden layers of a chain, as functions of the parameters of a ``coder``.
    ``noise_before`` and ``noise_after`` are standard deviations of noise before and
    after the ``activation``, of all layers or of each layer. Methods that return a
    single code or reconstruction run ``n_steps`` steps."""

    def __init__(self, coder, n_layers, options, n_steps):
        self.init, self.n_steps = coder.init, n_steps
        self.activation = options.activation
        self.noise = (
            per_layer("noise_before", options.noise_before, n_layers),
            per_layer("noise_after", options.noise_after, n_layers),
        )

    def advance(self, params, x, hidden, rng=None):
        """Outputs and hidden layers after a step, from inputs x and the previous hidden
        layers, () at first; without noise if ``rng`` is None."""
        params = whole(params)
        up, down = params.encoder, params.decoder[::-1]
        # Layers without inputs so far are None.
        h = [lists_if_sparse(x), *(hidden or (None,) * len(up)), None]
        for start in 1, 2:
            for k in range(start, len(up) + 1, 2):
                if h[k - 1] is None:
                    continue
                z = _linear(h[k - 1], up[k - 1])
                if h[k + 1] is not None:
                    z = z + _linear(h[k + 1], down[k])
                h[k] = self._active(z, k - 1, rng)
        return _linear(h[1], down[0]), tuple(h[1:-1])

    def _active(self, z, number, rng):
        """Apply noise and activation to the layer ``number``, counted from 0."""

        def noisy(x, sizes, tag):
            if rng is None or not sizes[number]:
                return x
            real = x.dtype.type
            noise = rng.fold(tag, number).normal(x.shape[1], real)
            return x + real(sizes[number]) * noise

        before, after = self.noise
        h = activate(noisy(z, before, _BEFORE), self.activation)
        return noisy(h, after, _AFTER)

    def encode(self, net, x):
        """First hidden layer after noise-free steps with clamped inputs x."""
        hidden: Any = ()
        for _ in range(self.n_steps):
            _, hidden = self.advance(net.params, x, hidden)
        return hidden[0]

    def decode(self, net, h):
        """Outputs given the first hidden layer h."""
        return _linear(lists_if_sparse(h), whole(net.params).decoder[-1])

    def rebuilt(self, net, x):
        """Reconstruction of inputs x, as outputs."""
        return self.decode(net, self.encode(net, x))


def _linear(x, layer):
    return dense(x, layer.W, layer.b, "identity")
