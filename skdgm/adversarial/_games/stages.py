r"""Games at several resolutions, each of which adds details to the images below.

.. math:: x_0 = g_0(z_0), \qquad x_k = g_k(z_k, u(x_{k-1}))

where u upsamples images by copying pixels. All games share minibatches. In a Laplacian
pyramid [1]_, a generator's outputs are added to its condition, downsampled and
upsampled real rows, which is also the discriminator's condition. In a stack [2]_, a
generator receives images of the generator below, and draws whole images.

References
----------
.. [1] Denton, Chintala, Szlam and Fergus (2015). Deep generative image models using a
   Laplacian pyramid of adversarial networks. NeurIPS.
.. [2] Zhang, Xu, Li, Zhang, Wang, Huang and Metaxas (2017). StackGAN: text to
   photo-realistic image synthesis with stacked generative adversarial networks. ICCV.
"""

from typing import NamedTuple

import numpy as np

from skdgm.adversarial._games.game import Game, NetConditions
from skdgm.implicit import GeneratorWatch
from skdgm.nets import Part, columns, join_columns
from skdgm.nets.stochastic.emission import emit
from skdgm.training import Objective
from skdgm.utils.random import MAX_SEED

_BELOW, _EMIT = 5, 6


class StagesState(NamedTuple):
    """Training states of games, from the smallest images up."""

    stages: tuple

    @property
    def params(self):
        """Parameters of all generators, and of all discriminators."""
        return tuple(zip(*(stage.params for stage in self.stages)))

    @property
    def learned(self):
        """Parameters to use, averaged if averages are maintained."""
        return tuple(zip(*(stage.learned for stage in self.stages)))

    @property
    def generator(self):
        """Parameters and statistics of all generators."""
        return Part(
            tuple(stage.generator.params for stage in self.stages),
            tuple(stage.generator.statistics for stage in self.stages),
        )

    @property
    def t(self):
        """Number of updates of each generator, (1,)."""
        return self.stages[0].t


class PyramidGenerator(NamedTuple):
    """Composite generator of images at all resolutions of a ``pyramid``, each
    conditional on the images below. It has the methods of a
    :class:`~skdgm.implicit.Generator`."""

    generators: list
    pyramid: object

    @property
    def emission(self):
        """Distribution of the largest images given outputs."""
        return self.generators[-1].emission

    @property
    def n_latent(self):
        """Number of latent units of all generators."""
        return sum(generator.n_latent for generator in self.generators)

    @property
    def n_classes(self):
        """Number of classes that condition all generators, or 0."""
        return self.generators[0].n_classes

    def latent(self, rng, n_rows, dtype):
        """Draw latent units, (n_rows, n_latent), from the smallest images up."""
        pairs = enumerate(self.generators)
        z = [gen.latent(rng.fold(k), n_rows, dtype) for k, gen in pairs]
        return np.concatenate(z, axis=1)

    def given(self, z, codes):
        """Latent units concatenated with one-hot classes."""
        return self.generators[0].given(z, codes)

    def draw(self, params, statistics, z, noise, rng=None, train=False):
        """Generated rows as inputs of a discriminator, and updated statistics; see
        :meth:`skdgm.implicit.Generator.draw`."""
        latent_start, class_start, all_statistics, x = 0, self.n_latent, [], None
        for k, gen in enumerate(self.generators):
            inputs = columns(z, latent_start, latent_start + gen.n_latent)
            latent_start += gen.n_latent
            if self.n_classes:
                inputs = join_columns(
                    inputs, columns(z, class_start, class_start + self.n_classes)
                )
            if k:
                inputs = join_columns(inputs, self.pyramid.up(k, x))
            streams = rng.fold(k) if rng is not None else None
            out, after = gen.net.apply(
                params[k], statistics[k], inputs, rng=streams, train=train
            )
            is_top = k == len(self.generators) - 1
            level_noise = noise if is_top else gen.emission.silence(len(z), out.dtype)
            x = emit(out, level_noise, gen.emission, gen.temperature)
            all_statistics.append(after)
        return x, tuple(all_statistics)


class StageGame(Game):
    """Game of images of one resolution, ``level``, with 0 for the smallest images;
    ``below`` are the states of smaller images. With ``of_data``, details are added to
    real rows, on which the discriminator is also conditional."""

    def __init__(self, run, nets, *, level, pyramid_generator, of_data):
        super().__init__(run, nets)
        self.level, self.pyramid_generator, self.of_data = (
            level,
            pyramid_generator,
            of_data,
        )
        self.below = []

    @property
    def n_seen(self):
        """Number of columns of the discriminator's inputs for a row."""
        n = self.emission.n_inputs
        return n + self.generator.n_given if self.of_data else n

    def read(self, batch):
        """Real rows of a minibatch at this resolution, and conditions of both nets."""
        levels = self.pyramid_generator.pyramid.levels(self.rows.take(batch))
        x, known = self.emission.inputs(levels[self.level])
        below = given_below(self.pyramid_generator, levels, self.level)
        return x, known, NetConditions(self.rows.accompanying(batch), below)

    def player_update(self, which, rows, clock):
        """:class:`PlayerUpdate`; a stack also needs images of the generators below."""
        update = super().player_update(which, rows, clock)
        if self.of_data or not self.level:
            return update
        lower = self.pyramid_generator._replace(
            generators=self.pyramid_generator.generators[: self.level]
        )
        n, dtype, rng = len(update.x), self.rows.dtype, update.rng.fold(_BELOW)
        z = lower.given(lower.latent(rng, n, dtype), update.given.classes)
        noise = lower.emission.noise(rng.fold(_EMIT), n, dtype)
        learned = [state.learned[0] for state in self.below]
        all_statistics = [state.generator.statistics for state in self.below]
        x, _ = lower.draw(learned, all_statistics, z, noise)
        x = self.pyramid_generator.pyramid.up(self.level, x)
        return update._replace(given=update.given._replace(columns=x))

    def seen(self, x, update, side=0):
        """Inputs of the discriminator for rows x, real (side 0) or generated (side
        1)."""
        update = update if self.of_data else update._replace(given=NetConditions())
        return super().seen(x, update, side)


def given_below(pyramid_generator, levels, level):
    """Condition of the generator at ``level``: upsampled images of the level below;
    blocks of missing pixels have the value 0, or the probability 0.5."""
    if not level:
        return None
    low, kinds = (
        levels[level - 1],
        pyramid_generator.generators[level - 1].emission.kinds,
    )
    low = np.where(np.isnan(low), np.where(kinds == "gaussian", 0, 0.5), low)
    return pyramid_generator.pyramid.up(level, low.astype(levels[level].dtype))


class Stages(Objective):
    """Games at several resolutions, which share minibatches. ``nets`` has a
    :class:`PyramidGenerator` as ``generator``, the nets of each resolution as
    ``levels``, and ``of_data``, as in :class:`StageGame`."""

    quantity, LOCAL = "similarity", ()

    def __init__(self, run, nets):
        super().__init__(run)
        self.generator = nets.generator
        self.stages = [
            StageGame(
                run._replace(seed=(run.seed + level) % MAX_SEED),
                level_nets,
                level=level,
                pyramid_generator=nets.generator,
                of_data=nets.of_data,
            )
            for level, level_nets in enumerate(nets.levels)
        ]

    def start(self):
        return StagesState(tuple(stage.start() for stage in self.stages))

    def resume(self, state):
        pairs = zip(self.stages, state.stages)
        return StagesState(tuple(stage.resume(before) for stage, before in pairs))

    def step(self, state, batch, clock):
        """Update both nets of each game, from the smallest images up."""
        updated = []
        for stage, before in zip(self.stages, state.stages):
            stage.below = updated
            updated = [*updated, stage.step(before, batch, clock)]
        return StagesState(tuple(updated))

    def watch(self, table, held_out, state):
        return GeneratorWatch(self, table, held_out, state)
