"""Model of variational autoencoders: nets made of options."""

from types import SimpleNamespace

from skdgm.autoencoder._bound import Bound
from skdgm.latent import Hierarchy, LatentModel, NormalUnits
from skdgm.nets import layers
from skdgm.utils.counts import check_layer_sizes


class AutoencoderModel(LatentModel):
    """Layers of normal latent units, with nets of hidden units in between."""

    learns = Bound

    def check(self, options):
        """Raise ValueError for sizes that are not what their types allow."""
        super().check(options)
        latent, hidden = shape(options)
        check_layer_sizes(latent, "n_components")
        for part in hidden:
            check_layer_sizes(part, "hidden_layer_sizes")
        if not latent:
            raise ValueError("n_components must have at least one number of units.")
        if len(hidden) != len(latent):
            raise ValueError(
                f"hidden_layer_sizes must have one tuple for each of the {len(latent)} "
                f"layers of n_components; got {options.hidden_layer_sizes}."
            )

    def structure(self, facts):
        """Options that the nets depend on."""
        asked = facts.options
        latent, hidden = shape(asked)
        return SimpleNamespace(
            n_components=latent,
            hidden_layer_sizes=hidden,
            column_types=asked.column_types,
            variance=asked.variance if isinstance(asked.variance, str) else "fixed",
            activation=asked.activation,
            batch_norm=asked.batch_norm,
        )

    def hierarchy(self, facts):
        """Architecture of the nets, a :class:`Hierarchy`."""
        own, options, output = facts.structure, facts.options, self.output(facts)
        init = options.init_weights

        def block(n_units):
            if own.activation == "maxout":
                found = [layers.maxout(n_units, init=init)]
            elif own.batch_norm:
                found = [layers.dense(n_units, init=init)]
            else:
                found = [layers.dense(n_units, own.activation, init)]
            if own.batch_norm:
                found.append(layers.batch_norm())
                if own.activation != "maxout":
                    found.append(layers.activation(own.activation))
            return *found, layers.dropout(options.dropout)

        ends = output.n_inputs.sum(), output.n_outputs.sum()
        sizes = own.n_components, own.hidden_layer_sizes
        # He's rule is for rectifiers; outputs are linear.
        linear = init.replace("he", "glorot")
        return Hierarchy(*ends, *sizes, block, linear, NormalUnits())


def shape(asked):
    """Numbers of latent units, and of hidden units of each encoder."""
    latent, hidden = asked.n_components, asked.hidden_layer_sizes
    latent = latent if isinstance(latent, tuple) else (latent,)
    hidden = hidden if isinstance(hidden, tuple) else (hidden,)
    if not any(isinstance(part, tuple) for part in hidden):
        hidden = (hidden,) if len(latent) == 1 else tuple((n,) for n in hidden)
    return latent, hidden
