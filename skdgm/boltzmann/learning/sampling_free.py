"""Gradients without a negative phase."""

from typing import NamedTuple

import numpy as np

from skdgm.base import by_blocks
from skdgm.boltzmann.learning.phases import Phase
from skdgm.boltzmann.structure.labels import label_of
from skdgm.couplings import Contrast
from skdgm.energies import Params, contrast
from skdgm.gradients import complete, weighted_sum
from skdgm.gradients.sampling_free import flips
from skdgm.gradients.sampling_free.blocks import blocks
from skdgm.gradients.sampling_free.multi_prediction import multi_prediction, parts
from skdgm.gradients.sampling_free.noise_contrastive import noise_contrastive
from skdgm.gradients.sampling_free.scores import denoising, score_matching
from skdgm.inference import last_means, unroll
from skdgm.optim import learning_rate
from skdgm.utils import addresses
from skdgm.utils.tree import tree_map

_DRAWN, _CHAINS, _HOLES, _BITS = addresses.SAMPLING_FREE
# Bits in a block of the generalized pseudo-likelihood, and blocks in an update.
_BLOCK, _N_BLOCKS = 5, 16
# Noise of denoising score matching, in standard deviations of columns.
NOISE = 0.2


class WithoutChains(Phase):
    """Role: the gradient of an objective other than the likelihood. A subclass
    implements :meth:`slope`. The gradient does not use the chains, which still follow
    the model, so that samples may start from them."""

    by_blas = True

    def slope(self, rng, state, x, clamp, clock):
        """Gradient of the objective; values of each block for the rows, or means of
        unknown blocks; and the training state."""
        raise NotImplementedError

    def gradient(self, rng, state, x, clamp, clock):
        energy, params = self.energy, state.params
        grad, data, state = self.slope(rng, state, x, clamp, clock)
        penalized, state = self.with_running_means(state, data)
        if state.activity:
            # The difference is the gradient of the penalty.
            grad = weighted_sum(grad, contrast(energy, params, penalized, data), 1.0)
        return grad, self.moved(rng.fold(_CHAINS), state, self.n_steps(clock))

    def completed(self, rng, state, x, clamp, bits=True):
        """Complete rows, with bits drawn from gray values, and means of all blocks."""
        energy, params = self.energy, state.params
        x, _ = complete(rng.fold(_HOLES), energy, params, x, clamp, n_steps=1)
        v = np.asarray(x[0])
        if bits and not self.rows.binary:
            uniform = rng.fold(_BITS).rows(len(v)).uniform(v.shape[1], v.dtype.type)
            v = (uniform < v).astype(v.dtype)
        return v, last_means(energy, params, (v, None), (True, None))


class MultiPrediction(WithoutChains):
    """Random parts of rows, predicted from the other parts by unrolled mean field."""

    @staticmethod
    def check(options):
        if options.column_types != "bernoulli":
            raise ValueError(
                'gradient="multi-prediction" predicts bits: column_types must be '
                f'"bernoulli"; got {options.column_types!r}.'
            )

    @staticmethod
    def logits(density, rows, options):
        return predicted(density, rows, options.mean_field_steps)

    def slope(self, rng, state, x, clamp, clock):
        energy, n_sweeps = self.energy, self.options.mean_field_steps
        x = tuple(None if values is None else np.asarray(values) for values in x)
        seen, targets = parts(rng.fold(_DRAWN), energy, x, clamp)
        grad, means = multi_prediction(energy, state.params, x, seen, targets, n_sweeps)
        data = tuple(
            mean if known is None else np.where(known, values, mean)
            for values, known, mean in zip(x, clamp, means, strict=True)
        )
        return grad, data, state


class PseudoLikelihood(WithoutChains):
    """Rows compared with their neighbors, which differ in one bit."""

    term = staticmethod(flips.pseudo_likelihood)

    def slope(self, rng, state, x, clamp, clock):
        v, data = self.completed(rng, state, x, clamp)
        visible, hidden = self.energy.units
        generator = rng.fold(_DRAWN).generator()
        index = flips.sites(generator, len(v), visible.size, hidden.size)
        return flips.flips(state.params, v, index, self.term), data, state


class RatioMatching(PseudoLikelihood):
    """Ratios between the probabilities of rows and of their neighbors."""

    term = staticmethod(flips.ratio_matching)


class ProbabilityFlow(PseudoLikelihood):
    """Flow of probability from rows to their neighbors."""

    term = staticmethod(flips.probability_flow)


class BlockPseudoLikelihood(WithoutChains):
    """Blocks of bits given all other bits."""

    def slope(self, rng, state, x, clamp, clock):
        v, data = self.completed(rng, state, x, clamp)
        order = rng.fold(_DRAWN).generator().permutation(v.shape[1])
        drawn = np.array_split(order, -(-len(order) // _BLOCK))
        grad = blocks(state.params, v, drawn[:_N_BLOCKS])
        scale = max(1.0, len(drawn) / _N_BLOCKS)
        return weighted_sum(grad, grad, scale - 1) if scale > 1 else grad, data, state


class NoiseState(NamedTuple):
    """State of noise-contrastive estimation: log Z, of shape (1,), and the means of the
    noise."""

    log_Z: np.ndarray
    means: np.ndarray

    def attributes(self):
        """Fitted attributes by name."""
        return {"learned_log_Z_": float(self.log_Z[0])}


class NoiseContrastive(WithoutChains):
    """Classification of rows and noise."""

    def begin(self, state):
        """Log Z and noise of an earlier run, or of the model without couplings."""
        if isinstance(state.phase, NoiseState):
            return state.phase
        log_Z = self.energy.base(state.params, self.moments)[1]
        return NoiseState(np.array([log_Z]), self.moments[0])

    def slope(self, rng, state, x, clamp, clock):
        v, data = self.completed(rng, state, x, clamp)
        log_Z, means = state.phase
        q = means.astype(v.dtype)
        uniform = rng.fold(_DRAWN).rows(len(v)).uniform(v.shape[1], v.dtype.type)
        noise = (uniform < q).astype(v.dtype)

        def log_q(rows):
            return rows @ np.log(q) + (1 - rows) @ np.log(1 - q)

        grad, slope = noise_contrastive(
            self.energy, state.params, log_Z[0], v, noise, log_q
        )
        options = self.options
        rate = learning_rate(
            options.learning_rate, options.schedule, clock, options.power_t
        )
        return grad, data, state._replace(phase=NoiseState(log_Z + rate * slope, means))


class ScoreMatching(WithoutChains):
    """Match of the gradient of the log density of real rows."""

    def scores(self, rng, params, v):
        """Gradient of the objective."""
        return score_matching(self.energy.units[0], params, v)

    def slope(self, rng, state, x, clamp, clock):
        v, data = self.completed(rng, state, x, clamp, bits=False)
        # Gradients grow with precisions, so each column takes steps in its own units.
        (visible, c), (G,) = self.scores(rng, state.params, v)
        variance = np.exp(-state.params.units[0].log_precision)
        visible = tree_map(lambda part: part * variance, visible)
        coupling = Contrast.of(np.asarray(G) * variance[:, None])
        return Params((visible, c * variance.mean()), (coupling,)), data, state


class Denoising(ScoreMatching):
    """Match of the gradient of the log density of noisy rows."""

    def scores(self, rng, params, v):
        noise = rng.fold(_DRAWN).rows(len(v)).normal(v.shape[1], v.dtype)
        return denoising(self.energy.units[0], params, v, noise, NOISE)


OF_BITS = {
    "pseudo-likelihood": PseudoLikelihood,
    "block-pseudo-likelihood": BlockPseudoLikelihood,
    "ratio-matching": RatioMatching,
    "probability-flow": ProbabilityFlow,
    "noise-contrastive": NoiseContrastive,
}
OF_REALS = {"score-matching": ScoreMatching, "denoising": Denoising}
SAMPLING_FREE = {"multi-prediction": MultiPrediction} | OF_BITS | OF_REALS


def predicted(density, rows, n_sweeps):
    """Log probabilities of labels, predicted by the unrolled sweeps, up to a constant
    for each row: (n_rows, n_classes)."""
    energy, params = density.energy, density.params_for(rows, rows.dtype)
    label = label_of(energy)

    def logits(v):
        (v, *unknown), (clamped, *_) = density.clamp_rows(v)
        x = np.asarray(v), *unknown
        observed = np.broadcast_to(clamped, x[0].shape), *[None] * len(unknown)
        updates = unroll(energy, params, x, observed, n_sweeps)
        last_update = next(
            update for update in reversed(updates) if update.block == label
        )
        return energy.field(
            params, label, energy.received(params, last_update.before, label)
        )

    return by_blocks(logits, rows)
