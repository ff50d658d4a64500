"""Nets of an adversarial model, made from options, and the game that they play."""

import numpy as np

from skdgm.adversarial._game import Game
from skdgm.adversarial._losses import LOSSES
from skdgm.adversarial._players import Discriminator
from skdgm.implicit import Generator
from skdgm.nets import layers
from skdgm.nets.minibatch import minibatch
from skdgm.nets.waves import fourier

# Hidden layers by default.
_DENSE = (128, 128, 128)
# Frequencies of Fourier features by default, and real columns up to which there are.
_FREQUENCIES, _FEW = 3, 16
# Options that the nets depend on.
_NAMES = """n_components column_types conditional prior packing minibatch_kernels
    activation discriminator_activation batch_norm n_frequencies""".split()


class Wiring:
    """Generator, discriminator and game of an adversarial model.

    Parameters
    ----------
    structure : dict
        From :meth:`structure`.
    emission : Emission
    n_classes : int
        Number of classes that both nets depend on, or 0.
    recipe : object
        Options of the estimator.
    """

    def __init__(self, structure, emission, n_classes, recipe):
        self.emission, self.recipe, self.n_classes = emission, recipe, n_classes
        self.generator = self._generator(structure)
        self.discriminator = self._discriminator(structure)

    @staticmethod
    def structure(asked):
        """Options that the nets depend on, a dict."""
        found = {name: getattr(asked, name) for name in _NAMES}
        sizes = _sizes(asked.hidden_layer_sizes, _DENSE)
        found["hidden_layer_sizes"] = sizes
        found["discriminator_layer_sizes"] = _sizes(
            asked.discriminator_layer_sizes, sizes[::-1]
        )
        return found

    @staticmethod
    def check(asked):
        """Raise ValueError for options that exclude each other."""
        loss, smoothing = asked.loss, asked.label_smoothing
        if smoothing and not LOSSES[loss].smooths:
            raise ValueError(
                f"label_smoothing={smoothing:g} is not for loss={loss!r}, which has no "
                "targets: set it to 0."
            )
        if asked.minibatch_kernels and asked.gradient_penalty:
            raise ValueError(
                "minibatch_kernels make rows depend on each other, so that there is no "
                "gradient by single rows: set gradient_penalty=0."
            )
        if asked.packing > asked.batch_size:
            raise ValueError(
                f"packing={asked.packing} rows are judged together, but batch_size is "
                f"{asked.batch_size}."
            )

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        return Game(self.recipe, rows, seed, before, **nets)

    def _generator(self, structure):
        init, name = self.recipe.init_weights, structure["activation"]

        def block(n_units):
            if not structure["batch_norm"]:
                return [layers.dense(n_units, name, init)]
            norm = layers.batch_norm()
            return [layers.dense(n_units, init=init), norm, layers.activation(name)]

        hidden = [part for n in structure["hidden_layer_sizes"] for part in block(n)]
        last = layers.dense(self.emission.n_outputs, init="glorot_normal")
        given = structure["n_components"], structure["prior"], self.n_classes
        net = layers.serial(*hidden, last)
        return Generator(net, self.emission, *given, self.recipe.temperature)

    def _discriminator(self, structure):
        init, name = self.recipe.init_weights, structure["discriminator_activation"]
        parts, packing = self._waves(structure), structure["packing"]
        for n_units in structure["discriminator_layer_sizes"]:
            if name == "maxout":
                parts.append(layers.maxout(n_units, init=init))
            else:
                parts.append(layers.dense(n_units, name, init))
            if self.recipe.dropout:
                parts.append(layers.dropout(self.recipe.dropout))
        if structure["minibatch_kernels"]:
            parts.append(minibatch(structure["minibatch_kernels"]))
        head = layers.dense(max(1, self.n_classes), init="glorot_normal")
        return Discriminator(layers.serial(*parts), head, packing)

    def _waves(self, structure):
        """Fourier features, if there are any, as a list."""
        n, real = structure["n_frequencies"], self.emission.continuous.nonzero()[0]
        if n == "auto":
            plain = len(real) <= _FEW and not (self.emission.kinds == "grey").any()
            n = _FREQUENCIES if plain else 0
        if not n or not len(real):
            return []
        width = self.emission.n_inputs
        columns = [real + k * width for k in range(structure["packing"])]
        return [fourier(np.concatenate(columns), n)]

    def hidden(self, state, x):
        """Last hidden units of the discriminator for rows, each by itself."""
        net = state.discriminator
        x = np.tile(x, self.discriminator.packing)
        h, _ = self.discriminator.hidden(net.params, net.statistics, x)
        return h

    def score(self, state, x):
        """Largest logit of the discriminator for rows, each by itself."""
        net = state.discriminator
        x = np.tile(x, self.discriminator.packing)
        logits, _, _ = self.discriminator.judge(net.params, net.statistics, x)
        return logits.max(axis=1)


def _sizes(asked, default):
    if asked is None:
        return default
    return asked if isinstance(asked, tuple) else (asked,)
