"""How a machine with labels in its visible layer learns of them."""

import numpy as np
from scipy.special import log_softmax, softmax

from skdgm.boltzmann._trainer import PROBE, Trainer
from skdgm.gradients import complete, discriminative, joined
from skdgm.inference import Posterior, mean_field
from skdgm.training import Batch, epoch
from skdgm.units import one_hot
from skdgm.utils.random import stream

# The label's block.
LABEL = 1
UNKNOWN = -1

_DRAW, _HOLES = range(2**20, 2**20 + 2)
# Rows that are watched: an eighth, but no fewer and no more than these.
_FEW_ROWS, _MANY_ROWS = 250, 1000
# By how much training may miss both where it began and what frequencies give, in nats.
_USELESS = 2.0
# And by how much at most, unless training diverged.
_DIVERGED = 10.0


def drawn(rng, posterior):
    """Labels from their exact distribution given the rest, as lists."""
    log_p = posterior.log_joint()
    below = softmax(log_p, axis=1).cumsum(axis=1)[:, :-1]
    codes = (rng.rows(len(log_p)).uniform(1) >= below).sum(axis=1)
    return one_hot(codes, posterior.n_states, posterior.params.dtype)


class LabelTrainer(Trainer):
    """Learns the joint distribution of data and labels, or that of labels given data,
    or both at once."""

    def present(self, batch, rng=None):
        """Clamp the machine to rows of data and the labels that are known."""
        (v, _, _), (held, _, _) = super().present(batch, rng)
        n_labels, dtype = self.energy.units[LABEL].size, self.rows.dtype
        known = batch.labels != UNKNOWN
        if known.all():
            return (v, one_hot(batch.labels, n_labels, dtype), None), (held, True, None)
        y = np.eye(n_labels, dtype=dtype)[np.maximum(batch.labels, 0)]
        y[~known] = self.moments[LABEL]
        return (v, y, None), (held, np.repeat(known[:, None], n_labels, axis=1), None)

    def gradient(self, rng, state, x, clamp, clock):
        """That of the objective: log p(v, y), log p(y | v), or the sum of the second
        and ``alpha`` times the first."""
        recipe, energy, params = self.recipe, self.energy, state.params
        labelled = (
            np.ones(len(x[0]), bool) if clamp[LABEL] is True else clamp[LABEL].T[0]
        )
        x, clamp = self._completed(rng, params, x, clamp)
        if recipe.objective == "generative":
            return super().gradient(rng, state, x, clamp, clock)
        data, _ = mean_field(energy, params, x, clamp)
        generative = None
        if recipe.objective == "hybrid" and recipe.alpha > 0:
            plain = state._replace(activity=())
            generative, plain = super().gradient(rng, plain, x, clamp, clock)
            state = plain._replace(activity=state.activity, offsets=state.offsets)
        pulled, state = self._noted(state, data)
        grad = discriminative(energy, params, pulled, LABEL, labelled)
        if generative is not None:
            grad = joined(grad, generative, recipe.alpha)
        return grad, state

    def _completed(self, rng, params, x, clamp):
        """Rows with what was missing drawn: labels alone exactly."""
        if clamp[0] is True and clamp[LABEL] is not True:
            y = np.asarray(drawn(rng.fold(_DRAW), Posterior(self.energy, params, x, 1)))
            y = np.where(clamp[LABEL], x[LABEL], y)
            x, clamp = (
                (x[0], self.energy.units[LABEL].pack(y), None),
                (True, True, None),
            )
        return complete(rng.fold(_HOLES), self.energy, params, x, clamp, n_steps=1)


class LabelMonitor:
    """Minus the log probability of the labels of training rows and of held-out rows.

    Parameters
    ----------
    trainer : LabelTrainer
    table : Table
        What is trained on; a sample of its labelled rows is watched.
    held_out : Table or None
        What is not; all of it is watched.
    state : TrainState
        Where training begins.
    log_joint : callable
        ``log_joint(energy, params, x, clamp)`` of rows with each label.
    """

    useless = "predicts labels worse than their frequencies do."

    def __init__(self, trainer, table, held_out, state, log_joint):
        self.trainer, self.held_out, self.log_joint = trainer, held_out, log_joint
        labels = trainer.rows.labels
        known = epoch(table, table.n_draws, stream(trainer.seed, PROBE))[0]
        known = known[labels[known] != UNKNOWN]
        n_rows = np.clip(table.n_draws // 8, _FEW_ROWS, _MANY_ROWS)
        self.probe = known[:n_rows], np.ones(len(known[:n_rows]))
        codes = labels[self.probe[0]]
        surprise = -np.log(trainer.moments[LABEL][codes]).sum() / max(1, len(codes))
        self.allowed = max(surprise, self._loss(state.params, *self.probe))

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        return self.allowed + _DIVERGED

    def is_useless(self, loss):
        """Whether training did harm, and frequencies alone would do better."""
        return loss > self.allowed + _USELESS

    def __call__(self, state):
        """The two losses in nats per row; the second may be None."""
        loss, held_out = self._loss(state.params, *self.probe), self.held_out
        if held_out is None:
            return loss, None
        return loss, self._loss(state.params, held_out.index, held_out.weight)

    def _loss(self, params, index, weight):
        rows, trainer = self.trainer.rows, self.trainer
        total, norm = 0.0, np.finfo(np.float64).tiny
        for part in rows.blocks(len(index)):
            labels = rows.labels[index[part]]
            x, clamp = trainer.present(Batch(rows.present(index[part]), labels))
            log_p = log_softmax(
                self.log_joint(trainer.energy, params, x, clamp), axis=1
            )
            share = weight[part] * (labels != UNKNOWN)
            total += share @ log_p[np.arange(len(labels)), np.maximum(labels, 0)]
            norm += share.sum()
        return -total / norm
