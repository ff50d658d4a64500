"""Nets of a moment matching model, made from options."""

import numpy as np

from skdgm.implicit import Generator, check_norm
from skdgm.moment_matching._autoencoder import inferred
from skdgm.moment_matching._matching import Matching
from skdgm.nets import layers
from skdgm.nets.stochastic.emit import emit
from skdgm.utils.counts import check_layer_sizes, layer_sizes

# Hidden layers by default.
_DENSE = (128, 128, 128)
# Options that the nets depend on.
_NAMES = (
    *("n_components", "column_types", "class_conditional", "prior"),
    *("activation", "batch_norm"),
)


class Wiring:
    """Generator and autoencoder of a moment matching model.

    Parameters
    ----------
    structure : dict
        From :meth:`structure`.
    emission : Emission
    n_classes : int
        Number of classes that the generator depends on, or 0.
    recipe : object
        Options of the estimator.

    Attributes
    ----------
    matched : Net
        From latent units, and classes, to what is matched.
    encoder, decoder : Net or None
    generator : Generator
    """

    def __init__(self, structure, emission, n_classes, recipe):
        self.emission, self.recipe, self.structure_ = emission, recipe, structure
        self.encoder = self.decoder = None
        hidden_sizes = structure["hidden_layer_sizes"]
        coder = structure["autoencoder_layer_sizes"]
        n_outputs = emission.n_outputs
        if not coder:
            self.matched = net = self._net(hidden_sizes, n_outputs)
        else:
            *hidden, n_codes = coder
            drop = recipe.dropout
            self.encoder = self._net(hidden, n_codes, "logistic", drop)
            self.decoder = self._net(hidden[::-1], n_outputs)
            self.matched = self._net(hidden_sizes, n_codes, "logistic")
            net = layers.serial(self.matched, self.decoder)
        given = structure["n_components"], structure["prior"], n_classes
        self.generator = Generator(net, emission, *given, recipe.temperature)

    @staticmethod
    def structure(asked):
        """Options that the nets depend on, a dict."""
        found = {name: getattr(asked, name) for name in _NAMES}
        found["hidden_layer_sizes"] = layer_sizes(asked.hidden_layer_sizes, _DENSE)
        found["autoencoder_layer_sizes"] = layer_sizes(asked.autoencoder_layer_sizes)
        return found

    @staticmethod
    def check(asked):
        """Raise ValueError for options that are not what their types allow."""
        for name in "hidden_layer_sizes", "autoencoder_layer_sizes":
            check_layer_sizes(getattr(asked, name), name)
        check_norm(asked)
        if asked.autoencoder_layer_sizes == ():
            raise ValueError(
                "autoencoder_layer_sizes must have at least the number of code units; "
                "without an autoencoder it is None."
            )
        if asked.dropout and asked.autoencoder_layer_sizes is None:
            raise ValueError(
                "dropout is of the hidden units of an encoder: set it to 0, or "
                "autoencoder_layer_sizes."
            )
        if not isinstance(asked.bandwidths, str):
            _check_bandwidths(asked.bandwidths)

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        return Matching(self.recipe, rows, seed, before, nets=self)

    def _net(self, numbers, n_outputs, output="identity", dropout=None):
        init, name = self.recipe.init_weights, self.structure_["activation"]
        parts = []
        for n_units in numbers:
            if self.structure_["batch_norm"]:
                parts.append(layers.dense(n_units, init=init))
                parts += layers.batch_norm(), layers.activation(name)
            else:
                parts.append(layers.dense(n_units, name, init))
            if dropout is not None:
                parts.append(layers.dropout(dropout))
        last = layers.dense(n_outputs, output, "glorot_normal")
        return layers.serial(*parts, last)

    def hidden(self, state, x, known=None):
        """Codes of rows, by the encoder, of which missing entries are inferred."""
        part = state.autoencoder
        x = self.inferred(part, x, known)
        return self.encoder.apply(part.params[0], part.statistics[0], x)[0]

    def inferred(self, part, x, known):
        """Rows with missing entries as an autoencoder, a Part, rebuilds them."""

        def rebuild(x):
            code, _ = self.encoder.apply(part.params[0], part.statistics[0], x)
            return self.decoder.apply(part.params[1], part.statistics[1], code)[0]

        return inferred(self.emission, rebuild, x, known)

    def decode(self, state, code):
        """What a discriminator would see of the most probable rows of codes."""
        part, emission = state.autoencoder, self.emission
        out, _ = self.decoder.apply(part.params[1], part.statistics[1], code)
        noise = emission.silence(len(code), code.dtype)
        return emit(out, noise, emission, self.recipe.temperature)


def _check_bandwidths(given):
    try:
        found = np.asarray(given, float)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.ndim != 1 or not len(found) or not ((found > 0) & (found < np.inf)).all():
        raise ValueError(
            "bandwidths must be positive numbers, at least one, or 'auto'; got "
            f"{given}."
        )
