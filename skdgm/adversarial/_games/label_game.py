r"""Game of a generator and a discriminator that classifies rows.

The discriminator has a logit :math:`l_k` for each of K classes, and the logit of an
additional class, "generated", is fixed at zero [1]_ [2]_. With :math:`L(x) = \log
\sum_k e^{l_k(x)}`,

.. math:: p(y = k \mid x, \text{real}) = e^{l_k(x) - L(x)}, \qquad
   D(x) = p(\text{real} \mid x) = \frac{e^{L(x)}}{e^{L(x)} + 1},

it minimizes

.. math:: -\mathbb{E} \log p(y \mid x, \text{real})
   - w \, \mathbb{E} \log D(x) - w \, \mathbb{E} \log (1 - D(g(z))),

the first term over labeled rows, the second over all rows. The generator minimizes the
distance of mean hidden units, :math:`\lVert \mathbb{E} h(x) - \mathbb{E} h(g(z))
\rVert^2`, or :math:`-\mathbb{E} \log D(g(z))`.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
.. [2] Odena (2016). Semi-supervised learning with generative adversarial networks.
   arXiv:1606.01583.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from skdgm.adversarial._games.game import DEFORM, DISCRIMINATE, Game, NetConditions
from skdgm.adversarial._games.label_losses import LabelVerdict, of_labels
from skdgm.data.labels import weight_of_classes
from skdgm.training import LabelWatch, epoch, labeled, split_labeled
from skdgm.utils import random

_LABELS = 1


@dataclass(frozen=True)
class Sides:
    """Row indices of an update: all rows, and labeled rows, possibly the same."""

    rows: np.ndarray
    known: np.ndarray

    def __len__(self):
        return len(self.rows)


class RowLabels(NamedTuple):
    """Label codes of an update of the discriminator, (n_labeled,), and their rows x;
    None means all rows of the update."""

    codes: np.ndarray
    x: np.ndarray = None


def logits(nets, state, x, known=None):
    """Logits of all classes for rows x."""
    statistics = state.discriminator.statistics
    return nets.discriminator.judge(state.learned[1], statistics, x)[0]


class LabelGame(Game):
    """Adversarial training of a classifier, whose discriminator has a logit for each of
    ``n_classes``. ``deform`` is a :class:`~skdgm.nets.images.deform.Deformation` of
    real rows, or None."""

    quantity = "log probability of labels"

    def resume(self, state):
        state = super().resume(state)
        mean = self.average(state.discriminator_mean, state.discriminator.params)
        return state._replace(discriminator_mean=mean)

    def draw(self, table, number):
        """Minibatches of an epoch, each with the same number of labeled rows if there
        are enough; labeled rows are repeated as often as needed."""
        batches, labeled_table = super().draw(table, number), labeled(table)
        if len(labeled_table.index) == len(table.index):
            return [Sides(batch, batch) for batch in batches]
        if not len(labeled_table.index):
            return [Sides(batch, batch[:0]) for batch in batches]
        n = min(self.options.batch_size, labeled_table.n_draws)
        rng = random.stream(self.seed, self.SHUFFLE, self.epochs_before + number)
        rng, draws = rng.fold(_LABELS), []
        for repeat in range(-(-n * len(batches) // labeled_table.n_draws)):
            draws += epoch(labeled_table, labeled_table.n_draws, rng.fold(repeat))
        draws = np.concatenate(draws)[: n * len(batches)].reshape(-1, n)
        return list(map(Sides, batches, draws))

    def split(self, table):
        """Split the labeled rows; all unlabeled rows are for training."""
        return split_labeled(table, super().split)

    def read(self, batch):
        """Real rows of a minibatch, with labels in place of classes."""
        x, known = self.emission.inputs(self.rows.take(batch.rows))
        codes, labeled_x = self.rows.accompanying(batch.known), None
        if batch.known is not batch.rows:
            labeled_x, _ = self.emission.inputs(self.rows.take(batch.known))
        return x, known, NetConditions(RowLabels(codes, labeled_x))

    def player_update(self, which, rows, clock):
        """:class:`PlayerUpdate`; the generator's has no labels."""
        update = super().player_update(which, rows, clock)
        return (
            update if which == DISCRIMINATE else update._replace(given=NetConditions())
        )

    def sides(self, fake, after, params, statistics, update):
        """Real rows, followed by labeled rows, and generated rows."""
        real, *rest = super().sides(fake, after, params, statistics, update)
        labels = update.given.classes
        if labels is not None and labels.x is not None:
            real = np.concatenate([real, labels.x])
        if self.nets.deform is not None:
            real = self.nets.deform(real, update.rng.fold(DEFORM))
            # Deformed bits are rounded, since generated bits are nearly 0 or 1.
            bits = self.emission.kinds == "bernoulli"
            real[:, bits] = real[:, bits] >= 0.5
        return real, *rest

    def verdict(self, update):
        """:class:`LabelVerdict`: losses of both players."""
        return LabelVerdict(update.given.classes, self.options.unlabeled_weight)

    def discriminate(self, state, update):
        """Update the discriminator."""
        state = super().discriminate(state, update)
        mean, params = state.discriminator_mean, state.discriminator.params
        self.average(mean, params, self._number(update.clock) + 1)
        return state

    def watch(self, table, held_out, state):
        return ClassWatch(self, table, held_out, state)


class ClassWatch(LabelWatch):
    """Negative log-probability of the labels of training rows and of held-out rows."""

    def __init__(self, objective, table, held_out, state):
        self.objective = objective
        super().__init__(table, held_out, random.stream(objective.seed, random.PROBE))
        counts = weight_of_classes(table, objective.nets.n_classes) + 1
        log_frequencies = np.log(counts / counts.sum())
        self.compare(log_frequencies[self.rows.accompanying(self.monitored)], state)

    def _loss(self, state, index, weight):
        return super()._loss(state, index, weight) if len(index) else 0.0

    def _losses(self, state, index, part):
        x, _ = self.objective.emission.inputs(self.rows.take(index))
        out = logits(self.objective.nets, state, x)
        return of_labels(out.astype(np.float64), self.rows.accompanying(index))[0]
