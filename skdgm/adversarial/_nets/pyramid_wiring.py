"""Nets of adversarial models of images at several resolutions."""

from math import isqrt

import numpy as np

from skdgm.adversarial._games.stages import Climb, Stages, given_below
from skdgm.adversarial._nets.wiring import Wiring, settled
from skdgm.nets.images.pyramid import Pyramid, added_to
from skdgm.nets.stochastic.emission import Emission
from skdgm.utils.images import image_shape


class LevelWiring(Wiring):
    """Generator and discriminator of images of one resolution.

    Parameters
    ----------
    structure, emission, n_classes, recipe
        As of :class:`Wiring`.
    n_given : int
        Number of pixels of the images given, or 0.
    adds : bool
        Whether outputs are added to these, and the discriminator is given them, too.
    """

    def __init__(self, *given, n_given, adds):
        self.n_given, self.adds = n_given, adds and n_given > 0
        super().__init__(*given)

    def _generator(self, structure):
        found = super()._generator(structure)._replace(n_given=self.n_given)
        if not self.adds:
            return found
        grey = not (self.emission.kinds == "gaussian").any()
        return found._replace(net=added_to(found.net, self.n_given, grey))

    def _discriminator(self, structure):
        if not self.adds:
            return super()._discriminator(structure)
        # What is given stands beside a row, as another row of a pack would.
        found = super()._discriminator(structure | {"packing": 2})
        return found._replace(packing=1, head=self._head(1))


class PyramidWiring:
    """Nets of all resolutions, and the games that they play.

    Parameters
    ----------
    structure, emission, n_classes, recipe
        As of :class:`Wiring`.
    """

    # Whether generators add to real images made smaller and large again.
    of_data = True

    def __init__(self, structure, emission, n_classes, recipe):
        self.recipe = recipe = settled(recipe, emission)
        shape = _shape(len(emission.kinds), structure["image_shape"])
        self.pyramid = pyramid = Pyramid(shape, structure["n_levels"])
        levels = []
        for k, own in enumerate(pyramid.shapes):
            n = int(np.prod(own))
            given = structure | {"image_shape": own}, self._emission(emission, k)
            more = {"n_given": n if k else 0, "adds": self.of_data}
            levels.append(LevelWiring(*given, n_classes, recipe, **more))
        self.generator = Climb([level.generator for level in levels], pyramid)
        self.discriminators = [level.discriminator for level in levels]

    def _emission(self, emission, level):
        """Pixels of a level as functions of outputs: grey means of bits."""
        top = level == len(self.pyramid.shapes) - 1
        if (level and self.of_data) or emission.share is None:
            start = None
        else:
            start = self.pyramid.levels(emission.share[None])[level][0]
        if top:
            return Emission(
                emission.kinds, np.ones(len(emission.kinds), int), None, start
            )
        kind = "gaussian" if (emission.kinds == "gaussian").any() else "grey"
        n = int(np.prod(self.pyramid.shapes[level]))
        return Emission(np.full(n, kind), np.ones(n, int), None, start)

    @staticmethod
    def structure(asked):
        """Options that the nets depend on, a dict."""
        return Wiring.structure(asked) | {"n_levels": asked.n_levels}

    @staticmethod
    def check(asked):
        """Raise ValueError for options that are no sizes, or exclude each other."""
        Wiring.check(asked)

    def game(self, rows, seed, before):
        """Objective of a run after so many epochs."""
        return Stages(
            *(self.recipe, rows, seed, before),
            generator=self.generator,
            discriminators=self.discriminators,
            of_data=self.of_data,
        )

    def hidden(self, state, x, known=None):
        """Last hidden units of the discriminator of the largest images."""
        level = len(self.discriminators) - 1
        net, seen = state.stages[level].discriminator, x
        if self.of_data and level:
            # Means of blocks are those of their known pixels.
            levels = x if known is None else np.where(known > 0, x, np.nan)
            levels = self.pyramid.levels(levels)
            seen = np.concatenate([x, given_below(self.generator, levels, level)], 1)
        judge = self.discriminators[level]
        return judge.hidden(net.params, net.statistics, seen)[0]


class StackWiring(PyramidWiring):
    """Nets of all resolutions, each given generated images of the one below."""

    of_data = False


def _shape(n, given):
    """Height, width and channels of images; of one row if pixels make no square."""
    if given is None and isqrt(n) ** 2 != n:
        return 1, n, 1
    return image_shape(n, given, who="a model of images at several resolutions")
