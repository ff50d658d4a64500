"""Hidden layers and chains of generative stochastic networks, built from options."""

from types import SimpleNamespace

from skdgm.autoencoder._gsn.layers import ChainLayers
from skdgm.autoencoder._gsn.unrolled import Unrolled, UnrolledDensity
from skdgm.autoencoder._model_options import GSNOptionsT
from skdgm.autoencoder._reconstruction_model import ReconstructionModel
from skdgm.utils.counts import check_sizes, per_layer


class GSNModel(ReconstructionModel[GSNOptionsT]):
    """Hidden layers of a chain, each given its neighbors."""

    objective_class, density_class = Unrolled, UnrolledDensity

    def check(self, options):
        super().check(options)
        sizes = check_sizes(options.hidden_layer_sizes)
        for name, noise in (
            ("noise_before", options.noise_before),
            ("noise_after", options.noise_after),
        ):
            for size in per_layer(name, noise, len(sizes)):
                if isinstance(size, bool | str) or not size >= 0:
                    raise ValueError(f"{name} must be at least 0; got {size!r}.")

    def parts(self, facts):
        """Hidden layers, corruption, and distribution of rows given outputs."""
        options, structure = facts.options, facts.structure
        *sizes, top = structure.hidden_layer_sizes
        nets = {"hidden_layer_sizes": tuple(sizes), "n_components": top}
        nets |= {"code_activation": structure.activation}
        as_coder = SimpleNamespace(**vars(structure) | nets)
        coder, corrupt, output = super().parts(facts._replace(structure=as_coder))
        n_steps = 1 + options.walkback
        return ChainLayers(coder, len(sizes) + 1, options, n_steps), corrupt, output
