"""Markov chains of a machine, free or with clamped entries."""

import numpy as np
from sklearn.utils import check_random_state

from skdgm.boltzmann.structure.labels import label_of, with_label
from skdgm.distributions import one_hot
from skdgm.inference import mean_field
from skdgm.samplers import Gibbs, State
from skdgm.utils.counts import chain_lengths
from skdgm.utils.random import MAX_SEED, stream
from skdgm.utils.threading.threads import one_blas_thread


class MachineChains:
    """Chains of blocked Gibbs steps, from the visible units up and down again. They
    start at ``last``, the states of the training chains by block, or at ``noise(rng,
    dtype)``, independent visible values."""

    def __init__(self, density, last, noise):
        self.density, self.last, self.noise = density, last, noise

    def collect(
        self,
        look,
        n_samples,
        random_state=None,
        *,
        init="chains",
        codes=None,
        **lengths,
    ):
        """Run chains and collect ``n_samples`` rows of each array in the tuple
        ``look(state)``, which has a row for each chain: chain after chain, each in
        temporal order. ``init`` and ``lengths`` are the options of ``sample``; labels
        are clamped to ``codes``, of all chains or of each."""
        lengths = chain_lengths(n_samples, len(self.density.columns.seen), **lengths)
        rng = stream(check_random_state(random_state).randint(MAX_SEED))
        with one_blas_thread():
            state = self.start(init, lengths.n_chains, rng)
            params, clamp = self.density.params_for_chains, None
            if codes is not None:
                state, clamp = self._with_labels(state, codes, init)
            if lengths.burn_in:
                state = self.run(params, rng.fold(0), state, lengths.burn_in, clamp)
            collected, thin = [], lengths.thin
            for number in range(lengths.n_kept):
                state = self.run(params, rng.fold(1 + number), state, thin, clamp)
                collected.append(look(state))
        arrays = (np.stack(parts, axis=1) for parts in zip(*collected))
        return [
            array.reshape((-1, *array.shape[2:]))[: lengths.n_rows] for array in arrays
        ]

    def start(self, init, n_chains, rng):
        """Initial states of chains, for each value of ``init``."""
        rows = rng.rows(n_chains)
        if not isinstance(init, str):
            start = self.density.read(init)
            v = start.present(np.arange(n_chains) % start.shape[0])
            return self.from_rows(v, rows)
        if init == "chains":
            return State(self._packed(np.arange(n_chains) % len(self.last[0])))
        if init == "noise":
            dtype = self.density.params.dtype.type
            return self.from_rows(self.noise(rows, dtype), rows)
        raise ValueError(f"init must be 'chains', 'noise' or rows, not {init!r}.")

    def from_rows(self, v, rng):
        """Chains that start at visible values, with one stream for each row."""
        params, (x, clamp) = self.density.params, self.density.clamp_rows(v)
        return State(self.density.starts(params, x, clamp, rng))

    def run(self, params, rng, state, n_steps, clamp=None):
        """Run chains for some steps."""
        rows, energy = rng.rows(len(state.x[0])), self.density.energy
        sampler = Gibbs(energy, colors=energy.backwards, clamp=clamp)
        return sampler.step(rows, params, state, n_steps)[0]

    def filled(self, v, rng, n_steps, method):
        """Rows with missing entries imputed, on the scale of the model, by means
        averaged over the chain, or by its last draws if ``method`` is "sample"; ``rng``
        has a stream for each row."""
        energy, params = self.density.energy, self.density.params
        x, clamp = self.density.clamp_rows(v)
        means, _ = mean_field(energy, params, x, clamp)
        state, blocks = State(means), range(self.density.n_visible)
        moving = [block for block in blocks if clamp[block] is not True]
        totals = dict.fromkeys(moving, 0.0)
        sampler = Gibbs(energy, colors=energy.backwards, clamp=clamp)
        for number in range(n_steps):
            state, info = sampler.step(rng, params, state, first=number)
            for block in moving:
                totals[block] = totals[block] + info.means[block]
        values = list(x[: len(blocks)])
        for block in moving:
            mean, drawn = totals[block] / n_steps, np.asarray(state.x[block])
            imputed = drawn if method == "sample" else mean
            values[block] = np.where(clamp[block], x[block], imputed)
        return self.density.visible_of(values)

    def _packed(self, turn):
        """States of the training chains with these numbers."""
        units = self.density.energy.units
        return tuple(unit.pack(states[turn]) for unit, states in zip(units, self.last))

    def _with_labels(self, state, codes, init):
        """Chains clamped to labels, which start from training chains with the same
        label, if any."""
        energy, n_chains, x = self.density.energy, len(state.x[0]), state.x
        label = label_of(energy)
        codes = np.broadcast_to(codes, n_chains)
        if isinstance(init, str) and init == "chains":
            numbers = np.arange(n_chains) % len(self.last[0])
            chain_codes = self.last[label].argmax(axis=1)
            for code in np.unique(codes):
                with_code, rows = (
                    np.flatnonzero(chain_codes == code),
                    np.flatnonzero(codes == code),
                )
                if len(with_code):
                    numbers[rows] = with_code[np.arange(len(rows)) % len(with_code)]
            x = self._packed(numbers)
        y = one_hot(codes, energy.units[label].size, self.density.params.dtype)
        clamp = with_label((None,) * len(energy.units), label, True)
        return State(with_label(x, label, y)), clamp
