r"""Annealed importance sampling of log Z, forward and reverse.

Between a base model without couplings (beta = 0), whose :math:`Z_0` is known, and the
model (beta = 1) lie models :math:`p_\beta \propto p^*_\beta`. A chain that moves
through them has the weight

.. math:: \log w = \sum_k \log p^*_{\beta_k}(x_{k-1}) - \log p^*_{\beta_{k-1}}(x_{k-1}),
   \qquad \mathbb{E}[w] = Z_1 / Z_0 .

Here x is the state of all colours but the last, which is summed out given the others
[1]_ [2]_.
By Jensen's inequality the log of an average of few weights tends to be too low. In
reverse, from samples of the model itself down to the base model, the same average
estimates :math:`Z_0 / Z_1`, so that log Z tends to be too high [3]_.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
.. [2] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [3] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

from itertools import pairwise

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skdgm._kernels.machines.anneal import anneal as kernel
from skdgm.energies import Path, forms, n_weights
from skdgm.partition.estimate import of_weights
from skdgm.samplers import Gibbs, State, binary, draws, sitewise, sweep
from skdgm.utils.lists import Lists
from skdgm.utils.threading.parallel import run

_START, _UP, _DOWN = range(3)
# Number of chains of a block.
_CHAINS = 128
# Most temperatures of one kernel call, which Ctrl-C does not interrupt.
_CHUNK = 20


def forward(rng, energy, params, base, n_chains, betas, n_jobs=None):
    """Estimate log Z by annealing from the base model to the model.

    Parameters
    ----------
    rng : Stream
    energy : Energy
    params : Params
    base : pair
        Returned by :meth:`~skdgm.energies.Energy.base`.
    n_chains : int
    betas : array-like
        Inverse temperatures from 0 to 1; see :mod:`skdgm.partition.ladder`.
    n_jobs : int, optional
        Threads that share blocks of chains, besides the threads of kernels; the
        result does not depend on it.

    Returns
    -------
    estimate : Estimate
    """

    def weights(part):
        chains = rng.rows(np.arange(n_chains, dtype=np.uint64)[part])
        return upwards(chains, energy, params, base, betas)

    return of_weights(_in_blocks(weights, n_chains, n_jobs), base[1])


def reverse(rng, energy, params, base, start, betas, n_jobs=None):
    """Estimate log Z by annealing from samples of the model to the base model.

    Parameters
    ----------
    rng, energy, params, base, betas, n_jobs
        As for :func:`forward`.
    start : State
        Samples of the model, one for each chain.

    Returns
    -------
    estimate : Estimate
    """
    rng = rng.rows(len(start.x[0]))
    log_w = _downwards(rng, energy, params, base, start, betas, n_jobs)
    return of_weights(log_w, base[1], sign=-1.0)


def conservative(rng, energy, params, base, start, betas, n_jobs=None):
    r"""Estimate log probabilities of given states of all colours but the last, on
    average too low: (n_chains,).

    .. math:: \log \hat p(x) = \log p^*(x) - \log Z_0 + \log w

    where w is the weight of a chain from x down to the base model. The mean of w is the
    probability that unweighted chains from the base model up end at x [3]_. ``rng`` has
    a row for each state; other parameters are as for :func:`forward`.
    """
    log_w = _downwards(rng, energy, params, base, start, betas, n_jobs)
    return energy.log_marginal(params, start.x) - base[1] + log_w


def upwards(rng, energy, params, base, betas, trace=None):
    """Log weights of chains from the base model up; parameters as for :func:`anneal`,
    with the pair ``base``."""
    start = Gibbs(energy).init(rng.fold(_START), base[0])
    return anneal(rng.fold(_UP), energy, params, base[0], start, betas, trace)


def _downwards(rng, energy, params, base, start, betas, n_jobs):
    rows, betas = rng.fold(_DOWN), np.asarray(betas)[::-1]

    def weights(part):
        x = tuple(None if block is None else block[part] for block in start.x)
        return anneal(rows.take(part), energy, params, base[0], State(x), betas)

    return _in_blocks(weights, len(rows.ids), n_jobs)


def _in_blocks(weights, n_chains, n_jobs):
    """Log weights of chains, by blocks whose size does not depend on ``n_jobs``."""
    parts = gen_batches(n_chains, _CHAINS)
    found = Parallel(n_jobs, prefer="threads")(delayed(weights)(p) for p in parts)
    return np.concatenate(found)


def anneal(rng, energy, params, base, state, betas, trace=None):
    """Log weights of chains that are taken through inverse temperatures.

    ``state`` is theirs at the first of ``betas``; ``base`` has the parameters
    of each block in the base model; ``rng`` has a row, and the result, in float64, an
    entry for each chain. ``trace``, a list, gets the log weights after each step.
    """
    log_w, betas = np.zeros(len(rng.ids)), np.asarray(betas).tolist()
    if energy.is_sitewise:
        step, at_once = _by_sites, _CHUNK
    elif binary.serves(energy, params, state.x, energy.backwards):
        step, at_once = _steps, _CHUNK
    else:
        step, at_once = _step, 1
    at_once = at_once if trace is None else 1
    for first in range(0, len(betas) - 1, at_once):
        part = betas[first : first + at_once + 1]
        rngs = [rng.fold(first + number) for number in range(len(part) - 1)]
        state = step(rngs, energy, params, base, part, state, log_w)
        if trace is not None:
            trace.append(log_w.copy())
    return log_w


def anneal_clamped(rng, energy, params, base, state, betas, clamp):
    """Log weights of chains with clamped blocks, and their last states; other
    parameters as for :func:`anneal`."""
    log_w, betas = np.zeros(len(rng.ids)), np.asarray(betas).tolist()
    for number, part in enumerate(pairwise(betas)):
        rngs = [rng.fold(number)]
        state = _step(rngs, energy, params, base, part, state, log_w, clamp)
    return log_w, state


def _step(rngs, energy, params, base, betas, state, log_w, clamp=None):
    """Go to the next temperature."""
    (rng,), (here, there) = rngs, (Path(base, beta) for beta in betas)
    last = energy.colours[-1]
    received = {block: energy.received(params, state.x, block) for block in last}
    given = {"received": received, "path": there}
    log_w += energy.log_marginal(params, state.x, **given)
    log_w -= energy.log_marginal(params, state.x, received=received, path=here)
    given |= {"colours": energy.backwards, "clamp": clamp}
    return State(sweep(energy, params, state.x, draws(energy, rng), **given)[0])


def _by_sites(rngs, energy, params, base, betas, state, log_w):
    """Go through several temperatures, site by site."""
    given = energy, params, base, betas, state.x, log_w
    return State(sitewise.anneal(rngs, *given))


def _steps(rngs, energy, params, base, betas, state, log_w):
    """Go through several temperatures by a kernel; a stream for each but the first."""
    n_rows, dtype = len(log_w), params.dtype
    blocks = range(len(energy.units))
    sizes, last = [unit.size for unit in energy.units], energy.colours[-1]
    room = [tuple(np.empty((n_rows, size), dtype) for size in sizes) for _ in range(2)]
    x = tuple(
        Lists.empty(n_rows, sizes[block], dtype) if block in last else part.copy()
        for block, part in enumerate(state.x)
    )
    roots = [[rng.fold(block).root for block in blocks] for rng in rngs]
    run(
        kernel,
        *forms(params),
        params.units,
        base,
        np.array(betas),
        *binary.parts(x),
        *room,
        rngs[0].ids,
        np.array(roots, np.uint64),
        log_w,
        n=n_rows,
        work=2 * binary.DENSITY * n_rows * n_weights(params) * len(rngs),
    )
    return State(x)
