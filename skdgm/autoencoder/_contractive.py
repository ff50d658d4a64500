r"""Chains of contractive autoencoders: steps along the manifold that codes stay on.

.. math:: h = f(x), \qquad \tilde h = h + \sigma J J^\top \epsilon, \qquad
   J = \frac{\partial h}{\partial x}, \quad \epsilon \sim \mathcal{N}(0, I), \qquad
   x' \sim p(x \mid g(\tilde h))

A code changes along the directions in which rows differ, and hardly in others, and so
does its noise [1]_.

References
----------
.. [1] Rifai, Bengio, Dauphin and Vincent (2012). A generative process for sampling
   contractive auto-encoders. ICML.
"""

from functools import partial

from skdgm.autoencoder._model_options import ReconstructionOptions
from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.nets import vjp
from skdgm.utils.tree import astype


class ContractiveDensity(ReconstructionDensity):
    """Rows given their reconstructions, with noise of size ``code_noise()`` in the
    codes of chains that are not clamped."""

    code_noise = staticmethod(float)

    def chain(self, start, clamped=None):
        """Chain as of all autoencoders; if nothing is clamped, with noise in codes."""
        chain = super().chain(start, clamped)
        if clamped is None and self.code_noise():
            chain.advance = self.moved
        return chain

    def moved(self, x, hidden, rng):
        """Outputs for inputs, whose codes have noise."""
        net, real = astype(self.net, x.dtype), x.dtype.type
        noise = real(self.code_noise()) * rng.normal(self.n_features_out, real)
        h, along = vjp(partial(self.coder.encode, net), x, lambda _: noise)
        _, step = self.coder.encoder.tangent(
            net.params.encoder, net.statistics[0], x, along
        )
        return self.coder.decode(net, h + step), ()


class ContractiveModel(ReconstructionModel[ReconstructionOptions]):
    """An encoder and a decoder, with noise in codes."""

    density_class = ContractiveDensity

    def density(self, facts, state):
        """Density of the fitted parameters, a :class:`ContractiveDensity`."""
        density = super().density(facts, state)
        density.code_noise = partial(facts.now, "code_noise")
        return density
