"""Nets of an adversarial classifier, made from options, and the game that they play."""

from skdgm.adversarial._games.label_game import LabelGame
from skdgm.adversarial._nets.wiring import Wiring
from skdgm.nets import layers

# Hidden layers by default: of the generator, and of the discriminator.
_NAMES = "hidden_layer_sizes", "discriminator_layer_sizes"
_SIZES = {"dense": ((128, 128), (256, 128, 128)), "conv": ((64, 32), (32, 64))}


class LabelWiring(Wiring):
    """Generator without classes, discriminator with a logit for each, and their game.

    Parameters are those of :class:`Wiring`.
    """

    @staticmethod
    def structure(asked):
        """Options that the nets depend on, a dict."""
        found = Wiring.structure(asked)
        for name, sizes in zip(_NAMES, _SIZES[asked.architecture]):
            found[name] = sizes if getattr(asked, name) is None else found[name]
        return found

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        given = self.recipe, rows, seed, before
        nets["deform"] = self.deformation()
        return LabelGame(*given, n_classes=self.n_classes, **nets)

    def _generator(self, structure):
        return super()._generator(structure)._replace(n_classes=0)

    def _discriminator(self, structure):
        found = super()._discriminator(structure)
        blurred = layers.serial(layers.noise(self._sizes[0]), found.body)
        return found._replace(body=blurred)

    def _dropout(self):
        return [*super()._dropout(), layers.noise(self._sizes[1])]

    @property
    def _sizes(self):
        """Standard deviations of the noise of inputs and of hidden units."""
        size = self.recipe.discriminator_noise
        return size if isinstance(size, tuple) else (size, size)

    def hidden(self, state, x, known=None):
        """Last hidden units of the discriminator for rows."""
        net = state.learned[1], state.discriminator.statistics
        return self.discriminator.hidden(*net, x)[0]

    def logits(self, state, x):
        """Logits of all classes for rows."""
        net = state.learned[1], state.discriminator.statistics
        return self.discriminator.judge(*net, x)[0]
