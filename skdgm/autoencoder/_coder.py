r"""Encoder from rows to codes, and decoder from codes to outputs.

.. math:: h = f(x), \qquad z = g(h), \qquad W_g = W_f^\top \text{ if tied}
"""

from typing import NamedTuple

import numpy as np

from skdgm.nets import Layer, layers, layers_of, lists_if_sparse, start_at
from skdgm.nets.codes import largest
from skdgm.nets.images import maps
from skdgm.utils.images import halvings, pixels


class CoderParams(NamedTuple):
    """Parameters of the encoder, the decoder and the distribution of rows."""

    encoder: tuple
    decoder: tuple
    dispersion: tuple = ()

    # Names of fields in older files.
    RENAMED = {"own": "dispersion"}


class Turned(NamedTuple):
    """Biases of a dense layer with the transposed weights of an encoder's layer."""

    b: np.ndarray


class SharedMaps(NamedTuple):
    """Biases of a transposed convolution with the weights of an encoder's
    convolution."""

    b: np.ndarray


class Coder:
    """Encoder and decoder nets, as functions of their variables. A ``tied`` decoder
    shares the weights of the encoder where shapes allow it. ``activation`` is the
    activation function of codes; ``dense`` nets have no convolutions, and a ``single``
    encoder has one layer."""

    def __init__(self, encoder, decoder, *, n_inputs, tied, activation, dense, single):
        self.encoder, self.decoder, self.n_inputs = encoder, decoder, n_inputs
        self.tied, self.activation = tied, activation
        self.dense, self.single = dense, single

    def init(self, rng, out, dispersion, dtype):
        """Initial parameters, with outputs close to ``out``, and statistics."""
        n_codes, encoder, up_state = self.encoder.init(rng, self.n_inputs, dtype)
        _, decoder, down_state = self.decoder.init(rng, n_codes, dtype)
        start_at(decoder, out, self.n_inputs)
        if self.tied:
            decoder = _tied(decoder, iter([*layers_of(encoder)][::-1]))
        return CoderParams(encoder, decoder, dispersion), (up_state, down_state)

    def encode(self, net, x):
        """Codes of inputs x, (n_rows, n_codes)."""
        x = lists_if_sparse(x) if self.dense else x
        return self.encoder.apply(net.params.encoder, net.statistics[0], x)[0]

    def decode(self, net, h):
        """Outputs for codes h, (n_rows, n_outputs)."""
        decoder = whole(net.params).decoder
        return self.decoder.apply(decoder, net.statistics[1], lists_if_sparse(h))[0]

    def rebuilt(self, net, x):
        """Outputs for inputs x, (n_rows, n_outputs)."""
        return self.decode(net, self.encode(net, x))


def _tied(tree, above):
    """Layers of a decoder, without weights where the weights of ``above`` fit."""
    if isinstance(tree, Layer):
        W, dense = next(above).W, len(tree.b) == tree.W.shape[1]
        if dense and W.T.shape == tree.W.shape:
            return Turned(tree.b)
        # A convolution and its transpose have weights of the same shape.
        return SharedMaps(tree.b) if W.shape == tree.W.shape else tree
    return tuple(_tied(subtree, above) for subtree in tree)


def whole(params):
    """Parameters with the tied weights of the decoder filled in."""
    if not any(isinstance(x, Turned | SharedMaps) for x in _ends(params.decoder)):
        return params
    above = iter([*layers_of(params.encoder)][::-1])
    return params._replace(decoder=_untied(params.decoder, above))


def _ends(tree):
    """Yield the layers of a decoder."""
    if isinstance(tree, Layer | Turned | SharedMaps):
        yield tree
    elif isinstance(tree, tuple):
        for subtree in tree:
            yield from _ends(subtree)


def _untied(tree, above):
    if isinstance(tree, Layer | Turned | SharedMaps):
        W = next(above).W
        if isinstance(tree, Layer):
            return tree
        return Layer(W.T if isinstance(tree, Turned) else W, tree.b)
    return tuple(_untied(subtree, above) for subtree in tree)


def coder_of(structure, output, init):
    """Encoder and decoder built from options; ValueError if columns are not pixels of
    images, or the code has fewer than ``n_active`` units."""
    activation, linear = structure.activation, init.replace("he", "glorot")
    n_inputs, n_outputs = int(output.n_inputs.sum()), int(output.n_outputs.sum())
    encoding, deconvs = [], []
    if structure.architecture == "conv":
        n_flat, encoding, deconvs = convolutions(structure, output, init, linear)
    sizes = structure.hidden_layer_sizes
    for n_units in sizes:
        encoding.append(layers.dense(n_units, activation, init))
    encoding.append(
        layers.dense(structure.n_components, structure.code_activation, linear)
    )
    if structure.n_active is not None:
        encoding.append(largest(structure.n_active))
    decoding = [layers.dense(n_units, activation, init) for n_units in sizes[::-1]]
    if deconvs:
        decoding.append(layers.dense(n_flat, activation, init))
    else:
        decoding.append(layers.dense(n_outputs, init=linear))
    return Coder(
        layers.serial(*encoding),
        layers.serial(*decoding, *deconvs),
        n_inputs=n_inputs,
        tied=structure.tied,
        activation=structure.code_activation,
        dense=not deconvs,
        single=len(encoding) == 1,
    )


def convolutions(structure, output, init, linear):
    """Number of units of the smallest images, and nets from images to them and back,
    each in a list."""
    n_inputs, n_outputs = output.n_inputs, output.n_outputs
    *shape, channels = pixels(structure, n_inputs, n_outputs)
    sizes, name = structure.conv_layer_sizes, structure.activation
    n_maps = channels * int(n_inputs[0]), *sizes
    shapes = [(*size, n) for size, n in zip(halvings(shape, len(sizes)), n_maps)]
    convs = (maps.conv(n_maps, activation=name, init=init) for n_maps in sizes)
    up = maps.images(shapes[0], *convs)
    down = [
        maps.deconv(above[2], size=above[:2], activation=name, init=init)
        for above in shapes[-2:0:-1]
    ]
    n_last = channels * int(n_outputs[0])
    down.append(maps.deconv(n_last, size=shapes[0][:2], init=linear))
    n_flat = int(np.prod(shapes[-1]))
    return n_flat, [up], [maps.images(shapes[-1], *down)]
