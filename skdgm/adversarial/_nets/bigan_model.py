"""Nets of a BiGAN, built from options."""

import numpy as np

from skdgm.adversarial._games.bigan_game import BiGANGame
from skdgm.adversarial._games.players import DiscriminatorNet
from skdgm.adversarial._model_options import BiGANOptions
from skdgm.adversarial._nets.gan_model import GANModel, block, shapes
from skdgm.implicit import ImplicitDensity
from skdgm.nets import layers
from skdgm.nets.branches import branch, with_parameters_of
from skdgm.nets.images import maps
from skdgm.utils.counts import check_layer_sizes, layer_sizes

# Number of units that join images and codes in a discriminator.
_MET = 128


class BiGANModel(GANModel[BiGANOptions]):
    """Generator, encoder, and discriminator of pairs. The parameters of the encoder
    precede the parameters of the generator in one tree."""

    objective_class = BiGANGame

    def check(self, options):
        super().check(options)
        check_layer_sizes(options.encoder_layer_sizes, "encoder_layer_sizes")
        if options.architecture == "conv" and options.encoder_layer_sizes == ():
            raise ValueError("encoder_layer_sizes must have a number of maps.")

    def structure(self, facts):
        structure, sizes = super().structure(facts), facts.options.encoder_layer_sizes
        mirrored = structure.hidden_layer_sizes[::-1]
        structure.encoder_layer_sizes = layer_sizes(sizes, mirrored)
        return structure

    def nets(self, facts, emission):
        """Generator, encoder and discriminator."""
        nets = super().nets(facts, emission)
        nets.encoder = self._encoder(facts, emission)
        joint = with_parameters_of(nets.encoder, emission.n_inputs, nets.generator.net)
        nets.generator = nets.generator._replace(net=joint)
        return nets

    def _encoder(self, facts, emission):
        blocks, conv = [], facts.structure.architecture == "conv"
        layer, norm = layers.dense, layers.batch_norm
        if conv:
            layer, norm = maps.conv, maps.map_norm
        for n in facts.structure.encoder_layer_sizes:
            blocks += block(facts, layer, n, norm)
        if conv:
            (shape, *_), channels = shapes(facts, emission)
            blocks = [maps.images((*shape, channels), *blocks)]
        output_layer = layers.dense(facts.structure.n_components, init="glorot_normal")
        return layers.serial(*blocks, output_layer)

    def _discriminator(self, facts, emission):
        net, structure = super()._discriminator(facts, emission), facts.structure
        if structure.architecture != "conv":
            return net
        name, init = structure.discriminator_activation, facts.options.init_weights
        image_branch = branch(net.body, emission.n_inputs)
        joint = layers.dense(_MET, name, init)
        body = layers.serial(image_branch, joint, *self._drop(facts.options))
        return DiscriminatorNet(body, net.head)

    def hidden(self, nets, state, x, known=None):
        """Latent units of rows, by the encoder."""
        params, statistics = state.learned[0], state.generator.statistics
        return nets.encoder.apply(params[0], statistics[0], x)[0]

    def of_features(self, options):
        """Method of the density from latent units to rows."""
        return ImplicitDensity.decode

    def score(self, nets, state, x, known=None):
        """Logit of the discriminator for rows and their codes."""
        pairs = np.concatenate([x, self.hidden(nets, state, x)], axis=1)
        return super().score(nets, state, pairs)
