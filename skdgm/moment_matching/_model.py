"""Nets of a moment matching model, built from options."""

from types import SimpleNamespace

import numpy as np

from skdgm.implicit import (
    Generator,
    ImplicitDensity,
    ImplicitModel,
    check_norm,
    n_classes_of,
)
from skdgm.moment_matching._matching import Matching, Nets
from skdgm.moment_matching._model_options import MatchingOptions
from skdgm.nets import layers
from skdgm.nets.stochastic.emission import emit
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.threading.threads import one_blas_thread

# Default numbers of hidden units of the generator.
_DENSE = (128, 128, 128)


class MatchingModel(ImplicitModel[MatchingOptions]):
    """Generator, and optionally an autoencoder whose codes it draws."""

    objective_class = Matching

    def check(self, options):
        check_layer_sizes(options.hidden_layer_sizes, "hidden_layer_sizes")
        check_layer_sizes(options.autoencoder_layer_sizes, "autoencoder_layer_sizes")
        check_norm(options)
        if options.autoencoder_layer_sizes == ():
            raise ValueError(
                "autoencoder_layer_sizes must have at least the number of code units; "
                "without an autoencoder it is None."
            )
        if options.dropout and options.autoencoder_layer_sizes is None:
            raise ValueError(
                "dropout is of the hidden units of an encoder: set it to 0, or "
                "autoencoder_layer_sizes."
            )
        if not isinstance(options.bandwidths, str):
            _check_bandwidths(options.bandwidths)

    def structure(self, facts):
        options = facts.options
        return SimpleNamespace(
            n_components=options.n_components,
            column_types=options.column_types,
            class_conditional=options.class_conditional,
            prior=options.prior,
            activation=options.activation,
            batch_norm=options.batch_norm,
            hidden_layer_sizes=layer_sizes(options.hidden_layer_sizes, _DENSE),
            autoencoder_layer_sizes=layer_sizes(options.autoencoder_layer_sizes),
        )

    def nets(self, facts, emission):
        """Generator; ``matched``, the net from latent units and classes to rows or
        codes; encoder and decoder, or None."""
        structure, n = facts.structure, emission.n_outputs
        encoder = decoder = None
        if not structure.autoencoder_layer_sizes:
            matched = net = _net(facts, structure.hidden_layer_sizes, n)
        else:
            *hidden, n_codes = structure.autoencoder_layer_sizes
            encoder = _net(facts, hidden, n_codes, "logistic", facts.options.dropout)
            decoder = _net(facts, hidden[::-1], n)
            matched = _net(facts, structure.hidden_layer_sizes, n_codes, "logistic")
            net = layers.serial(matched, decoder)
        generator = Generator(
            net,
            emission,
            n_latent=structure.n_components,
            prior=structure.prior,
            n_classes=n_classes_of(facts),
            temperature=facts.options.temperature,
        )
        return Nets(generator, matched, encoder, decoder)

    def latent(self, options):
        """Return True if features are latent units, and False if they are codes."""
        return options.autoencoder_layer_sizes is None

    def hidden(self, nets, state, x, known=None):
        """Codes of rows, after imputation of missing entries."""
        return nets.codes(state.autoencoder, x, known)

    def of_features(self, options):
        """Function from latent units, or from codes, to rows."""
        return ImplicitDensity.decode if self.latent(options) else _decoded


def _decoded(density, H):
    Z = density.checked(H, density.dtype, "units of codes")
    autoencoder = density.state.autoencoder
    emission = density.emission
    nets = density.nets
    with one_blas_thread():
        out, _ = nets.decoder.apply(autoencoder.params[1], autoencoder.statistics[1], Z)
        noise = emission.silence(len(Z), Z.dtype)
        x = emit(out, noise, emission, nets.generator.temperature)
    return density.presented(x)


def _net(facts, numbers, n_outputs, output="identity", dropout=None):
    init, name, net_layers = facts.options.init_weights, facts.structure.activation, []
    for n_units in numbers:
        if facts.structure.batch_norm:
            net_layers.append(layers.dense(n_units, init=init))
            net_layers += layers.batch_norm(), layers.activation(name)
        else:
            net_layers.append(layers.dense(n_units, name, init))
        if dropout is not None:
            net_layers.append(layers.dropout(dropout))
    output_layer = layers.dense(n_outputs, output, "glorot_normal")
    return layers.serial(*net_layers, output_layer)


def _check_bandwidths(bandwidths):
    try:
        sigmas = np.asarray(bandwidths, float)
    except (TypeError, ValueError):
        sigmas = np.zeros(0)
    positive = (sigmas > 0) & (sigmas < np.inf)
    if sigmas.ndim != 1 or not len(sigmas) or not positive.all():
        raise ValueError(
            "bandwidths must be positive numbers, at least one, or 'auto'; got "
            f"{bandwidths}."
        )
