"""The sweep of a chain of binary layers as one kernel.

It draws what :func:`~skdgm.samplers.sweep.sweep` with a unit's ``sample`` draws, from
the same random numbers, in one call for any number of sweeps.
"""

import numpy as np

from skdgm._kernels.sweep import sweep
from skdgm.couplings import Weights
from skdgm.units import Bernoulli
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import run

# Share of units that are on, for an idea of the work ahead.
_DENSITY = 0.2


def serves(energy, params, x, colours):
    """Whether the layers of some colours can be swept in this way."""
    given = energy.colours[1 - colours[0]]
    return (
        len(energy.wiring.layers) == len(energy.units)
        and all(isinstance(unit, Bernoulli) for unit in energy.units)
        and all(isinstance(weights, Weights) for weights in params.couplings)
        and all(isinstance(x[block], Lists) for block in given)
        and (len(colours) == 1 or all(x[block].binary for block in given))
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


def _sweep(params, x, ids, order, roots, n_rows=None):
    n_rows = len(ids) if n_rows is None else n_rows
    dtype = params.units[0].dtype
    means = tuple(
        np.empty((n_rows if block in order else 0, len(bias)), dtype)
        for block, bias in enumerate(params.units)
    )
    size = sum(weights.Wt.size for weights in params.couplings)
    run(
        sweep,
        tuple(weights.rows for weights in params.couplings),
        tuple(weights.Wt for weights in params.couplings),
        params.units,
        dtype.type(1),
        tuple(part.index for part in x),
        tuple(part.value for part in x),
        tuple(part.count for part in x),
        means,
        ids,
        np.array(roots, np.uint64),
        np.array(order),
        n=n_rows,
        work=_DENSITY * n_rows * size * len(order),
    )
    return tuple(mean if len(mean) else None for mean in means)
