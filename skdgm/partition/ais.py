r"""Annealed importance sampling of log Z, forward and reverse.

A base model without couplings (beta = 0), whose :math:`Z_0` is known, and the model
(beta = 1) are connected by models :math:`p_\beta \propto p^*_\beta`. Chains along this
path have the weights of :mod:`skdgm.partition.annealing`. The state x has all colors
but the last, which is summed out given the others [1]_ [2]_. By Jensen's inequality,
the log of the average weight is too low on average. Reverse annealing, from samples of
the model to the base model, estimates :math:`Z_0 / Z_1`, so that log Z is too high on
average [3]_.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
.. [2] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [3] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skdgm._kernels.machines.anneal import AnnealedChains
from skdgm._kernels.machines.anneal import anneal as kernel
from skdgm._kernels.machines.arguments import TemperingPath
from skdgm.energies import Path, n_weights
from skdgm.partition.annealing import AnnealingPath, anneal
from skdgm.partition.estimate import of_weights
from skdgm.samplers import Gibbs, State, binary, draws, sitewise, sweep
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import run

_START, _UP, _DOWN = range(3)
# Number of chains that are annealed together.
_CHAINS = 128


class _Received(NamedTuple):
    """State of chains, and the input of each block of the last color."""

    x: tuple
    received: dict


class EnergyPath(AnnealingPath):
    """Annealing path from a base model without couplings to a model. ``base`` are the
    parameters of each block in the base model; ``clamp`` is as for
    :func:`~skdgm.samplers.sweep`. The last color is summed out, and its values in a
    state are ignored."""

    def __init__(self, energy, params, base, clamp=None):
        self.energy, self.params, self.base, self.clamp = energy, params, base, clamp

    def begin(self, x: tuple) -> Any:
        """State of chains with values x by block."""
        received, last = self.energy.received, self.energy.colors[-1]
        return _Received(x, {block: received(self.params, x, block) for block in last})

    def log_p(self, state, beta):
        path = Path(self.base, beta)
        return self.energy.log_marginal(
            self.params, state.x, received=state.received, path=path
        )

    def step(self, rng, state, beta):
        x, _ = sweep(
            self.energy,
            self.params,
            state.x,
            draws(self.energy, rng),
            colors=self.energy.backwards,
            clamp=self.clamp,
            path=Path(self.base, beta),
            received=state.received,
        )
        return self.begin(x)


class _CompiledPath(EnergyPath):
    """Path without clamped entries, with a kernel for several temperatures."""

    def begin(self, x):
        return State(x)

    def log_p(self, state, beta):
        path = Path(self.base, beta)
        return self.energy.log_marginal(self.params, state.x, path=path)

    def step(self, rng, state, beta):
        path, order = Path(self.base, beta), self.energy.backwards
        sampler = Gibbs(self.energy, colors=order, path=path)
        return sampler.step(rng, self.params, state)[0]


class _SitePath(_CompiledPath):
    """Path of an energy whose sites are updated in sequence."""

    def compiled_steps(self, rngs, state, betas, log_w):
        return State(
            sitewise.anneal(
                rngs, self.energy, self.params, self.base, betas, state.x, log_w
            )
        )


class _BinaryPath(_CompiledPath):
    """Path of a chain of binary layers."""

    def compiled_steps(self, rngs, state, betas, log_w):
        energy, params, n_rows = self.energy, self.params, len(log_w)
        blocks, dtype = range(len(energy.units)), params.dtype
        sizes, last = [unit.size for unit in energy.units], energy.colors[-1]
        received, eta = (
            tuple(np.empty((n_rows, n), dtype) for n in sizes) for _ in range(2)
        )
        x = tuple(
            Lists.empty(n_rows, sizes[block], dtype) if block in last else values.copy()
            for block, values in enumerate(state.x)
        )
        roots = [[rng.fold(block).root for block in blocks] for rng in rngs]
        run(
            kernel,
            binary.machine(params),
            TemperingPath(self.base, np.array(betas)),
            AnnealedChains(
                binary.parts(x), log_w, rngs[0].ids, np.array(roots, np.uint64)
            ),
            received,
            eta,
            n=n_rows,
            work=2 * binary.DENSITY * n_rows * n_weights(params) * len(rngs),
        )
        return State(x)


def path_of(energy, params, base, x):
    """Path of chains with values x, compiled if possible; see :class:`EnergyPath`."""
    kind = EnergyPath
    if energy.is_sitewise:
        kind = _SitePath
    elif binary.supports_sweeps(energy, params, x, energy.backwards):
        kind = _BinaryPath
    return kind(energy, params, base)


def forward(rng, energy, params, base, n_chains, betas, n_jobs=None):
    """Estimate log Z by annealing from the base model to the model.

    ``base`` is the result of :meth:`~skdgm.energies.Energy.base`, the parameters of the
    base model by block and its log Z. ``betas`` are inverse temperatures from 0 to 1;
    see :mod:`skdgm.partition.ladder`. ``n_jobs`` threads share blocks of chains, in
    addition to the threads of kernels; the result does not depend on it.
    """

    def some_weights(part):
        chains = rng.rows(np.arange(n_chains, dtype=np.uint64)[part])
        return upwards(chains, energy, params, base, betas)

    return of_weights(_in_blocks(some_weights, n_chains, n_jobs), base[1])


def reverse(rng, energy, params, base, start, betas, n_jobs=None):
    """Estimate log Z by annealing from samples of the model, the state ``start``, to
    the base model; other arguments are those of :func:`forward`."""
    rng = rng.rows(len(start.x[0]))
    log_w = _downwards(rng, energy, params, base, start, betas, n_jobs)
    return of_weights(log_w, base[1], sign=-1.0)


def conservative(rng, energy, params, base, start, betas, n_jobs=None):
    r"""Estimate log probabilities of given states, too low on average: (n_chains,).

    .. math:: \log \hat p(x) = \log p^*(x) - \log Z_0 + \log w

    States have all colors but the last, and w is the weight of a chain annealed from x
    to the base model. The mean of w estimates the probability that chains annealed from
    the base model to the model end at x [3]_. ``rng`` has a row for each state; other
    parameters are as for :func:`reverse`.
    """
    log_w = _downwards(rng, energy, params, base, start, betas, n_jobs)
    return energy.log_marginal(params, start.x) - base[1] + log_w


def upwards(rng, energy, params, base, betas, trace=None):
    """Log weights of chains annealed from the base model to the model, float64. ``rng``
    has a row for each chain; other parameters are as for :func:`forward`. The log
    weights after each step are appended to the list ``trace``, if given."""
    start = Gibbs(energy).init(rng.fold(_START), base[0])
    path = path_of(energy, params, base[0], start.x)
    return weights(rng.fold(_UP), path, start.x, betas, trace)


def weights(rng, path, x, betas, trace=None):
    """Log weights, (n_chains,), of chains with initial values x by block along an
    :class:`EnergyPath`; other parameters are as for :func:`upwards`."""
    log_w = np.zeros(len(rng.ids))
    anneal(path, rng.folds(), path.begin(x), betas, log_w, trace=trace)
    return log_w


def _downwards(rng, energy, params, base, start, betas, n_jobs):
    rows, betas = rng.fold(_DOWN), np.asarray(betas)[::-1]

    def some_weights(part):
        x = tuple(None if block is None else block[part] for block in start.x)
        path = path_of(energy, params, base[0], x)
        return weights(rows.take(part), path, x, betas)

    return _in_blocks(some_weights, len(rows.ids), n_jobs)


def _in_blocks(some_weights, n_chains, n_jobs):
    """Log weights of chains, in blocks whose size does not depend on ``n_jobs``."""
    parts = gen_batches(n_chains, _CHAINS)
    blocks = Parallel(n_jobs, prefer="threads")(delayed(some_weights)(p) for p in parts)
    return np.concatenate(blocks)
