"""Phases of the gradient for documents, whose chains have their own lengths."""

import numpy as np

from skdgm.boltzmann._documents.density import conditioned
from skdgm.boltzmann.learning.phases import RECENT, Phase, Tempered
from skdgm.gradients import Phases
from skdgm.inference import last_means
from skdgm.samplers import Gibbs, State
from skdgm.utils.lists import Lists, dot
from skdgm.utils.random import INIT, stream

_DATA, _MODEL, _SWAPS = range(3)


def totals(v):
    """Lengths of complete rows, in float64."""
    return dot(v, np.ones(v.shape[1], v.dtype))


def _ladder(lengths, n_levels):
    """Lengths of chains and of their replicas, level by level: integers between the
    chain's own length and 1, in equal ratios."""
    powers = 1 - np.arange(n_levels) / max(1, n_levels - 1)
    rungs = [np.rint(lengths**power) if power < 1 else lengths for power in powers]
    return np.concatenate([np.minimum(rung, lengths) for rung in rungs])


class DocumentPhase(Phase):
    """Phases for documents, whose chains have their own lengths."""

    def packed(self, chains):
        """Chains as they are."""
        return chains

    def chains(self, params, phase, n_chains):
        """New chains, with lengths spread evenly over the lengths of training rows."""
        lengths = self.objective.domain.lengths(
            self.objective.table, n_chains // self.n_levels
        )
        lengths = _ladder(lengths, self.n_levels)
        energy, params = conditioned(params, lengths)
        rng = stream(self.seed, INIT, _MODEL).rows(len(lengths))
        return tuple(map(np.asarray, Gibbs(energy).init(rng, params.units).x))

    def phases(self, rng, state, x, clamp, clock):
        h, (start, h_start) = self.begun(rng, state, x)
        energy, params = conditioned(state.params, totals(start))
        # The words are drawn first.
        start = State((None, self.energy.units[1].pack(np.asarray(h_start))))
        rows, n_steps = rng.fold(_MODEL).rows(len(h_start)), self.n_steps(clock)
        chains, info = Gibbs(energy).step(rows, params, start, n_steps)
        chains, mean = tuple(map(np.asarray, chains.x)), info.means[1]
        state = self.after(rng, state, chains, clock)
        n_cold = len(mean) // self.n_levels
        words, mean = chains[0][:n_cold], mean[:n_cold]
        model = Lists.pack(words) if self.rows.listed else words, mean
        return Phases((x[0], h), model), state


class DataDocuments(DocumentPhase):
    """Contrastive divergence: chains that start at the documents."""

    persistent = False

    def begun(self, rng, state, x):
        """Means of hidden units given words, and the start of the chains."""
        energy, params = conditioned(state.params, totals(x[0]))
        rows = rng.fold(_DATA).rows(len(x[0]))
        start, info = Gibbs(energy, colors=(1,)).step(rows, params, State(x))
        return info.means[1], start.x

    def after(self, rng, state, chains, clock):
        """Unchanged state."""
        return state


class PersistentDocuments(DocumentPhase):
    """Persistent chains."""

    def begun(self, rng, state, x):
        """Means of hidden units given words, and the start of the chains."""
        energy, params = conditioned(state.params, totals(x[0]))
        return last_means(energy, params, x, (True, None))[1], state.chains

    def after(self, rng, state, chains, clock):
        """State with the chains."""
        return state._replace(chains=chains)


class TemperedDocuments(PersistentDocuments):
    """Persistent chains that exchange hidden units with chains of shorter documents."""

    @property
    def n_levels(self):
        """Number of lengths of each chain's replicas."""
        return self.options.n_temperatures

    def begin(self, state):
        """Swap rates of an earlier run, or zeros."""
        old = getattr(state.phase, "swap_rates", ())
        n_pairs = self.n_levels - 1
        return Tempered(old if len(old) == n_pairs else np.zeros(n_pairs), ())

    def after(self, rng, state, chains, clock):
        """State with chains after exchanges between neighboring lengths, and updated
        swap rates."""
        (x, h), first = chains, clock.batch % 2
        (b, a), (weights,), rates = *state.params, state.phase.swap_rates.copy()
        logits = b + self.energy.couplings[0].send(weights, h, up=False)
        high = logits.max(axis=1, keepdims=True)
        f = high[:, 0] + np.log(np.exp(logits - high).sum(axis=1)) + h @ a
        n = self.n_levels
        h, f = h.reshape(n, -1, h.shape[1]).copy(), f.reshape(n, -1).astype(float)
        lengths = x.sum(axis=1, dtype=np.float64).reshape(n, -1)
        u = rng.fold(_SWAPS, first).rows(h.shape[1]).uniform(n).T
        for level in range(first, n - 1, 2):
            gain = (lengths[level] - lengths[level + 1]) * (f[level + 1] - f[level])
            swap = np.log(np.maximum(u[level], 1e-300)) < gain
            h[level : level + 2, swap] = h[level : level + 2, swap][::-1]
            share = RECENT if rates[level] else 1.0
            rates[level] += share * (swap.mean() - rates[level])
        chains = x, h.reshape(len(x), -1)
        return state._replace(chains=chains, phase=Tempered(rates, ()))


PHASES = {
    "pcd": PersistentDocuments,
    "cd": DataDocuments,
    "tempering": TemperedDocuments,
}
