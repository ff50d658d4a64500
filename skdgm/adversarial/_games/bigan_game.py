r"""A game of pairs: rows with their codes against latent units with their rows.

.. math:: \min_{g, e} \max_d \; \mathbb{E}_{x} \log d(x, e(x)) +
   \mathbb{E}_{z} \log (1 - d(g(z), z))

Encoder e and generator g both lower the discriminator's loss with the sides exchanged,
which has the same solution: they are inverse to each other [1]_ [2]_. They may also
lower the weighted squared error of reconstructions, :math:`\lambda \, \mathbb{E}_x
\lVert x - g(e(x)) \rVert^2`, so that each row has its own code [3]_.

References
----------
.. [1] Donahue, Krähenbühl and Darrell (2017). Adversarial feature learning. ICLR.
.. [2] Dumoulin, Belghazi, Poole, Lamb, Arjovsky, Mastropietro and Courville (2017).
   Adversarially learned inference. ICLR.
.. [3] Li, Liu, Chen, Pu, Chen, Henao and Carin (2017). ALICE: towards understanding
   adversarial learning for joint distribution matching. NeurIPS.
"""

import numpy as np

from skdgm.adversarial._games.game import Game
from skdgm.adversarial._games.players import Discriminator
from skdgm.adversarial._nets.wiring import Wiring
from skdgm.nets import layers
from skdgm.nets.branches import branch, companions
from skdgm.nets.images import maps
from skdgm.nets.tape import vjp
from skdgm.utils.counts import check_layer_sizes, layer_sizes

# Units of a discriminator of images in which they meet their codes.
_MET = 128
_ENCODE, _REBUILD = 10, 11


class Paired(Wiring):
    """Nets of a BiGAN, and their game; parameters as of :class:`Wiring`.

    The encoder's parameters come before the generator's, in one tree.

    Attributes
    ----------
    encoder : Net
        From what a discriminator sees to latent units.
    """

    @classmethod
    def structure(cls, asked):
        """Options that the nets depend on, a dict."""
        found = super().structure(asked)
        own = layer_sizes(asked.encoder_layer_sizes, found["hidden_layer_sizes"][::-1])
        return found | {"encoder_layer_sizes": own}

    @staticmethod
    def check(asked):
        """Raise ValueError for options that exclude each other."""
        Wiring.check(asked)
        check_layer_sizes(asked.encoder_layer_sizes, "encoder_layer_sizes")
        if asked.architecture == "conv" and asked.encoder_layer_sizes == ():
            raise ValueError("encoder_layer_sizes must have a number of maps.")

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        return PairedGame(self.recipe, rows, seed, before, encoder=self.encoder, **nets)

    def _generator(self, structure):
        found = super()._generator(structure)
        self.encoder = self._encoder(structure)
        both = companions(self.encoder, self.emission.n_inputs, found.net)
        return found._replace(net=both)

    def _encoder(self, structure):
        blocks, numbers = [], structure["encoder_layer_sizes"]
        conv = structure["architecture"] == "conv"
        for n in numbers:
            layer, norm = layers.dense, layers.batch_norm
            if conv:
                layer, norm = maps.conv, maps.map_norm
            blocks += self._block(structure, layer, n, norm)
        if conv:
            (shape, *_), channels = self._shapes(structure)
            blocks = [maps.images((*shape, channels), *blocks)]
        last = layers.dense(structure["n_components"], init="glorot_normal")
        return layers.serial(*blocks, last)

    def _discriminator(self, structure):
        found = super()._discriminator(structure)
        if structure["architecture"] != "conv":
            return found
        name, init = structure["discriminator_activation"], self.recipe.init_weights
        of_images = branch(found.body, self.emission.n_inputs)
        met = [layers.dense(_MET, name, init), *self._dropout()]
        return Discriminator(layers.serial(of_images, *met), found.head)

    def hidden(self, state, x, known=None):
        """Latent units of rows, by the encoder."""
        params, statistics = state.learned[0], state.generator.statistics
        return self.encoder.apply(params[0], statistics[0], x)[0]

    def score(self, state, x):
        """Logit of the discriminator for rows and their codes."""
        return super().score(state, np.concatenate([x, self.hidden(state, x)], axis=1))


class PairedGame(Game):
    """Adversarial training of a generator and an encoder.

    Parameters
    ----------
    recipe, rows, seed, epochs_before, generator, discriminator
        As of :class:`Game`.
    encoder : Net
    """

    both_sides = True

    def __init__(self, *given, encoder, **nets):
        super().__init__(*given, **nets)
        self.encoder = encoder

    @property
    def n_seen(self):
        """Number of columns of a pair."""
        return super().n_seen + self.generator.n_latent

    def pair(self, params, statistics, turn):
        """Rows with their codes, and latent units with their rows."""
        fake, (_, after) = self.drawn(params, statistics, turn)
        code, kept = self._encoded(params, statistics, turn)
        real = self.seen(turn.x, turn, given=code)
        return real, self.seen(fake, turn, 1, given=turn.z), (kept, after)

    def extra_gradient(self, state, turn):
        """Gradient of the weighted squared error of reconstructions, by parameters."""
        before, rng = state.generator, turn.rng.fold(_REBUILD)
        weight = 2 * self.recipe.reconstruction_weight / len(turn.x)
        if not weight:
            return None
        noise = self.emission.noise(rng, len(turn.x), self.rows.dtype)

        def rebuilt(params):
            code, _ = self._encoded(params, before.statistics, turn)
            given = params, before.statistics, code, noise
            return self.generator.draw(*given, rng, train=True)[0]

        def slopes(out):
            gap = out - turn.x
            return weight * (gap if turn.known is None else gap * turn.known)

        return vjp(rebuilt, before.params, slopes)[1]

    def _encoded(self, params, statistics, turn):
        """Codes of real rows as in training, and the encoder's updated statistics."""
        how = {"rng": turn.rng.fold(_ENCODE), "train": True}
        return self.encoder.apply(params[0], statistics[0], turn.x, **how)
