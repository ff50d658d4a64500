"""Nets of adversarial models of images at several resolutions, built from options."""

from math import isqrt
from types import SimpleNamespace
from typing import Any

import numpy as np

from skdgm.adversarial._games.stages import PyramidGenerator, Stages, given_below
from skdgm.adversarial._model_options import PyramidOptions
from skdgm.adversarial._nets.gan_model import GANModel
from skdgm.nets.images.pyramid import Pyramid, added_to
from skdgm.nets.stochastic.emission import Emission
from skdgm.utils.images import image_shape


class PyramidModel(GANModel[PyramidOptions]):
    """Generators and discriminators of all resolutions. With ``of_data``, generators
    add details to downsampled real images, on which discriminators are also
    conditional; otherwise they receive generated images of the resolution below."""

    objective_class, STRUCTURE = Stages, (*GANModel.STRUCTURE, "n_levels")

    def __init__(self, of_data):
        self.of_data = of_data

    def nets(self, facts, emission):
        """Composite generator, and the nets of each resolution as ``levels``."""
        levels, shape = [], _shape(len(emission.kinds), facts.structure.image_shape)
        pyramid = Pyramid(shape, facts.structure.n_levels)
        for k, shape in enumerate(pyramid.shapes):
            n_given = int(np.prod(shape)) if k else 0
            of_level = _with(facts, image_shape=shape)
            columns = self._emission(pyramid, emission, k)
            levels.append(self._level(of_level, columns, n_given))
        generator = PyramidGenerator([level.generator for level in levels], pyramid)
        return SimpleNamespace(generator=generator, levels=levels, of_data=self.of_data)

    def _level(self, facts, emission, n_given):
        """Nets of one resolution, conditional on ``n_given`` pixels of the resolution
        below."""
        nets = super().nets(facts, emission)
        nets.generator = nets.generator._replace(n_given=n_given)
        if self.of_data and n_given:
            gray = not (emission.kinds == "gaussian").any()
            net = added_to(nets.generator.net, n_given, gray)
            nets.generator = nets.generator._replace(net=net)
            # The condition is concatenated with a row like another row of a pack.
            pair_net = self._discriminator(_with(facts, packing=2), emission)
            head = nets.discriminator.head
            nets.discriminator = pair_net._replace(packing=1, head=head)
        return nets

    def _emission(self, pyramid, emission, level):
        """Distribution of the pixels of a level given outputs; means of bits are
        grayscale."""
        kinds, share = emission.kinds, emission.share
        if level < len(pyramid.shapes) - 1:
            kind = "gaussian" if (kinds == "gaussian").any() else "gray"
            kinds = np.full(int(np.prod(pyramid.shapes[level])), kind)
        if (level and self.of_data) or share is None:
            start = None
        else:
            start = pyramid.levels(share[None])[level][0]
        return Emission(kinds, np.ones(len(kinds), int), None, start)

    def hidden(self, nets, state, x, known=None):
        """Last hidden units of the discriminator of the largest images."""
        level = len(nets.levels) - 1
        net, inputs = state.stages[level].discriminator, x
        if self.of_data and level:
            # Block means average the observed pixels.
            levels = x if known is None else np.where(known > 0, x, np.nan)
            levels = nets.generator.pyramid.levels(levels)
            below: Any = given_below(nets.generator, levels, level)
            inputs = np.concatenate([x, below], 1)
        judge = nets.levels[level].discriminator
        return judge.hidden(net.params, net.statistics, inputs)[0]


def _with(facts, **values):
    """Facts with other values in their structure."""
    return facts._replace(structure=SimpleNamespace(**vars(facts.structure) | values))


def _shape(n, shape):
    """Height, width and channels of images; a single line if the number of pixels is
    not a square."""
    if shape is None and isqrt(n) ** 2 != n:
        return 1, n, 1
    return image_shape(n, shape, subject="a model of images at several resolutions")
