"""How a machine with a block of labels learns of them."""

import numpy as np
from scipy.special import log_softmax, softmax

from skdgm.boltzmann._monitor import MachineWatch
from skdgm.boltzmann._trainer import Trainer
from skdgm.energies import contrast
from skdgm.gradients import complete, discriminative, joined
from skdgm.inference import Posterior, mean_field
from skdgm.metrics import log_conditionals
from skdgm.units import Softmax, one_hot, pick

UNKNOWN = -1

_DRAW, _HOLES = range(2**20, 2**20 + 2)
# By how much training may miss both where it began and what frequencies give, in nats.
_USELESS = 2.0
# And by how much at most, unless training diverged.
_DIVERGED = 10.0


def label_of(energy):
    """The number of the label's block: that of the softmax unit, of which there is one.

    In a restricted machine it stands beside the data, in a deep one above all others.
    """
    blocks = range(len(energy.units))
    return next(block for block in blocks if isinstance(energy.units[block], Softmax))


def with_label(parts, label, value):
    """A tuple with something of each block, another thing of the label's."""
    return (*parts[:label], value, *parts[label + 1 :])


def drawn(rng, posterior):
    """Labels from their exact distribution given the rest, as lists."""
    p = softmax(posterior.log_joint(), axis=1)
    return pick(p, rng, posterior.params.dtype)


class LabelTrainer(Trainer):
    """Learns the joint distribution of data and labels."""

    @property
    def label(self):
        """The label's block."""
        return label_of(self.energy)

    def present(self, batch, rng=None):
        """Clamp the machine to rows of data and the labels that are known."""
        x, clamp = super().present(batch, rng)
        n_labels, dtype = self.energy.units[self.label].size, self.rows.dtype
        known, held = batch.labels != UNKNOWN, True
        if known.all():
            y = one_hot(batch.labels, n_labels, dtype)
        else:
            y = np.eye(n_labels, dtype=dtype)[np.maximum(batch.labels, 0)]
            y[~known] = self.moments[self.label]
            held = np.repeat(known[:, None], n_labels, axis=1)
        return with_label(x, self.label, y), with_label(clamp, self.label, held)


class HybridTrainer(LabelTrainer):
    """Learns the joint distribution of data and labels, or that of labels given data,
    or both at once, in a machine with one hidden layer."""

    def gradient(self, rng, state, x, clamp, clock):
        """That of the objective: log p(v, y), log p(y | v), or the sum of the second
        and ``alpha`` times the first."""
        recipe, energy, params = self.recipe, self.energy, state.params
        held = clamp[self.label]
        labelled = np.ones(len(x[0]), bool) if held is True else held.T[0]
        x, clamp = self._completed(rng, params, x, clamp)
        if recipe.objective == "generative":
            return super().gradient(rng, state, x, clamp, clock)
        if recipe.objective == "discriminative" or recipe.alpha == 0:
            data, model = mean_field(energy, params, x, clamp)[0], None
        else:
            (data, model), state = self._phases(rng, state, x, clamp, clock)
        pulled, state = self._noted(state, data, model)
        grad = discriminative(energy, params, pulled, self.label, labelled)
        if model is not None:
            generative = contrast(energy, params, data, model)
            grad = joined(grad, generative, recipe.alpha)
        return grad, state

    def pseudo_likelihood(self, rng, params, batch):
        """That of binary rows, given their labels, and these labels' log probability.
        One that is not known is drawn: its own and its entropy cancel."""
        x, _ = self._completed(rng, params, *self.present(batch))
        log_joint = Posterior(self.energy, params, x, self.label).log_joint()
        log_p = (log_softmax(log_joint, axis=1) * np.asarray(x[self.label])).sum(axis=1)
        of_rows = log_conditionals(self.energy, params, x).sum(axis=1)
        return of_rows + np.where(batch.labels == UNKNOWN, 0.0, log_p)

    def _completed(self, rng, params, x, clamp):
        """Rows with what was missing drawn: labels alone exactly."""
        label = self.label
        if clamp[0] is True and clamp[label] is not True:
            posterior = Posterior(self.energy, params, x, label)
            y = np.asarray(drawn(rng.fold(_DRAW).rows(len(x[0])), posterior))
            y = self.energy.units[label].pack(np.where(clamp[label], x[label], y))
            x, clamp = with_label(x, label, y), with_label(clamp, label, True)
        return complete(rng.fold(_HOLES), self.energy, params, x, clamp, n_steps=1)


class LabelMonitor(MachineWatch):
    """Minus the log probability of the labels of training rows and of held-out rows.

    Parameters
    ----------
    trainer, table, held_out
        As of :class:`MachineWatch`.
    state : TrainState
        Where training begins.
    log_joint : callable
        ``log_joint(energy, params, x, clamp)``: log probabilities of each label, but
        for a constant a row; the labels that there are are not to be looked at.
    """

    useless = "predicts labels worse than their frequencies do."

    def __init__(self, trainer, table, held_out, state, log_joint):
        super().__init__(trainer, table, held_out)
        self.log_joint = log_joint
        codes = trainer.rows.labels[self.probe]
        surprise = -np.log(trainer.moments[trainer.label][codes]).sum() / max(
            1, len(codes)
        )
        self.allowed = max(surprise, self.of_probe(state))

    @property
    def limit(self):
        """A loss above it means that training diverged."""
        return self.allowed + _DIVERGED

    def is_useless(self, loss):
        """Whether training did harm, and frequencies alone would do better."""
        return loss > self.allowed + _USELESS

    def _among(self, index):
        return index[self.trainer.rows.labels[index] != UNKNOWN]

    def _watched(self, params, batch, part):
        x, clamp = self.trainer.present(batch)
        log_joint = self.log_joint(self.trainer.energy, params, x, clamp)
        codes = np.maximum(batch.labels, 0)[:, None]
        log_p = np.take_along_axis(log_softmax(log_joint, axis=1), codes, axis=1)
        return log_p, batch.labels[:, None] != UNKNOWN
