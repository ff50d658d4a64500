"""Nets of an adversarial classifier, made from options, and the game that they play."""

from skdgm.adversarial._label_game import LabelGame
from skdgm.adversarial._wiring import Wiring
from skdgm.nets import layers


class LabelWiring(Wiring):
    """Generator without classes, discriminator with a logit for each, and their game.

    Parameters are those of :class:`Wiring`.
    """

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        nets = {"generator": self.generator, "discriminator": self.discriminator}
        given = self.recipe, rows, seed, before
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

    def hidden(self, state, x):
        """Last hidden units of the discriminator for rows."""
        net = state.learned[1], state.discriminator.statistics
        return self.discriminator.hidden(*net, x)[0]

    def logits(self, state, x):
        """Logits of all classes for rows."""
        net = state.learned[1], state.discriminator.statistics
        return self.discriminator.judge(*net, x)[0]
