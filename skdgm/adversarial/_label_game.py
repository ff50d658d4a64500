r"""The game of a generator and a discriminator that tells classes apart.

The discriminator has a logit :math:`l_k` for each of K classes; that of a further one,
"generated", is fixed at zero [1]_ [2]_. With :math:`L(x) = \log \sum_k e^{l_k(x)}`,

.. math:: p(y = k \mid x, \text{real}) = e^{l_k(x) - L(x)}, \qquad
   D(x) = p(\text{real} \mid x) = \frac{e^{L(x)}}{e^{L(x)} + 1},

it lowers

.. math:: -\mathbb{E} \log p(y \mid x, \text{real})
   - w \, \mathbb{E} \log D(x) - w \, \mathbb{E} \log (1 - D(g(z))),

the first part over rows with a label, the second over all rows. The generator lowers
the distance of mean hidden units, :math:`\lVert \mathbb{E} h(x) - \mathbb{E} h(g(z))
\rVert^2`, or :math:`-\mathbb{E} \log D(g(z))`.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
.. [2] Odena (2016). Semi-supervised learning with generative adversarial networks.
   arXiv:1606.01583.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_softmax, logsumexp, softmax

from skdgm.adversarial._game import (
    _DISCRIMINATE,
    _DROP,
    _GENERATE,
    _NOISE,
    Game,
)
from skdgm.adversarial._players import GameState, follow
from skdgm.data.labels import UNKNOWN, weight_of_classes
from skdgm.implicit.generator import one_hot
from skdgm.nets.tape import vjp
from skdgm.training import Watch, epoch, labelled, split_labelled
from skdgm.utils import random
from skdgm.utils.math import softplus
from skdgm.utils.tree import copy

# Nats by which the loss of labels may exceed both its value at the start and that of
# their frequencies before training counts as useless, and as diverged.
_USELESS, _DIVERGED = 2.0, 10.0
_LABELS = 1


class LabelState(GameState):
    """Training state of a game with labels, whose ``mean`` is of both nets."""

    __slots__ = ()

    @property
    def learned(self):
        """Parameters to use, of the generator and of the discriminator."""
        return self.mean or self.params


class Sides(NamedTuple):
    """Rows of an update.

    Parameters
    ----------
    rows : ndarray of int
        Numbers of rows, with labels or without.
    known : ndarray of int
        Numbers of rows with labels; perhaps the same ones.
    """

    rows: np.ndarray
    known: np.ndarray

    def __len__(self):
        return len(self.rows)


class LabelGame(Game):
    """Adversarial training of a classifier.

    Parameters
    ----------
    recipe : object
        Options of a GANClassifier.
    rows, seed, epochs_before
        As of :class:`~skdgm.training.Objective`.
    generator : Generator
    discriminator : Discriminator
        With a logit for each class.
    n_classes : int
    """

    quantity = "log probability of labels"

    def __init__(self, *given, n_classes, **nets):
        super().__init__(*given, **nets)
        self.n_classes = n_classes

    def resume(self, state):
        """State to continue from; optimisers are kept if the solver is the same."""
        mean = state.mean if self.recipe.averaging else ()
        players = super().resume(state._replace(mean=()))[:2]
        if self.recipe.averaging and not mean:
            mean = copy(tuple(player.params for player in players))
        return LabelState(*players, mean, state.t)

    def draw(self, table, number):
        """Batches of an epoch, each with as many rows that have a label, if there are
        so many: drawn in the same way, as often as it takes."""
        batches, some = super().draw(table, number), labelled(table)
        if len(some.index) == len(table.index):
            return [Sides(batch, batch) for batch in batches]
        if not len(some.index):
            return [Sides(batch, batch[:0]) for batch in batches]
        n = min(self.recipe.batch_size, some.n_draws)
        rng = random.stream(self.seed, self.SHUFFLE, self.epochs_before + number)
        rng, draws = rng.fold(_LABELS), []
        for again in range(-(-n * len(batches) // some.n_draws)):
            draws += epoch(some, some.n_draws, rng.fold(again))
        draws = np.concatenate(draws)[: n * len(batches)].reshape(-1, n)
        return list(map(Sides, batches, draws))

    def split(self, table):
        """Split the rows that have a label; all others are for training."""
        return split_labelled(table, super().split)

    def step(self, state, batch, clock):
        """Update the discriminator and, every so many batches, the generator."""
        rng = self.stream(clock)
        x, known = self.emission.inputs(self.rows.take(batch.rows))
        state = self._discriminate(state, batch, x, known, rng, clock)
        if (self._number(clock) + 1) % self.recipe.n_discriminator_steps:
            return state
        return self._generate(state, x, known, rng, clock)

    def _discriminate(self, state, batch, x, known, rng, clock):
        recipe, before = self.recipe, state.discriminator
        rng, after, n = rng.fold(_DISCRIMINATE), (), len(x)
        fake, _ = self._drawn(*state.generator[:2], None, n, rng)
        parts = [x, self._seen(fake, known, rng.fold(_NOISE, 1), clock, True)]
        same = batch.known is batch.rows
        if not same:
            parts.append(self.emission.inputs(self.rows.take(batch.known))[0])
        rows, codes = np.concatenate(parts), self.rows.labels[batch.known]

        def judged(params):
            nonlocal after
            how = {"rng": rng.fold(_DROP), "train": True}
            out, _, after = self.discriminator.judge(
                params, before.statistics, rows, **how
            )
            return out

        def slopes(out):
            own = slice(0, n) if same else slice(2 * n, None)
            _, back = sides(out[:n], out[n : 2 * n], recipe.unlabeled_weight)
            back = np.concatenate([*back, np.zeros_like(out[2 * n :])])
            back[own] += of_labels(out[own], codes)[1]
            return -back.astype(out.dtype)

        _, grads = vjp(judged, before.params, slopes)
        after = before._replace(statistics=after)
        after = self._ascend(1, after, grads, recipe.learning_rate, clock, len(rows))
        if state.mean:
            follow(state.mean[1], after.params, self._share(self._number(clock)))
        return state._replace(discriminator=after)

    def _generate(self, state, x, known, rng, clock):
        recipe, before = self.recipe, state.generator
        rng, after = rng.fold(_GENERATE), ()
        net = state.discriminator.params, state.discriminator.statistics
        how = {"rng": rng.fold(_DROP), "train": True}

        def judged(params):
            nonlocal after
            fake, after = self._drawn(params, before.statistics, None, len(x), rng)
            fake = self._seen(fake, known, rng.fold(_NOISE, 1), clock, True)
            if recipe.feature_matching:
                return self.discriminator.hidden(*net, fake, **how)[0]
            return self.discriminator.judge(*net, fake, **how)[0]

        def slopes(out):
            if not recipe.feature_matching:
                return -as_real(out)[1].astype(out.dtype)
            target = self.discriminator.hidden(*net, x, **how)[0]
            gap = out.mean(axis=0) - target.mean(axis=0)
            return np.broadcast_to(-2 * gap / len(out), out.shape)

        _, grads = vjp(judged, before.params, slopes)
        after = before._replace(statistics=after)
        after = self._ascend(0, after, grads, recipe.learning_rate, clock, len(x))
        if state.mean:
            follow(state.mean[0], after.params, self._share(state.t[0]))
        state.t[0] += 1
        return state._replace(generator=after)

    def _share(self, n_before):
        """Weight of the parameters of an update in their average."""
        return 1 - min(self.recipe.averaging, (n_before + 1) / (n_before + 10))

    def watch(self, table, held_out, state):
        """Log probability of the labels that are known."""
        return LabelWatch(self, table, held_out, state)


class LabelWatch(Watch):
    """Negative log probability of the labels of training rows and of held-out rows.

    Parameters
    ----------
    objective : LabelGame
    table, held_out, state
        As of :class:`~skdgm.training.DensityWatch`.
    """

    useless = "predicts labels worse than their frequencies do."

    def __init__(self, objective, table, held_out, state):
        self.objective = objective
        super().__init__(table, held_out, random.stream(objective.seed, random.PROBE))
        counts = weight_of_classes(table, objective.n_classes) + 1
        log_p = np.log(counts / counts.sum())[self.rows.labels[self.probe]]
        by_frequencies = -log_p.sum() / max(1, len(log_p))
        self.allowed = max(by_frequencies, self.of_probe(state))

    @property
    def limit(self):
        """Loss above which training counts as diverged."""
        return self.allowed + _DIVERGED

    def is_useless(self, loss):
        """Return whether training did harm, and frequencies alone would do better."""
        return loss > self.allowed + _USELESS

    def _among(self, index):
        return index[self.rows.labels[index] != UNKNOWN]

    def _loss(self, state, index, weight):
        return super()._loss(state, index, weight) if len(index) else 0.0

    def _losses(self, state, index, part):
        game = self.objective
        x, _ = game.emission.inputs(self.rows.take(index))
        net = state.learned[1], state.discriminator.statistics
        out, _, _ = game.discriminator.judge(*net, x)
        return of_labels(out.astype(np.float64), self.rows.labels[index])[0]


def of_labels(out, codes):
    """Negative log probabilities of classes, and the gradient of their mean by logits.

    Parameters
    ----------
    out : ndarray of shape (n_rows, n_classes)
        Logits.
    codes : ndarray of int, of shape (n_rows,)

    Returns
    -------
    loss : ndarray of shape (n_rows,)
    back : ndarray of shape (n_rows, n_classes)
    """
    y = one_hot(codes, out.shape[1], out.dtype)
    loss = -(y * log_softmax(out, axis=1)).sum(axis=1)
    return loss, (softmax(out, axis=1) - y) / max(1, len(out))


def sides(real, fake, weight):
    """Loss of real and of generated rows, and its gradients by their logits.

    Parameters
    ----------
    real, fake : ndarray of shape (n_rows, n_classes)
        Logits.
    weight : float
        Factor of the loss.

    Returns
    -------
    loss : float
        Mean of :math:`-\\log D(x) - \\log (1 - D(g(z)))`, times the weight.
    back : (ndarray, ndarray)
    """
    loss, back = as_real(real)
    total = logsumexp(fake, axis=1)
    other = expit(total)[:, None] * softmax(fake, axis=1) / len(fake)
    loss = weight * (loss + softplus(total).mean())
    return loss, (weight * back, weight * other)


def as_real(out):
    """Mean of :math:`-\\log D`, and its gradient by logits."""
    total = logsumexp(out, axis=1)
    back = -expit(-total)[:, None] * softmax(out, axis=1) / len(out)
    return softplus(-total).mean(), back
