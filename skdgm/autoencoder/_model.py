"""Nets of variational autoencoders, built from options."""

from types import SimpleNamespace

import numpy as np

from skdgm.autoencoder._bound import VariationalBound
from skdgm.autoencoder._coder import convolutions
from skdgm.autoencoder._model_options import AutoencoderOptions
from skdgm.data import of_one_type
from skdgm.data.given import refuse_both, shares_of
from skdgm.distributions import MixedOutput, decoder_output
from skdgm.latent import DataLayer, Hierarchy, LatentModel
from skdgm.latent.auxiliary import AuxiliaryUnits
from skdgm.latent.covariates import DecoderCovariates
from skdgm.latent.hierarchy import DataEnd, Images
from skdgm.latent.priors import (
    AutoregressivePrior,
    FlowPrior,
    MixturePrior,
    StandardPrior,
    VampPrior,
)
from skdgm.latent.top_down import TopDown
from skdgm.latent.units import FlowUnits, FullUnits, NormalUnits
from skdgm.nets import layers
from skdgm.training import AUTO
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import check_maps

# Distributions of the highest latent units.
PRIORS = "normal", "mixture", "vamp", "flow", "autoregressive"
# Default numbers of components of a mixture, and of pseudo-inputs.
_N_COMPONENTS = {"mixture": 10, "vamp": 100}
# Number of pseudo-inputs of the default prior of tables.
_FEW = 20


class AutoencoderModel(LatentModel[AutoencoderOptions]):
    """Layers of normal latent units, connected by feed-forward nets."""

    objective_class = VariationalBound

    def check(self, options):
        super().check(options)
        latent, hidden = shape(options)
        check_layer_sizes(latent, "n_components")
        for sizes in hidden:
            check_layer_sizes(sizes, "hidden_layer_sizes")
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
        options = facts.options
        latent, hidden = shape(options)
        separate = linked(self.output(facts)) is not None
        prior = prior_of(options)
        return SimpleNamespace(
            n_components=latent,
            hidden_layer_sizes=hidden,
            column_types=options.column_types,
            variance=options.variance if isinstance(options.variance, str) else "fixed",
            activation=options.activation,
            batch_norm=options.batch_norm,
            prior=prior,
            n_prior_components=n_components_of(options, prior),
            posterior=options.posterior,
            n_couplings=options.n_couplings,
            inference=options.inference,
            architecture=options.architecture,
            conv_layer_sizes=layer_sizes(options.conv_layer_sizes),
            image_shape=options.image_shape,
            class_conditional=options.class_conditional,
            attribute_conditional=options.attribute_conditional,
            n_mixtures=options.n_mixtures,
            **({"linked": True} if separate else {}),
        )

    def hierarchy(self, facts):
        """:class:`Hierarchy` architecture of the nets."""
        structure, options, output = facts.structure, facts.options, self.output(facts)
        init, activation = options.init_weights, structure.activation

        def block(n_units):
            if activation in _MULTIPLE:
                nets = [_MULTIPLE[activation](n_units, init=init)]
            elif structure.batch_norm:
                nets = [layers.dense(n_units, init=init)]
            else:
                nets = [layers.dense(n_units, activation, init)]
            if structure.batch_norm:
                nets.append(layers.batch_norm())
                if activation not in _MULTIPLE:
                    nets.append(layers.activation(activation))
            return *nets, layers.dropout(options.dropout)

        # He initialization is for rectifiers, but outputs are linear.
        linear = init.replace("he", "glorot")
        images = covariates = None
        n_inputs, n_outputs = output.n_inputs.sum(), output.n_outputs.sum()
        if structure.architecture == "conv":
            name = _narrow(activation)
            conv_structure = SimpleNamespace(**vars(structure) | {"activation": name})
            n_flat, up, deconvs = convolutions(conv_structure, output, init, linear)
            deconvs = layers.dense(n_flat, name, init), *deconvs
            # Each filter reads a window around each pixel of the largest maps.
            images = Images(
                (*up,), deconvs, int(n_inputs) * max(structure.conv_layer_sizes)
            )
        known = facts.known
        if structure.class_conditional:
            covariates = DecoderCovariates.of_classes(shares_of(known.label_counts))
        elif structure.attribute_conditional:
            covariates = DecoderCovariates.of_attributes(known.attributes_, known.known)
        # Models saved by older versions have no links.
        links = linked(output) if hasattr(structure, "linked") else None
        kind = TopDown if structure.inference == "top-down" else Hierarchy
        return kind(
            DataEnd(n_inputs, n_outputs, links, images, covariates),
            structure.n_components,
            n_hidden=structure.hidden_layer_sizes,
            block=block,
            init=linear,
            units=self._posterior(structure),
            generative=NormalUnits(self._prior(facts, output)),
        )

    @staticmethod
    def output(facts):
        n_mixtures = facts.options.n_mixtures
        if facts.structure is not None:
            # Models saved by older versions have one component.
            n_mixtures = getattr(facts.structure, "n_mixtures", 1)
        return decoder_output(facts.options, facts.columns, n_mixtures)

    @staticmethod
    def _posterior(structure):
        """Distribution of latent units given the encoder's outputs."""
        if structure.posterior == "diagonal":
            return NormalUnits()
        if structure.posterior == "full":
            return FullUnits()
        name = _narrow(structure.activation)
        hidden = layers.serial(*(layers.dense(n, name) for n in _hidden(structure)))
        if structure.posterior == "auxiliary":
            return AuxiliaryUnits(hidden)
        return FlowUnits(structure.n_couplings, hidden)

    @staticmethod
    def _prior(facts, output):
        """Distribution of the highest latent units."""
        structure = facts.structure
        sizes, name = _hidden(structure), _narrow(structure.activation)
        if structure.prior == "mixture":
            return MixturePrior(structure.n_prior_components)
        if structure.prior == "flow":
            return FlowPrior(structure.n_couplings, sizes, name)
        if structure.prior == "autoregressive":
            return AutoregressivePrior(sizes, name)
        if structure.prior == "normal":
            return StandardPrior()
        n_columns = len(facts.columns.seen)
        nothing = np.full((1, n_columns), np.nan)
        start = output.inputs(nothing, facts.domain.share(facts.columns))[0]
        kinds = getattr(output, "kinds", np.full(n_columns, output.kind))
        share = np.repeat(~np.isin(kinds, ("gaussian", "numeric")), output.n_inputs)
        return VampPrior(structure.n_prior_components, start, share)

    def attributes(self, facts, state):
        attributes = super().attributes(facts, state)
        if hasattr(facts.structure, "linked"):
            attributes["linked_"] = True
        if facts.structure.prior == "vamp":
            value = self.output(facts).value(state.learned.prior)
            attributes["pseudo_inputs_"] = facts.domain.to_data(facts.columns, value)
        return attributes


def linked(output):
    """:class:`DataLayer` of direct dependence between columns of several types, or
    None: numbers depend on categories, and all other columns on dates. Each discrete
    group of rows is then modeled conditionally, rather than by separate regions of
    latent space."""
    if not isinstance(output, MixedOutput):
        return None
    ranks = np.where(np.isin(output.kinds, _NUMBERS), 2, 1)
    ranks[output.date_columns] = 0
    if ranks.min() == ranks.max():
        return None
    order = np.argsort(ranks, kind="stable")
    return DataLayer(output, True, order, ranks=ranks, pace=1.0)


# Types of columns that depend directly on categories.
_NUMBERS = "gaussian", "numeric"
# Hidden units with several pre-activations.
_MULTIPLE = {"maxout": layers.maxout, "gated": layers.gated}


def _narrow(name):
    """Activation function of nets between latent units."""
    return "tanh" if name in _MULTIPLE else name


def _hidden(structure):
    """Numbers of hidden units of nets between latent units: the last hidden layer of
    the highest encoder, or ()."""
    return structure.hidden_layer_sizes[-1][-1:]


def prior_of(options):
    """Type of the prior."""
    if options.prior != AUTO:
        return options.prior
    return "normal" if of_one_type(options) else "vamp"


def n_components_of(options, prior):
    """Number of components, or pseudo-inputs, of a prior, or None."""
    if options.n_prior_components != AUTO:
        return options.n_prior_components
    if options.prior == AUTO and prior == "vamp":
        return _FEW
    return _N_COMPONENTS.get(prior)


def shape(options):
    """Numbers of latent units of each layer, and of hidden units of each encoder."""
    latent, hidden = options.n_components, options.hidden_layer_sizes
    latent = latent if isinstance(latent, tuple) else (latent,)
    hidden = hidden if isinstance(hidden, tuple) else (hidden,)
    if not any(isinstance(sizes, tuple) for sizes in hidden):
        hidden = (hidden,) if len(latent) == 1 else tuple((n,) for n in hidden)
    return latent, tuple(layer_sizes(sizes) for sizes in hidden)
