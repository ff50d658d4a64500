r"""Likelihood of documents given their lengths, as an objective.

.. math:: \frac{\partial \log p(x \mid n)}{\partial \theta} = \mathbb{E}_{h \mid x}
   \left[-\frac{\partial E}{\partial\theta}\right] - \mathbb{E}_{x', h' \mid n}
   \left[-\frac{\partial E}{\partial\theta}\right], \qquad -E = b^\top x + x^\top W h +
   n \, a^\top h

The gradient is that of the log-likelihood divided by the mean length of documents.
Chains have their own lengths; their statistics are multiplied by the ratio between the
numbers of words in the batch and in the chains, so that batches of long documents do
not raise all biases. The gradient is centered at the shares of the words in the data,
and at running means of the hidden units.
"""

from functools import cached_property

import numpy as np

from skdgm.boltzmann._documents.density import expected, lengths_of
from skdgm.boltzmann._documents.phases import PHASES, totals
from skdgm.boltzmann.learning.objective import EnergyObjective
from skdgm.boltzmann.model_options import penalties_per_row
from skdgm.couplings import Contrast
from skdgm.energies import Params, mean_row
from skdgm.gradients.steps import centering
from skdgm.optim import learning_rate, piecewise
from skdgm.training import DensityWatch
from skdgm.utils.lists import Lists
from skdgm.utils.math import softplus
from skdgm.utils.random import PROBE, stream

# The learning rate is divided by the mean length plus _ADDED_LENGTH, at least
# _MIN_LENGTH: with larger rates, Adam's steps would be mostly noise.
_ADDED_LENGTH, _MIN_LENGTH = 10.0, 30.0
_HALVES = 3


class DocumentObjective(EnergyObjective):
    """Log-likelihood per word of documents, maximized by CD or persistent chains. The
    offsets of its states are the shares of the words in all data, which stay fixed, and
    running means of the hidden units."""

    quantity = "log-likelihood of each half of a document given the other"
    draw = EnergyObjective.batches

    def phase_of(self, options):
        return PHASES[options.gradient]

    @property
    def domain(self):
        """Type of the columns."""
        return self.known[0]

    @cached_property
    def length(self):
        """Mean length of documents."""
        return self.domain.length(self.known[1])

    @property
    def _by_blas(self):
        return not self.rows.listed

    def watch(self, table, held_out, state):
        return HalvesWatch(self, table, held_out, state)

    def step(self, state, batch, clock):
        rng, v = self.stream(clock), self.complete(state.params, batch.v)
        x, clamp = (v, None), (True, None)
        phases, state = self.phase.phases(rng, state, x, clamp, clock)
        (x, h), (x_model, h_model) = phases
        lengths, n_model = map(totals, (x, x_model))
        mean_length = lengths.mean()
        per_word = 1 / max(self.length, 1e-12)
        per_model_word = per_word * mean_length / max(n_model.mean(), 1e-12)
        dtype = h.dtype.type
        h, h_model = h * dtype(per_word), np.asarray(h_model) * dtype(per_model_word)
        of_words = mean_row(x) * dtype(per_word) - mean_row(x_model) * dtype(
            per_model_word
        )
        of_hidden = _weighted(lengths, h) - _weighted(n_model, h_model)
        grad = Params((of_words, of_hidden), (Contrast(x, h, x_model, h_model),))
        self.ascend(state, grad, clock)
        total = max(lengths.sum(), 1e-12)
        mean = (lengths @ h / (total * per_word)).astype(h.dtype)
        if mean_length:
            share, old = state.offsets
            old = old + dtype(centering.RATE) * (mean - old)
            state = state._replace(offsets=(share, old))
        return state

    def complete(self, params, v):
        """Rows in which missing counts are replaced by their expectations."""
        if isinstance(v, Lists) or not np.isnan(v).any():
            return v
        (_, a), (W,) = params
        known = np.nan_to_num(v)
        field = known @ W + lengths_of(v)[:, None].astype(a.dtype) * a
        h = self.energy.units[1].mean(field)
        return np.where(np.isnan(v), expected(params, v, h), v)

    def ascend(self, state, grad, clock):
        options = self.options
        # The inputs of hidden units are sums over all words.
        rate = options.learning_rate / max(self.length + _ADDED_LENGTH, _MIN_LENGTH)
        rate = learning_rate(rate, options.schedule, clock, options.power_t)
        grad = centering.center(self.energy, state.params, grad, state.offsets)
        self.solver.step(
            state.params,
            state.optimizer,
            grad,
            rate=rate,
            momentum=piecewise(options.momentum, clock),
            **penalties_per_row(options),
        )
        self.energy.constrain(state.params, options.max_norm)


def _weighted(lengths, h):
    """Mean over rows of the hidden units times the lengths."""
    return (lengths @ h / len(h)).astype(h.dtype)


class HalvesWatch(DensityWatch):
    """Negative log-likelihood of each half of a document given the other half, in nats.
    The words of each document are divided into the same halves each time. The words of
    one half are predicted by the hidden means given the other half."""

    baseline_warning = (
        "predicts half of a document worse than the shares of the words do."
    )

    def __init__(self, objective, table, held_out, state):
        self.objective, self.root = objective, stream(objective.seed, PROBE, _HALVES)
        kind, columns = objective.known
        independent_loss = kind.loss_of_independent(columns)
        rng = stream(objective.seed, PROBE)
        super().__init__(table, held_out, rng, independent_loss, state)

    def _losses(self, state, index, part):
        v = self.rows.take(index).astype(np.float64)
        v = np.nan_to_num(v)
        rng = self.root.rows(np.arange(part.start, part.stop, dtype=np.uint64))
        half, coin = np.floor(v / 2), rng.uniform(v.shape[1]) < 0.5
        first_half = half + coin * (v - 2 * half)
        (b, a), (W,) = state.params
        W = np.asarray(getattr(W, "W", W), np.float64)
        return self._given(first_half, v - first_half, b, a, W) + self._given(
            v - first_half, first_half, b, a, W
        )

    def _given(self, known, rest, b, a, W):
        field = known @ W + known.sum(axis=1, keepdims=True) * a
        logits = b + np.exp(-softplus(-field)) @ W.T
        high = logits.max(axis=1, keepdims=True)
        total = high[:, 0] + np.log(np.exp(logits - high).sum(axis=1))
        return rest.sum(axis=1) * total - (rest * logits).sum(axis=1)
