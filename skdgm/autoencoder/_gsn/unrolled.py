r"""Objective and density of chains with hidden layers.

.. math:: \mathcal{L} = \frac1n \sum_{t=1}^n \mathbb{E} [\log p(x \mid h^{(t)})]

The sum is over the hidden layers after each of n steps of a chain that starts from x.
Gradients are back-propagated through hidden layers, but not through drawn rows [1]_.

References
----------
.. [1] Bengio, Thibodeau-Laufer, Alain and Yosinski (2014). Deep generative stochastic
   networks trainable by backprop. ICML.
"""

from skdgm.autoencoder._reconstruction import Reconstruction
from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.nets import layers_of, nll
from skdgm.utils.tree import astype


class Unrolled(Reconstruction):
    """Log-likelihood of rows given the steps of a chain that starts from them."""

    def advance(self, net, x, hidden, rng):
        """Outputs and hidden layers after a step."""
        return self.coder.advance(net.params, x, hidden, rng)

    def walked(self, state, v, x, rng):
        """Inputs of the first step; later inputs depend on the parameters."""
        return x

    def loss(self, net, v, x, rng):
        """Mean loss of the steps, for each row."""
        total_loss, n_steps = 0.0, self.coder.n_steps
        for _, out in self.chain(net, self.clamped_values(v)).walk(v, x, rng, n_steps):
            total_loss = total_loss + nll(out, net.params.dispersion, v, self.output)
        return total_loss * x.dtype.type(1 / n_steps)

    def clamped_values(self, v):
        """Clamped values of a chain; None if nothing is clamped."""
        return None


class UnrolledDensity(ReconstructionDensity):
    """Density of rows given the steps of chains with hidden layers."""

    def advance(self, x, hidden, rng):
        """Outputs and hidden layers after a step."""
        return self.coder.advance(astype(self.net.params, x.dtype), x, hidden, rng)

    def log_rebuilt(self, v, x, rng):
        """Mean log-likelihood of rows v over the steps of a chain with first inputs
        x."""
        total_log_p, n_steps = 0.0, self.coder.n_steps
        for _, out in self.chain(None).walk(v, x, rng, n_steps):
            total_log_p = total_log_p - self.output.nll(
                out, v, self.net.params.dispersion
            )
        return total_log_p / n_steps

    @property
    def n_features_out(self):
        return len(next(layers_of(self.net.params.encoder)).b)
