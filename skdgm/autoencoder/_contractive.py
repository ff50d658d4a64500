r"""Markov chains of contractive autoencoders, with noise along the manifold of codes.

.. math:: h = f(x), \qquad \tilde h = h + \sigma J J^\top \epsilon, \qquad
   J = \frac{\partial h}{\partial x}, \quad \epsilon \sim \mathcal{N}(0, I), \qquad
   x' \sim p(x \mid g(\tilde h))

A code mainly changes along the directions in which rows vary, and so does its noise
[1]_.

References
----------
.. [1] Rifai, Bengio, Dauphin and Vincent (2012). A generative process for sampling
   contractive auto-encoders. ICML.
"""

from functools import partial
from typing import Any

from skdgm.autoencoder._model_options import ReconstructionOptions
from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.nets import vjp
from skdgm.utils.tree import astype


class ContractiveDensity(ReconstructionDensity):
    """Density of rows given their reconstructions. Chains that are not clamped add
    noise of size ``code_noise()`` to codes."""

    code_noise = staticmethod(float)

    def chain(self, start, clamped=None):
        """Chain as of all autoencoders, with noise in codes unless it is clamped."""
        chain = super().chain(start, clamped)
        if clamped is None and self.code_noise():
            chain.advance = self.moved
        return chain

    def moved(self, x, hidden, rng):
        """Outputs for inputs x, with noise in the codes."""
        net, real = astype(self.net, x.dtype), x.dtype.type
        noise = real(self.code_noise()) * rng.normal(self.n_features_out, real)
        h, along = vjp(partial(self.coder.encode, net), x, lambda _: noise)
        _, step = self.coder.encoder.tangent(
            net.params.encoder, net.statistics[0], x, along
        )
        return self.coder.decode(net, h + step), ()


class ContractiveModel(ReconstructionModel[ReconstructionOptions]):
    """Encoder and decoder, with noise in the codes of chains."""

    density_class = ContractiveDensity

    def density(self, facts, state):
        density: Any = super().density(facts, state)
        density.code_noise = partial(facts.current_option, "code_noise")
        return density
