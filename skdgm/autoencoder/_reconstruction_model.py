"""Nets, corruption and densities of autoencoders, built from options."""

from functools import partial
from types import SimpleNamespace

from skdgm.autoencoder._coder import coder_of, whole
from skdgm.autoencoder._corruption import Corruption
from skdgm.autoencoder._model_options import ReconstructionOptionsT
from skdgm.autoencoder._reconstruction import Reconstruction
from skdgm.autoencoder._reconstruction_density import ReconstructionDensity
from skdgm.base import Facts
from skdgm.data import check_pattern
from skdgm.distributions import decoder_output
from skdgm.nets import NetModel, Variables, layers_of
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import check_maps


class ReconstructionModel(NetModel[ReconstructionOptionsT]):
    """Encoder and decoder that reconstruct rows."""

    # Classes of the objective and of the density.
    objective_class, density_class = Reconstruction, ReconstructionDensity

    def check(self, options):
        check_pattern(options)
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")
        check_maps(options)
        kind = options.corruption
        if kind != "gaussian" and options.corruption_level > 1:
            raise ValueError(
                f"corruption_level is {options.corruption_level}, but the probability "
                f"of an entry with corruption={kind!r}: it must be at most 1."
            )
        n_active = options.n_active
        if n_active is not None and n_active > options.n_components:
            raise ValueError(
                f"n_active is {n_active}, more than n_components={options.n_components}"
            )

    def structure(self, facts):
        options = facts.options
        variance = options.variance if isinstance(options.variance, str) else "set"
        return SimpleNamespace(
            n_components=options.n_components,
            hidden_layer_sizes=layer_sizes(options.hidden_layer_sizes),
            activation=options.activation,
            code_activation=options.code_activation,
            tied=options.tied,
            column_types=options.column_types,
            variance=variance,
            architecture=options.architecture,
            conv_layer_sizes=layer_sizes(options.conv_layer_sizes),
            image_shape=options.image_shape,
            n_active=options.n_active,
        )

    def parts(self, facts: Facts) -> tuple:
        """Nets, corruption, and distribution of rows given outputs."""
        output = self.outputs(facts)
        coder = coder_of(facts.structure, output, facts.options.init_weights)
        return coder, self.corruption(facts, output), output

    def outputs(self, facts):
        """Distribution of rows given outputs."""
        return decoder_output(facts.options, facts.columns)

    def corruption(self, facts, output):
        """Corruption of rows."""
        return Corruption(
            facts.options.corruption,
            facts.options.corruption_level,
            output=output,
            share=facts.known.means,
            domain=facts.domain,
            columns=facts.columns,
        )

    def density(self, facts, state):
        coder, corrupt, output = self.parts(facts)
        noisy = facts.options.n_draws is not None
        return self.density_class(
            facts.context,
            coder=coder,
            net=Variables(state.learned, state.statistics),
            output=output,
            corrupt=corrupt,
            n_draws=partial(facts.current_option, "n_draws")
            if noisy
            else partial(int, 1),
        )

    def objective(self, facts, table, epochs_before):
        coder, corrupt, output = self.parts(facts)
        return self.objective_class(
            facts.run(table, epochs_before),
            coder=coder,
            corrupt=corrupt,
            domain=facts.domain,
            columns=facts.columns,
            output=output,
        )

    def attributes(self, facts, state):
        params = whole(state.learned)
        dense = [*layers_of(params.encoder), *layers_of(params.decoder)]
        return {
            "coefs_": [layer.W for layer in dense],
            "intercepts_": [layer.b for layer in dense],
            "_training": state,
        }
