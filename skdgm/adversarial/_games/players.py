"""Discriminator, and training states of the players of a game."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skdgm.nets import Part, layers
from skdgm.nets.adversarial.packing import packed, weighted

# Factor of the initial weights of logits, which begin near zero.
_SMALL = 0.1


class GameState(NamedTuple):
    """Training state of a game."""

    generator: Part
    discriminator: Part
    # Exponential average of the generator's parameters; or ().
    mean: tuple
    # Number of updates of the generator, of shape (1,).
    t: np.ndarray
    # Parts of some games only: the average of the discriminator's parameters; the net
    # that reads codes; and running means of the mutual information of two views by each
    # of its heads, in nats, with 1 for the chosen one, (2, n_heads).
    discriminator_mean: tuple = ()
    reader: object = ()
    told: object = ()

    @property
    def params(self):
        """Parameters of all nets: first the generator, then the discriminator."""
        return self._all(self.generator.params, self.discriminator.params)

    @property
    def learned(self):
        """Parameters to use, averaged if there is an average."""
        generator = self.mean or self.generator.params
        discriminator = self.discriminator_mean or self.discriminator.params
        return self._all(generator, discriminator)

    def _all(self, generator, discriminator):
        if not self.reader:
            return generator, discriminator
        return generator, discriminator, self.reader.params


class DiscriminatorNet(NamedTuple):
    """Net from rows, ``packing`` of them together, to logits: its ``body`` goes to
    hidden units, its ``head`` from the last of these to a logit for each class, or to
    one."""

    body: object
    head: object
    packing: int = 1

    def init(self, rng, n_inputs, dtype):
        """Initial parameters and statistics of both nets."""
        width, body, kept = self.body.init(rng, n_inputs * self.packing, dtype)
        _, head, kept_by_head = self.head.init(rng, width, dtype)
        head.W[:] *= _SMALL
        return (body, head), (kept, kept_by_head)

    def hidden(self, params, statistics, x, dropout=None):
        """Last hidden units of packed rows, and updated statistics; ``dropout`` is a
        stream in training."""
        train = dropout is not None
        return self.body.apply(params[0], statistics[0], x, rng=dropout, train=train)

    def judge(self, params, statistics, x, dropout=None):
        """Logits of packed rows, hidden units, and updated statistics; ``dropout`` is a
        stream in training."""
        h, kept = self.hidden(params, statistics, x, dropout)
        logits, kept_by_head = self.head.apply(
            params[1], statistics[1], h, rng=dropout, train=dropout is not None
        )
        return logits, h, (kept, kept_by_head)

    def critic(self, mask=None):
        """Net with one output for a pack: its logit, or that of its classes by a mask,
        weights of the logits."""
        return layers.serial(self.body, self.head, _pick(mask))

    def packed(self, x):
        """Rows side by side, of shape (n_rows // packing, packing * n_columns)."""
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
    """Return whether there are real columns, and no grey ones."""
    return emission.continuous.any() and not (emission.kinds == "grey").any()
