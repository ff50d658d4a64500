r"""Likelihood of rows given conditions, as an objective.

.. math:: \frac{\partial \log p(y \mid x)}{\partial \theta} = \mathbb{E}_{h \mid x, y}
   \left[-\frac{\partial E}{\partial\theta}\right] - \mathbb{E}_{y, h \mid x}\left[
   -\frac{\partial E}{\partial\theta}\right]

Each row has its own model. Chains therefore start at its y, with its conditions
clamped.
"""

import numpy as np

from skdgm.boltzmann.learning.phases import DataChains
from skdgm.boltzmann.learning.table_objective import TableObjective
from skdgm.distributions import Binomial, Poisson
from skdgm.energies import contrast
from skdgm.gradients import complete, weighted_sum
from skdgm.gradients.contrastive import Phases
from skdgm.gradients.sampling_free.multi_prediction import multi_prediction
from skdgm.inference import last_means
from skdgm.partition.enumeration import MAX_BITS, Enumeration, few_bits
from skdgm.samplers import Gibbs
from skdgm.utils import addresses

_HOLES, _DRAWN = addresses.CONDITIONAL_LEARNING
# Number of bits of the smaller layer up to which updates enumerate its states.
_MAX_ENUMERATED_BITS = 8


class ConditionalChains(DataChains):
    """Chains that start at y, with the conditions clamped."""

    fused, by_blas = False, True

    def sampler(self, phase):
        return Gibbs(self.energy, clamp=clamp_of(self.energy))


class Enumerated(ConditionalChains):
    """Exact draws of y and the hidden units given the conditions, by enumeration of the
    layer with fewer states: an unbiased gradient."""

    def phases(self, rng, state, x, clamp, clock):
        energy, params, n_rows = self.energy, state.params, len(x[-1])
        n_steps, clamped = self.n_steps(clock), clamp_of(energy)
        x, _ = complete(rng.fold(_HOLES), energy, params, x, clamp, n_steps)
        drawn = Enumeration(energy, params).draw(x[-1], rng.fold(_DRAWN).rows(n_rows))
        drawn = [np.asarray(values, params.dtype) for values in drawn]
        data, model = (
            last_means(energy, params, values, clamped) for values in (x, drawn)
        )
        return Phases(data, model), state


class MeanFieldPredictions(ConditionalChains):
    """Predictions of y by a fixed number of mean-field sweeps given the conditions,
    with errors back-propagated through all sweeps."""

    def gradient(self, rng, state, x, clamp, clock):
        energy, params, n = self.energy, state.params, len(x) - 2
        x = tuple(None if value is None else np.asarray(value) for value in x)
        known = (np.broadcast_to(held, v.shape) for held, v in zip(clamp[:n], x))
        observed, targets = clamp_of(energy), (*known, None, None)
        n_sweeps = self.options.mean_field_steps
        grad, means = multi_prediction(energy, params, x, observed, targets, n_sweeps)
        visible = zip(targets[:n], x, means)
        values = (np.where(known, value, mean) for known, value, mean in visible)
        data = *values, *means[n:]
        penalized, state = self.with_running_means(state, data)
        if state.activity:
            penalty = contrast(energy, params, penalized, data)
            grad = weighted_sum(grad, penalty, 1.0)
        return grad, state


class Perturbed(Gibbs):
    """Gibbs sweeps with the same noise in each sweep: descent to a state of minimum
    energy under a perturbation, which is a sample if units are independent."""

    def step(self, rng, params, state, n_steps=1, first=0):
        for _ in range(n_steps):
            state, info = super().step(rng, params, state, 1, 0)
        return state, info


class PerturbAndDescend(ConditionalChains):
    """Descent from y under an energy with perturbed fields."""

    def sampler(self, phase):
        return Perturbed(self.energy, clamp=clamp_of(self.energy))


class ConditionalObjective(TableObjective):
    """Log-likelihood of rows given conditions, which are the last block."""

    def phase_of(self, options):
        bits = few_bits(self.energy)
        if options.gradient == "auto":
            return Enumerated if bits <= _MAX_ENUMERATED_BITS else ConditionalChains
        if options.gradient == "enumeration" and bits > MAX_BITS:
            raise ValueError(
                f'gradient="enumeration" needs y, or hidden units, of at most '
                f"2 ** {MAX_BITS} states, but they have 2 ** {bits:.4g} or more: use "
                '"cd", or fewer n_components.'
            )
        differentiable = all(hasattr(unit, "pull") for unit in self.energy.units[:-1])
        if options.gradient == "mean-field" and not differentiable:
            raise ValueError(
                'gradient="mean-field" predicts bits and categories, by hidden ones, '
                f"but y has other columns, or hidden={options.hidden!r}: use another "
                "gradient."
            )
        return GIVEN[options.gradient]

    @property
    def recentered(self):
        """As in :class:`EnergyObjective`: True for counts, whose weights have large
        effects."""
        counts = any(isinstance(unit, Binomial | Poisson) for unit in self.energy.units)
        return counts and self.options.solver == "adam" and not self.energy.triples

    def clamp_rows(self, batch, rng=None):
        """Clamp the machine to a batch of rows, and to their conditions."""
        x, clamp = super().clamp_rows(batch, rng)
        return (*x, batch.given), (*clamp, True)

    def _offsets(self, means):
        data_means = (
            fill.astype(mean.dtype) for fill, mean in zip(self.layout.fills, means)
        )
        return (*data_means, means[-2], np.zeros_like(means[-1]))


def clamp_of(energy):
    """Clamp of the conditions only, by block."""
    return (None,) * (len(energy.units) - 1) + (True,)


GIVEN = {
    "cd": ConditionalChains,
    "enumeration": Enumerated,
    "perturb-and-descend": PerturbAndDescend,
    "mean-field": MeanFieldPredictions,
}
