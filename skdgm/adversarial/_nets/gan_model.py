"""Generator and discriminator of an adversarial model, built from options."""

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from skdgm.adversarial._games.game import Game
from skdgm.adversarial._games.logit_losses import LOSSES
from skdgm.adversarial._games.players import DiscriminatorNet, of_numbers
from skdgm.adversarial._model_options import GameOptionsT
from skdgm.base import Facts
from skdgm.implicit import Generator, ImplicitModel, check_norm, n_classes_of
from skdgm.nets import layers
from skdgm.nets.adversarial import packing as packs
from skdgm.nets.adversarial import virtual
from skdgm.nets.adversarial.minibatch import minibatch
from skdgm.nets.fourier_features import fourier
from skdgm.nets.images import maps
from skdgm.nets.images.deform import Deformation
from skdgm.utils.counts import check_layer_sizes, layer_sizes
from skdgm.utils.images import CONV, halvings, image_shape

# Default numbers of hidden units of dense nets, and of maps of convolutional nets.
_SIZES = {"dense": (128, 128), "conv": (64, 32)}
# Types of columns that can be pixels.
_PIXELS = "gray", "bernoulli", "gaussian"
# Default number of Fourier frequencies, and largest number of real columns with them.
_FREQUENCIES, _MAX_REAL_COLUMNS = 3, 16


class GANModel(ImplicitModel[GameOptionsT]):
    """Generator and discriminator, and the game that they play."""

    objective_class = Game
    STRUCTURE = (
        *("n_components", "column_types", "class_conditional", "prior", "packing"),
        *("minibatch_kernels", "activation", "discriminator_activation", "batch_norm"),
        *("n_frequencies", "architecture", "image_shape"),
    )

    def structure(self, facts):
        structure, options = super().structure(facts), facts.options
        hidden = layer_sizes(options.hidden_layer_sizes, _SIZES[options.architecture])
        judge = layer_sizes(options.discriminator_layer_sizes, hidden[::-1])
        structure.hidden_layer_sizes = hidden
        structure.discriminator_layer_sizes = judge
        return structure

    def check(self, options):
        for sizes, name in (
            (options.hidden_layer_sizes, "hidden_layer_sizes"),
            (options.discriminator_layer_sizes, "discriminator__layer_sizes"),
        ):
            check_layer_sizes(sizes, name)
            if options.architecture == "conv" and sizes == ():
                raise ValueError(f"{name} must have a number of maps for a layer.")
        if options.architecture == "conv" and options.n_frequencies not in ("auto", 0):
            raise ValueError(
                f"n_frequencies={options.n_frequencies} is for dense nets: set it to "
                '0, or architecture="dense".'
            )
        loss, smoothing = options.loss, options.label_smoothing
        if smoothing and not LOSSES[loss].smooths:
            raise ValueError(
                f"loss__label_smoothing={smoothing:g} is not for loss={loss!r}, which "
                "has no targets: set it to 0."
            )
        if options.minibatch_kernels and options.gradient_penalty:
            raise ValueError(
                "discriminator__minibatch_kernels make rows depend on each other, so "
                "that there is no gradient by single rows: set "
                "loss__gradient_penalty=0."
            )
        check_norm(options)
        if options.minibatch_kernels and options.batch_size < 2 * options.packing:
            raise ValueError(
                "discriminator__minibatch_kernels compare the rows of a batch, or its "
                f"packs: set batch_size to {2 * options.packing} or more."
            )
        if options.packing > options.batch_size:
            raise ValueError(
                f"discriminator__packing={options.packing} rows are judged together, "
                f"but batch_size is {options.batch_size}."
            )

    def nets(self, facts, emission):
        """Generator and discriminator."""
        return SimpleNamespace(
            generator=self._generator(facts, emission),
            discriminator=self._discriminator(facts, emission),
        )

    def codes(self, facts: Facts[GameOptionsT]) -> Any:
        """Codes among the latent units that the discriminator predicts, or None."""

    def _generator(self, facts, emission):
        structure, codes = facts.structure, self.codes(facts)
        conv = structure.architecture == "conv"
        net = (self._deconvolutional if conv else self._dense)(facts, emission)
        if structure.batch_norm == "virtual":
            net = virtual.with_reference(net)
        return Generator(
            net,
            emission,
            n_latent=structure.n_components + (codes.width if codes else 0),
            prior=structure.prior,
            n_classes=n_classes_of(facts),
            temperature=facts.options.temperature,
            codes=codes,
        )

    def _dense(self, facts, emission):
        """Dense net of a generator."""
        structure, hidden = facts.structure, []
        if structure.image_shape is not None:
            # The option is unused here, but must be valid.
            image_shape(
                len(emission.kinds), structure.image_shape, subject="a dense generator"
            )
        is_virtual = structure.batch_norm == "virtual"
        norm = virtual.virtual_norm if is_virtual else layers.batch_norm
        for n_units in structure.hidden_layer_sizes:
            hidden += block(facts, layers.dense, n_units, norm)
        output_layer = layers.dense(emission.n_outputs, init="glorot_normal")
        return layers.serial(*hidden, output_layer)

    def _deconvolutional(self, facts, emission):
        """Net of a generator of images, whose size doubles from layer to layer."""
        structure, blocks = facts.structure, []
        sizes, channels = shapes(facts, emission)
        n_first, *n_later = structure.hidden_layer_sizes
        height, width = sizes[-1]
        is_virtual = structure.batch_norm == "virtual"
        norm = virtual.virtual_map_norm if is_virtual else maps.map_norm
        # The smallest images, the output of a dense layer, are also normalized by maps.
        low = block(facts, layers.dense, height * width * n_first, None)
        if structure.batch_norm:
            blocks += [norm(), layers.activation(structure.activation)]
        for n_maps, size in zip(n_later, sizes[-2:0:-1]):
            blocks += block(facts, partial(maps.deconv, size=size), n_maps, norm)
        top = maps.deconv(channels, init="glorot_normal", size=sizes[0])
        return layers.serial(*low, maps.images((height, width, n_first), *blocks, top))

    def _discriminator(self, facts, emission):
        structure, init = facts.structure, facts.options.init_weights
        packing, sizes = structure.packing, structure.discriminator_layer_sizes
        name, drop = structure.discriminator_activation, self._drop(facts.options)
        if structure.architecture == "conv":
            if name == "maxout":
                raise ValueError('discriminator__activation="maxout" is of dense nets.')
            (shape, *_), channels = shapes(facts, emission)
            blocks = []
            for n_maps in sizes:
                blocks += [maps.conv(n_maps, activation=name, init=init), *drop]
            body = [maps.images((*shape, packing * channels), *blocks)]
            if packing > 1:
                body.insert(0, packs.channels(shape[0] * shape[1], channels, packing))
        else:
            body = _fourier_features(structure, emission)
            for n_units in sizes:
                if name == "maxout":
                    body.append(layers.maxout(n_units, init=init))
                else:
                    body.append(layers.dense(n_units, name, init))
                body += drop
        if structure.minibatch_kernels:
            body.append(minibatch(structure.minibatch_kernels))
        head = layers.dense(self._n_logits(facts, packing), init="glorot_normal")
        return DiscriminatorNet(layers.serial(*body), head, packing)

    def _n_logits(self, facts, packing):
        """Number of outputs: logits, one for each class and row of a pack, and
        parameters of codes."""
        codes = self.codes(facts)
        return max(1, packing * n_classes_of(facts)) + (codes.n_outputs if codes else 0)

    def _drop(self, options):
        """Nets after each hidden layer of the discriminator, a list."""
        # Dropout of rate 0 keeps the structure of the nets if the rate changes.
        return [layers.dropout(options.dropout)]

    def hidden(self, nets, state, x, known=None):
        """Last hidden units of the discriminator for single rows."""
        net = state.discriminator
        x = np.tile(x, nets.discriminator.packing)
        return nets.discriminator.hidden(net.params, net.statistics, x)[0]

    def score(self, nets, state, x, known=None):
        """Logit of the discriminator for rows, each in a pack of its copies; the
        largest logit of all classes."""
        net, judge = state.discriminator, nets.discriminator
        packing, n_classes = judge.packing, nets.generator.n_classes
        x = np.tile(x, packing)
        logits, _, _ = judge.judge(net.params, net.statistics, x)
        if not n_classes:
            return logits[:, 0]
        class_logits = logits[:, : packing * n_classes]
        return class_logits.reshape(len(x), packing, -1).mean(axis=1).max(axis=1)


def block(facts, layer, n, norm):
    """Hidden layer of a generator, a list of nets, perhaps with batch normalization."""
    init, name = facts.options.init_weights, facts.structure.activation
    if not facts.structure.batch_norm:
        return [layer(n, activation=name, init=init)]
    if norm is None:
        return [layer(n, init=init)]
    return [layer(n, init=init), norm(), layers.activation(name)]


def images(facts, emission, subject):
    """Height, width and channels of rows that are images; ``subject`` names the option
    that needs them."""
    shape = image_shape(
        len(emission.kinds), facts.structure.image_shape, subject=subject
    )
    if not np.isin(emission.kinds, _PIXELS).all():
        raise ValueError(
            f'{subject} is for pixels: column_types must be "bernoulli" or "gaussian".'
        )
    return shape


def deformation(facts, emission, name="jitter"):
    """Deformation of images of size ``jitter``, or None; ``name`` is the name of the
    option."""
    size = facts.options.jitter
    if not size:
        return None
    return Deformation(images(facts, emission, f"{name}={size:g}"), size)


def shapes(facts, emission):
    """Heights and widths of images, halved for each layer, and the number of
    channels."""
    *shape, channels = images(facts, emission, CONV)
    return halvings(shape, len(facts.structure.hidden_layer_sizes)), channels


def _fourier_features(structure, emission):
    """List with a net of Fourier features, or an empty list."""
    n, real = structure.n_frequencies, emission.continuous.nonzero()[0]
    if n == "auto":
        n = (
            _FREQUENCIES
            if len(real) <= _MAX_REAL_COLUMNS and of_numbers(emission)
            else 0
        )
    if not n or not len(real):
        return []
    columns = [real + k * emission.n_inputs for k in range(structure.packing)]
    return [fourier(np.concatenate(columns), n)]
