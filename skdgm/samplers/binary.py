"""The sweep of a chain of binary layers as one kernel.

It draws what :func:`~skdgm.samplers.sweep.sweep` with a unit's ``sample`` draws, from
the same random numbers, in one call for any number of sweeps.
"""

import numpy as np

from skdgm._kernels.anneal import anneal as anneal_kernel
from skdgm._kernels.sweep import sweep as sweep_kernel
from skdgm.couplings import Weights
from skdgm.energies import ODD
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import run

# Share of units that are on, for an idea of the work ahead.
_DENSITY = 0.2
# How many sweeps a kernel makes before Ctrl-C is heard.
MAX_STEPS = 100


def serves(energy, params, x, colours, n_steps=1):
    """Whether the layers of some colours can be swept so often by one kernel."""
    if not energy.wiring.is_binary_chain or n_steps > MAX_STEPS:
        return False
    given = [x[block] for block in energy.colours[1 - colours[0]]]
    return (
        isinstance(params.couplings[0], Weights)
        and all(isinstance(part, Lists) for part in given)
        and (len(colours) == 1 or all(part.binary for part in given))
    )


def draw(rngs, energy, params, x, colours):
    """Several sweeps, each with its own stream.

    Returns
    -------
    x : tuple of Lists
    means : tuple of ndarray
        The conditional means of the last sweep; None where nothing was drawn.
    """
    order = [block for colour in colours for block in energy.colours[colour]]
    roots = [rng.fold(block).root for rng in rngs for block in order]
    ids, drawn = rngs[0].ids, list(x)
    for block in order:
        if block in energy.colours[colours[0]]:  # Not looked at before it is drawn.
            size, dtype = energy.units[block].size, params.units[block].dtype
            drawn[block] = Lists.empty(len(ids), size, dtype)
        else:
            drawn[block] = x[block].copy()
    return tuple(drawn), _sweep(params, drawn, ids, order * len(rngs), roots)


def means(energy, params, x, colour):
    """The means of one colour's layers given the other's."""
    ids = np.empty(0, np.uint64)
    blocks = energy.colours[colour]
    nothing = Lists.empty(0, 0, params.units[0].dtype)
    x = tuple(nothing if block in blocks else part for block, part in enumerate(x))
    n_rows = max(map(len, x))
    return _sweep(params, x, ids, blocks, [], n_rows)


def anneal(rngs, energy, params, base, betas, x, log_w):
    """Weights of chains that go through inverse temperatures, a stream for each but the
    first; what :mod:`skdgm.partition.ais` does by other means.

    Returns
    -------
    x : tuple of Lists
        Where the chains are; log_w is added to in place.
    """
    n_rows, dtype = len(log_w), params.units[0].dtype
    blocks = range(len(energy.units))
    room = [
        tuple(np.empty((n_rows, len(bias)), dtype) for bias in params.units)
        for _ in range(2)
    ]
    x = tuple(
        Lists.empty(n_rows, len(params.units[block]), dtype)
        if block in energy.colours[ODD]
        else x[block].copy()
        for block in blocks
    )
    roots = [[rng.fold(block).root for block in blocks] for rng in rngs]
    run(
        anneal_kernel,
        *_forms(params),
        params.units,
        base,
        np.array(betas),
        *_parts(x),
        *room,
        rngs[0].ids,
        np.array(roots, np.uint64),
        log_w,
        n=n_rows,
        work=2 * _DENSITY * n_rows * _size(params) * len(rngs),
    )
    return x


def _forms(params):
    """Matrices and their transposes."""
    return (
        tuple(weights.rows for weights in params.couplings),
        tuple(weights.Wt for weights in params.couplings),
    )


def _parts(x):
    """Lists as what they consist of."""
    return (
        tuple(part.index for part in x),
        tuple(part.value for part in x),
        tuple(part.count for part in x),
    )


def _size(params):
    return sum(weights.Wt.size for weights in params.couplings)


def _sweep(params, x, ids, order, roots, n_rows=None):
    n_rows = len(ids) if n_rows is None else n_rows
    dtype = params.units[0].dtype
    means = tuple(
        np.empty((n_rows if block in order else 0, len(bias)), dtype)
        for block, bias in enumerate(params.units)
    )
    run(
        sweep_kernel,
        *_forms(params),
        params.units,
        dtype.type(1),
        *_parts(x),
        means,
        ids,
        np.array(roots, np.uint64),
        np.array(order),
        n=n_rows,
        work=_DENSITY * n_rows * _size(params) * len(order),
    )
    return tuple(mean if len(mean) else None for mean in means)
