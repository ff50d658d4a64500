"""Chains that anneal from one model to another, and their importance weights.

A kernel takes chains of binary layers through many temperatures at once.
"""

import numpy as np

from skdgm._kernels.anneal import anneal as kernel
from skdgm.energies import Path, forms, n_weights
from skdgm.samplers import binary, gibbs
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import run

# Most temperatures of one kernel call, which Ctrl-C does not interrupt.
_CHUNK = 20


def anneal(rng, energy, params, base, state, betas, trace=None):
    r"""Take chains through inverse temperatures, and return their log weights.

    They are :math:`\log w` of :mod:`skdgm.partition.ais`.

    Parameters
    ----------
    rng : Stream
        With a row for each chain.
    energy : Energy
    params : Params
    base : tuple
        Parameters of each block in the base model.
    state : gibbs.State
        Initial states of the chains, at the first of ``betas``.
    betas : list of float
    trace : list, optional
        To it the log weights after each step are appended.

    Returns
    -------
    log_w : ndarray of shape (n_chains,), float64
    """
    log_w = np.zeros(len(rng.ids))
    served = binary.serves(energy, params, state.x, energy.backwards)
    step, at_once = (_steps, _CHUNK) if served else (_step, 1)
    at_once = at_once if trace is None else 1
    for first in range(0, len(betas) - 1, at_once):
        part = betas[first : first + at_once + 1]
        rngs = [rng.fold(first + number) for number in range(len(part) - 1)]
        state = step(rngs, energy, params, base, part, state, log_w)
        if trace is not None:
            trace.append(log_w.copy())
    return log_w


def _step(rngs, energy, params, base, betas, state, log_w):
    """Go to the next temperature."""
    (rng,), (here, there) = rngs, (Path(base, beta) for beta in betas)
    received = {
        block: energy.received(params, state.x, block) for block in energy.colours[-1]
    }
    given = {"received": received, "path": there}
    log_w += energy.log_marginal(params, state.x, **given)
    log_w -= energy.log_marginal(params, state.x, received=received, path=here)
    draw = rng, energy, params, state
    return gibbs.step(*draw, colours=energy.backwards, **given)[0]


def _steps(rngs, energy, params, base, betas, state, log_w):
    """Go through several temperatures by a kernel; a stream for each but the first."""
    n_rows, dtype = len(log_w), params.dtype
    blocks = range(len(energy.units))
    room = [
        tuple(np.empty((n_rows, len(bias)), dtype) for bias in params.units)
        for _ in range(2)
    ]
    x = tuple(
        Lists.empty(n_rows, len(params.units[block]), dtype)
        if block in energy.colours[-1]
        else state.x[block].copy()
        for block in blocks
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
    return gibbs.State(x)
