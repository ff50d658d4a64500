"""Model of variational autoencoders: nets made of options."""

from types import SimpleNamespace

import numpy as np

from skdgm.autoencoder._bound import Bound
from skdgm.autoencoder._coder import convolutions
from skdgm.data.given import refuse_both, shares_of
from skdgm.distributions import MixedOutput
from skdgm.latent import DataLayer, Hierarchy, LatentModel
from skdgm.latent.auxiliary import AuxiliaryUnits
from skdgm.latent.hierarchy import Images
from skdgm.latent.priors import (
    AutoregressivePrior,
    FlowPrior,
    Mixture,
    Standard,
    Vamp,
)
from skdgm.latent.told import Told
from skdgm.latent.top_down import TopDown
from skdgm.latent.units import FlowUnits, FullUnits, NormalUnits
from skdgm.nets import layers
from skdgm.training import AUTO
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import check_maps

# Distributions of the highest latent units.
PRIORS = "normal", "mixture", "vamp", "flow", "autoregressive"
# Numbers of components of a mixture, and of pseudo-inputs.
_N_COMPONENTS = {"mixture": 10, "vamp": 100}


class AutoencoderModel(LatentModel):
    """Layers of normal latent units, with nets of hidden units in between."""

    objective_class = Bound

    def check(self, options):
        """Raise ValueError for sizes that are not what their types allow."""
        super().check(options)
        latent, hidden = shape(options)
        check_layer_sizes(latent, "n_components")
        for part in hidden:
            check_layer_sizes(part, "hidden_layer_sizes")
        check_maps(options)
        if not latent:
            raise ValueError("n_components must have at least one number of units.")
        if len(hidden) != len(latent):
            raise ValueError(
                f"hidden_layer_sizes must have one tuple for each of the {len(latent)} "
                f"layers of n_components; got {options.hidden_layer_sizes}."
            )
        refuse_both(options)
        if options.inference == "top-down" and not all(hidden[:-1]):
            raise ValueError(
                'inference="top-down" needs a hidden layer in each encoder but the '
                f"highest; got hidden_layer_sizes={options.hidden_layer_sizes}."
            )

    def structure(self, facts):
        """Options that the nets depend on."""
        asked = facts.options
        latent, hidden = shape(asked)
        apart = linked(self.output(facts)) is not None
        prior = prior_of(asked, apart)
        return SimpleNamespace(
            n_components=latent,
            hidden_layer_sizes=hidden,
            column_types=asked.column_types,
            variance=asked.variance if isinstance(asked.variance, str) else "fixed",
            activation=asked.activation,
            batch_norm=asked.batch_norm,
            prior=prior,
            n_prior_components=n_components_of(asked, prior),
            posterior=asked.posterior,
            n_couplings=asked.n_couplings,
            inference=asked.inference,
            architecture=asked.architecture,
            conv_layer_sizes=layer_sizes(asked.conv_layer_sizes),
            image_shape=asked.image_shape,
            class_conditional=asked.class_conditional,
            attribute_conditional=asked.attribute_conditional,
            **({"linked": True} if apart else {}),
        )

    def hierarchy(self, facts):
        """Architecture of the nets, a :class:`Hierarchy`."""
        own, options, output = facts.structure, facts.options, self.output(facts)
        init = options.init_weights

        def block(n_units):
            if own.activation in _WIDE:
                found = [_WIDE[own.activation](n_units, init=init)]
            elif own.batch_norm:
                found = [layers.dense(n_units, init=init)]
            else:
                found = [layers.dense(n_units, own.activation, init)]
            if own.batch_norm:
                found.append(layers.batch_norm())
                if own.activation not in _WIDE:
                    found.append(layers.activation(own.activation))
            return *found, layers.dropout(options.dropout)

        ends = output.n_inputs.sum(), output.n_outputs.sum()
        sizes = own.n_components, own.hidden_layer_sizes
        # He's rule is for rectifiers; outputs are linear.
        linear = init.replace("he", "glorot")
        units = self._posterior(own), NormalUnits(self._prior(facts, output))
        images = None
        if own.architecture == "conv":
            name = _narrow(own.activation)
            plain = SimpleNamespace(**vars(own) | {"activation": name})
            n_flat, up, down = convolutions(plain, output, init, linear)
            down = layers.dense(n_flat, name, init), *down
            # A filter reads a window around each pixel of the largest maps.
            widest = int(output.n_inputs.sum()) * max(own.conv_layer_sizes)
            images = Images((*up,), down, widest)
        told, known = None, facts.known
        if own.class_conditional:
            told = Told.of_classes(shares_of(known.label_counts))
        elif own.attribute_conditional:
            told = Told.of_attributes(known.attributes_, known.known)
        more = {"images": images, "told": told}
        # Models of older files have no links.
        if hasattr(own, "linked"):
            more["data"] = linked(output)
        kind = TopDown if own.inference == "top-down" else Hierarchy
        return kind(*ends, *sizes, block, linear, *units, **more)

    @staticmethod
    def _posterior(own):
        """Distribution of an encoder's draws."""
        if own.posterior == "diagonal":
            return NormalUnits()
        if own.posterior == "full":
            return FullUnits()
        hidden = layers.serial(*(layers.dense(*part) for part in _hidden(own)))
        if own.posterior == "auxiliary":
            return AuxiliaryUnits(hidden)
        return FlowUnits(own.n_couplings, hidden)

    @staticmethod
    def _prior(facts, output):
        """Distribution of the highest latent units."""
        own = facts.structure
        sizes, name = [n for n, _ in _hidden(own)], _narrow(own.activation)
        if own.prior == "mixture":
            return Mixture(own.n_prior_components)
        if own.prior == "flow":
            return FlowPrior(own.n_couplings, sizes, name)
        if own.prior == "autoregressive":
            return AutoregressivePrior(sizes, name)
        if own.prior == "normal":
            return Standard()
        n_columns = len(facts.columns.seen)
        nothing = np.full((1, n_columns), np.nan)
        start = output.inputs(nothing, facts.domain.share(facts.columns))[0]
        kinds = getattr(output, "kinds", np.full(n_columns, output.kind))
        share = np.repeat(~np.isin(kinds, ("gaussian", "numeric")), output.n_inputs)
        return Vamp(own.n_prior_components, start, share)

    def attributes(self, facts, state):
        """Fitted attributes of a training state, a dict by name."""
        found = super().attributes(facts, state)
        if hasattr(facts.structure, "linked"):
            found["linked_"] = True
        if facts.structure.prior == "vamp":
            value = self.output(facts).value(state.learned.prior)
            found["pseudo_inputs_"] = facts.domain.to_data(facts.columns, value)
        return found


def linked(output):
    """Links between columns of several kinds, a :class:`DataLayer`, or None: numbers
    depend on categories, and all others on dates, besides latent units. Groups of rows
    are then apart where latent units of one become those of another."""
    if not isinstance(output, MixedOutput):
        return None
    ranks = np.where(np.isin(output.kinds, _NUMBERS), 2, 1)
    ranks[output.waved] = 0
    if ranks.min() == ranks.max():
        return None
    order = np.argsort(ranks, kind="stable")
    return DataLayer(output, True, order, ranks=ranks, pace=1.0)


# Kinds of columns that depend on categories.
_NUMBERS = "gaussian", "numeric"
# Hidden units that have several pre-activations.
_WIDE = {"maxout": layers.maxout, "gated": layers.gated}


def _narrow(name):
    """Activation function of nets between latent units."""
    return "tanh" if name in _WIDE else name


def _hidden(own):
    """Numbers of hidden units, and their activation, of nets between latent units:
    those of the highest encoder's last hidden layer, if it has any."""
    return [(n, _narrow(own.activation)) for n in own.hidden_layer_sizes[-1][-1:]]


def prior_of(asked, apart):
    """Name of the prior that options ask for; groups of rows may be ``apart`` by
    links."""
    if asked.prior != AUTO:
        return asked.prior
    if apart:
        return "normal"
    plain = asked.column_types in ("bernoulli", "categorical", "gaussian")
    return "normal" if plain else "mixture"


def n_components_of(asked, prior):
    """Number of components, or pseudo-inputs, of a prior, if it has some."""
    if asked.n_prior_components != AUTO:
        return asked.n_prior_components
    return _N_COMPONENTS.get(prior)


def shape(asked):
    """Numbers of latent units, and of hidden units of each encoder."""
    latent, hidden = asked.n_components, asked.hidden_layer_sizes
    latent = latent if isinstance(latent, tuple) else (latent,)
    hidden = hidden if isinstance(hidden, tuple) else (hidden,)
    if not any(isinstance(part, tuple) for part in hidden):
        hidden = (hidden,) if len(latent) == 1 else tuple((n,) for n in hidden)
    return latent, tuple(layer_sizes(part) for part in hidden)
