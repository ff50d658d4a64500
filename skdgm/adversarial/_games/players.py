"""Discriminator, and training states of the players of a game."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skdgm.nets import Part, layers
from skdgm.nets.adversarial.packing import packed, weighted

# Factor of the initial weights of logits, which are initially close to zero.
_SMALL = 0.1


class GameState(NamedTuple):
    """Training state of a game."""

    generator: Part
    discriminator: Part
    # Exponential average of the generator's parameters, or ().
    mean: tuple
    # Number of updates of the generator, (1,).
    t: np.ndarray
    # In some games: the average of the discriminator's parameters; the net that infers
    # codes; and for its heads the running means of mutual information, in nats, and an
    # indicator of the selected head, (2, n_heads).
    discriminator_mean: tuple = ()
    reader: object = ()
    head_information: object = ()

    # Names of fields in older files.
    RENAMED = {"told": "head_information"}

    @property
    def params(self):
        """Parameters of the generator, the discriminator and perhaps the reader."""
        return self._all(self.generator.params, self.discriminator.params)

    @property
    def learned(self):
        """Parameters to use, averaged if averages are maintained."""
        generator = self.mean or self.generator.params
        discriminator = self.discriminator_mean or self.discriminator.params
        return self._all(generator, discriminator)

    def _all(self, generator, discriminator):
        if not self.reader:
            return generator, discriminator
        return generator, discriminator, self.reader.params


class DiscriminatorNet(NamedTuple):
    """Net from packs of ``packing`` rows to logits: ``body`` computes hidden units, and
    ``head`` the logits, one or one for each class."""

    body: object
    head: object
    packing: int = 1

    def init(self, rng, n_inputs, dtype):
        """Initial parameters and statistics of body and head."""
        width, body, body_state = self.body.init(rng, n_inputs * self.packing, dtype)
        _, head, head_state = self.head.init(rng, width, dtype)
        head.W[:] *= _SMALL
        return (body, head), (body_state, head_state)

    def hidden(self, params, statistics, x, dropout=None):
        """Last hidden units of packed rows x, and updated statistics; ``dropout`` is a
        random stream in training."""
        train = dropout is not None
        return self.body.apply(params[0], statistics[0], x, rng=dropout, train=train)

    def judge(self, params, statistics, x, dropout=None):
        """Logits of packed rows x, hidden units, and updated statistics; ``dropout`` is
        a random stream in training."""
        h, body_state = self.hidden(params, statistics, x, dropout)
        logits, head_state = self.head.apply(
            params[1], statistics[1], h, rng=dropout, train=dropout is not None
        )
        return logits, h, (body_state, head_state)

    def critic(self, mask=None):
        """Net with a single output, the logit of a pack, weighted by ``mask`` if
        given."""
        return layers.serial(self.body, self.head, _pick(mask))

    def packed(self, x):
        """Concatenate rows into packs, (n_rows // packing, packing * n_columns)."""
        return x if self.packing == 1 else packed(x, self.packing)


def _pick(mask):
    """Net without parameters that sums weighted logits."""
    apply = partial(_weighted, mask)
    return layers.Net(_begin_pick, apply, partial(layers.tangent_linear, apply))


def _begin_pick(rng, n_inputs, dtype):
    return 1, (), ()


def _weighted(mask, params, statistics, x, rng=None, train=False):
    if mask is None:
        return x, statistics
    return weighted(x, mask), statistics


def of_numbers(emission):
    """Return True if there are real columns, and no columns of probabilities."""
    return emission.continuous.any() and not (emission.kinds == "gray").any()
