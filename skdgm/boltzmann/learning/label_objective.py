"""Objectives of machines with a label."""

import numpy as np
from scipy.special import log_softmax

from skdgm.boltzmann.learning.monitor import MachineWatch
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.structure.labels import UNKNOWN, drawn, log_joint, with_label
from skdgm.energies import contrast
from skdgm.gradients import complete, discriminative, weighted_sum
from skdgm.inference import LabelPosterior, mean_field
from skdgm.metrics import log_conditionals
from skdgm.training import LabelWatch, split_labeled
from skdgm.utils import addresses

_DRAW, _HOLES = addresses.LABEL_LEARNING


class LabeledObjective(EnergyObjective):
    """Joint log-likelihood of data and labels, monitored by the log probability of
    labels."""

    quantity = "log probability of labels"

    def watch(self, table, held_out, state):
        return MachineLabelWatch(self, table, held_out, state)

    def split(self, table):
        """Split a table; all held-out rows are labeled."""
        self.table, held_out = split_labeled(table, super().split)
        return self.table, held_out

    def log_joint(self, params, x, clamp):
        """Log probability of each label by mean field, up to a constant for each row,
        (n_rows, n_classes). The labels in ``x`` are ignored."""
        energy, label = self.energy, self.label
        x, clamp = (with_label(parts, label, None) for parts in (x, clamp))
        limit = self.options.mean_field_steps
        means, _ = mean_field(energy, params, x, clamp, max_sweeps=limit)
        return energy.field(params, label, energy.received(params, means, label))


class HybridObjective(LabeledObjective):
    """Objective log p(v, y), log p(y | v) or both, for one hidden layer."""

    def log_joint(self, params, x, clamp):
        return log_joint(self.energy, params, x, clamp)

    def gradient(self, rng, state, x, clamp, clock):
        r"""Gradient of the objective, and the state with updated chains.

        .. math:: \log p(v, y), \qquad \log p(y \mid v), \qquad
           \log p(y \mid v) + \alpha \log p(v, y)

        for the objectives "generative", "discriminative" and "hybrid". Rows without a
        label contribute only to the generative part, with a label drawn from the model.
        """
        options, energy, params = self.options, self.energy, state.params
        clamped = clamp[self.label]
        labeled = np.ones(len(x[0]), bool) if clamped is True else clamped.T[0]
        x, clamp = self._completed(rng, params, x, clamp)
        if options.objective == "generative":
            return super().gradient(rng, state, x, clamp, clock)
        if options.objective == "discriminative" or options.generative_weight == 0:
            data, model = mean_field(energy, params, x, clamp)[0], None
        else:
            (data, model), state = self.phase.phases(rng, state, x, clamp, clock)
        penalized, state = self.phase.with_running_means(state, data, model)
        grad = discriminative(energy, params, penalized, self.label, labeled)
        if model is not None:
            generative = contrast(energy, params, data, model)
            grad = weighted_sum(grad, generative, options.generative_weight)
        return grad, state

    def pseudo_likelihood(self, rng, params, batch):
        r"""Log pseudo-likelihood of binary rows and their labels, in nats.

        .. math:: \log p(y \mid v) + \sum_i \log p(v_i \mid v_{-i}, y)

        For unknown labels, the first term is omitted and y is drawn from p(y | v): in
        expectation, its log probability and its entropy cancel.
        """
        x, clamp = self.clamp_rows(batch)
        x, _ = self._completed(rng, params, x, clamp)
        log_joint = LabelPosterior(self.energy, params, x, self.label).log_joint()
        log_p = (log_softmax(log_joint, axis=1) * np.asarray(x[self.label])).sum(axis=1)
        of_rows = log_conditionals(self.energy, params, x).sum(axis=1)
        return of_rows + np.where(batch.given == UNKNOWN, 0.0, log_p)

    def _completed(self, rng, params, x, clamp):
        """Rows with missing entries drawn; labels of complete rows are drawn
        exactly."""
        label = self.label
        if clamp[0] is True and clamp[label] is not True:
            posterior = LabelPosterior(self.energy, params, x, label)
            y = np.asarray(drawn(rng.fold(_DRAW).rows(len(x[0])), posterior))
            y = self.energy.units[label].pack(np.where(clamp[label], x[label], y))
            x, clamp = with_label(x, label, y), with_label(clamp, label, True)
        return complete(rng.fold(_HOLES), self.energy, params, x, clamp, n_steps=1)


class MachineLabelWatch(LabelWatch, MachineWatch):
    """Negative log probability of the labels of training rows and of held-out rows."""

    def __init__(self, objective, table, held_out, state):
        super().__init__(objective, table, held_out)
        frequencies = objective.moments[objective.label]
        self.compare(np.log(frequencies[self.rows.accompanying(self.monitored)]), state)

    def _watched(self, params, batch, part):
        x, clamp = self.objective.clamp_rows(batch)
        log_joint = self.objective.log_joint(params, x, clamp)
        codes = np.maximum(batch.given, 0)[:, None]
        log_p = np.take_along_axis(log_softmax(log_joint, axis=1), codes, axis=1)
        return log_p, batch.given[:, None] != UNKNOWN
