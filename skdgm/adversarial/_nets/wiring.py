"""Nets of an adversarial model, made from options, and the game that they play."""

from functools import partial
from types import SimpleNamespace

import numpy as np

from skdgm.adversarial._games.game import Game
from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.adversarial._games.players import Discriminator
from skdgm.implicit import Generator, check_norm
from skdgm.nets import layers
from skdgm.nets.adversarial import packing as packs
from skdgm.nets.adversarial import virtual
from skdgm.nets.adversarial.minibatch import minibatch
from skdgm.nets.fourier_features import fourier
from skdgm.nets.images import maps
from skdgm.nets.images.deform import Deformation
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import image_shape

# Hidden layers by default, of dense nets and, numbers of maps, of convolutional ones.
_SIZES = {"dense": (128, 128), "conv": (64, 32)}
# Weight of the penalty for real numbers, and for others.
_PENALTIES = 0.05, 0.2
# Kinds of columns that are pixels.
_PIXELS = "grey", "bernoulli", "gaussian"
# Frequencies of Fourier features by default, and real columns up to which there are.
_FREQUENCIES, _FEW = 3, 16


def settled(recipe, emission):
    """The recipe with a number in the place of "auto"."""
    if recipe.gradient_penalty != "auto":
        return recipe
    of_reals, of_others = _PENALTIES
    penalty = of_reals if _of_numbers(emission) else of_others
    return SimpleNamespace(**vars(recipe) | {"gradient_penalty": penalty})


def _of_numbers(emission):
    """Whether there are real columns, and no grey ones."""
    return emission.continuous.any() and not (emission.kinds == "grey").any()


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

    # Options that the nets depend on.
    NAMES = (
        *("n_components", "column_types", "class_conditional", "prior", "packing"),
        *("minibatch_kernels", "activation", "discriminator_activation", "batch_norm"),
        *("n_frequencies", "architecture", "image_shape"),
    )
    # Codes among the latent units, of which the discriminator has outputs.
    codes = None

    def __init__(self, structure, emission, n_classes, recipe):
        self.emission, self.n_classes = emission, n_classes
        self.recipe = settled(recipe, emission)
        self.structure_ = structure
        self.generator = self._generator(structure)
        self.discriminator = self._discriminator(structure)

    @classmethod
    def structure(cls, asked):
        """Options that the nets depend on, a dict."""
        found = {name: getattr(asked, name) for name in cls.NAMES}
        hidden = layer_sizes(asked.hidden_layer_sizes, _SIZES[asked.architecture])
        found["hidden_layer_sizes"] = hidden
        found["discriminator_layer_sizes"] = layer_sizes(
            asked.discriminator_layer_sizes, hidden[::-1]
        )
        return found

    @staticmethod
    def check(asked):
        """Raise ValueError for options that are no sizes, or exclude each other."""
        for name in "hidden_layer_sizes", "discriminator_layer_sizes":
            check_layer_sizes(getattr(asked, name), name)
            if asked.architecture == "conv" and getattr(asked, name) == ():
                raise ValueError(f"{name} must have a number of maps for a layer.")
        if asked.architecture == "conv" and asked.n_frequencies not in ("auto", 0):
            raise ValueError(
                f"n_frequencies={asked.n_frequencies} is for dense nets: set it to 0, "
                'or architecture="dense".'
            )
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
        check_norm(asked)
        if asked.minibatch_kernels and asked.batch_size < 2 * asked.packing:
            raise ValueError(
                "minibatch_kernels compare the rows of a batch, or its packs: set "
                f"batch_size to {2 * asked.packing} or more."
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
        conv = structure["architecture"] == "conv"
        net = self._deconvolutional(structure) if conv else self._dense(structure)
        if structure["batch_norm"] == "virtual":
            net = virtual.with_reference(net)
        n_latent = structure["n_components"] + (self.codes.width if self.codes else 0)
        given = n_latent, structure["prior"], self.n_classes, self.recipe.temperature
        return Generator(net, self.emission, *given, codes=self.codes)

    def _dense(self, structure):
        """Dense net of a generator."""
        if structure["image_shape"] is not None:
            # For the other architecture, and to be right all the same.
            given, n = structure["image_shape"], len(self.emission.kinds)
            image_shape(n, given, who="a dense generator")
        hidden, is_virtual = [], structure["batch_norm"] == "virtual"
        norm = virtual.virtual_norm if is_virtual else layers.batch_norm
        for n_units in structure["hidden_layer_sizes"]:
            hidden += self._block(structure, layers.dense, n_units, norm)
        last = layers.dense(self.emission.n_outputs, init="glorot_normal")
        return layers.serial(*hidden, last)

    def _deconvolutional(self, structure):
        """Net of a generator of images, that grow twofold from layer to layer."""
        shapes, channels = self._shapes(structure)
        first, *numbers = structure["hidden_layer_sizes"]
        height, width = shapes[-1]
        is_virtual, blocks = structure["batch_norm"] == "virtual", []
        norm = virtual.virtual_map_norm if is_virtual else maps.map_norm
        # The norm of the lowest images is of maps, too, so that it is among the blocks.
        low = self._block(structure, layers.dense, height * width * first, None)
        if structure["batch_norm"]:
            blocks += [norm(), layers.activation(structure["activation"])]
        for n_maps, size in zip(numbers, shapes[-2:0:-1]):
            grown = partial(maps.deconv, size=size)
            blocks += self._block(structure, grown, n_maps, norm)
        last = maps.deconv(channels, init="glorot_normal", size=shapes[0])
        return layers.serial(*low, maps.images((height, width, first), *blocks, last))

    def _block(self, structure, layer, n, norm):
        """Hidden layer of a generator, with batch normalisation if there is to be."""
        init, name = self.recipe.init_weights, structure["activation"]
        if not structure["batch_norm"]:
            return [layer(n, activation=name, init=init)]
        if norm is None:
            return [layer(n, init=init)]
        return [layer(n, init=init), norm(), layers.activation(name)]

    def images(self, who):
        """Height, width and channels of the images that rows are, if ``who``, an option
        by its name, asks for any.

        Raises
        ------
        ValueError
            There are columns that are no pixels, or no shape that fits.
        """
        given = self.structure_["image_shape"]
        shape = image_shape(len(self.emission.kinds), given, who=who)
        if not np.isin(self.emission.kinds, _PIXELS).all():
            raise ValueError(
                f'{who} is for pixels: column_types must be "bernoulli" or "gaussian".'
            )
        return shape

    def deformation(self):
        """How images are deformed by the option ``jitter``, or None."""
        size = self.recipe.jitter
        return Deformation(self.images(f"jitter={size:g}"), size) if size else None

    def _shapes(self, structure):
        """Heights and widths of images, each half as large as those before, as many as
        there are layers and one more; and the number of channels."""
        *shape, channels = self.images('architecture="conv"')
        found = [tuple(shape)]
        for _ in structure["hidden_layer_sizes"]:
            found.append(tuple(-(-side // 2) for side in found[-1]))
        return found, channels

    def _discriminator(self, structure):
        packing, numbers = structure["packing"], structure["discriminator_layer_sizes"]
        name, init = structure["discriminator_activation"], self.recipe.init_weights
        if structure["architecture"] == "conv":
            if name == "maxout":
                raise ValueError('discriminator_activation="maxout" is of dense nets.')
            (shape, *_), channels = self._shapes(structure)
            blocks = []
            for n_maps in numbers:
                blocks.append(maps.conv(n_maps, activation=name, init=init))
                blocks += self._dropout()
            parts = [maps.images((*shape, packing * channels), *blocks)]
            if packing > 1:
                parts.insert(0, packs.channels(shape[0] * shape[1], channels, packing))
        else:
            parts = self._waves(structure)
            for n_units in numbers:
                if name == "maxout":
                    parts.append(layers.maxout(n_units, init=init))
                else:
                    parts.append(layers.dense(n_units, name, init))
                parts += self._dropout()
        if structure["minibatch_kernels"]:
            parts.append(minibatch(structure["minibatch_kernels"]))
        return Discriminator(layers.serial(*parts), self._head(packing), packing)

    def _head(self, packing):
        """Logits: one, or that of each class for each row of a pack; other outputs."""
        n_more = self.codes.n_outputs if self.codes else 0
        n_logits = max(1, packing * self.n_classes)
        return layers.dense(n_logits + n_more, init="glorot_normal")

    def _dropout(self):
        # Also at rate 0, so that the nets are the same if the rate changes.
        return [layers.dropout(self.recipe.dropout)]

    def _waves(self, structure):
        """Fourier features, if there are any, as a list."""
        n, real = structure["n_frequencies"], self.emission.continuous.nonzero()[0]
        if n == "auto":
            n = _FREQUENCIES if len(real) <= _FEW and _of_numbers(self.emission) else 0
        if not n or not len(real):
            return []
        width = self.emission.n_inputs
        columns = [real + k * width for k in range(structure["packing"])]
        return [fourier(np.concatenate(columns), n)]

    def hidden(self, state, x, known=None):
        """Last hidden units of the discriminator for rows, each by itself."""
        net = state.discriminator
        x = np.tile(x, self.discriminator.packing)
        return self.discriminator.hidden(net.params, net.statistics, x)[0]

    def score(self, state, x):
        """Logit of the discriminator for rows, each in a pack of its copies: of all
        classes the largest."""
        net, packing = state.discriminator, self.discriminator.packing
        x = np.tile(x, packing)
        logits, _, _ = self.discriminator.judge(net.params, net.statistics, x)
        if not self.n_classes:
            return logits[:, 0]
        of_slots = logits[:, : packing * self.n_classes]
        return of_slots.reshape(len(x), packing, -1).mean(axis=1).max(axis=1)
