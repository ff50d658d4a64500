"""Gibbs sweeps of a chain of binary layers by compiled kernels.

They draw the same values as :func:`~skdgm.samplers.sweep` with a unit's
``sample``, from the same random numbers. Each thread makes all sweeps of its own
chains; but it computes the last colour's means, which gradients need, for the tiles of
the weights that it updates next, so that no core waits for another's cache.
"""

import numpy as np

from skdgm._kernels.machines.bernoulli import draw as draw_kernel
from skdgm._kernels.machines.mean_field import settle as mean_field_kernel
from skdgm._kernels.machines.sweep import columns as columns_kernel
from skdgm._kernels.machines.sweep import sweep as sweep_kernel
from skdgm.couplings import Weights
from skdgm.energies import forms, n_weights
from skdgm.utils.lists import Lists
from skdgm.utils.products import n_tiles
from skdgm.utils.threading.parallel import at_once, run

# Assumed share of units that are 1, by which the work is estimated.
DENSITY = 0.2
# Cost of drawing a unit, in multiply-adds.
_DRAW = 10
# Most sweeps of one kernel call, which Ctrl-C does not interrupt.
MAX_STEPS = 100


def serves(energy, params, x, colours, n_steps=1):
    """Return whether kernels can make ``n_steps`` sweeps of some colours: in a chain of
    binary layers, if weights are tiles, all rows share the biases, and the values of
    the other colour are Lists."""
    if not energy.is_binary_chain or n_steps > MAX_STEPS:
        return False
    given = [x[block] for block in energy.colours[1 - colours[0]]]
    return (
        isinstance(params.couplings[0], Weights)
        and all(bias.ndim == 1 for bias in params.units)
        and all(isinstance(part, Lists) for part in given)
        and (len(colours) == 1 or all(part.binary for part in given))
    )


def draw(rngs, energy, params, x, colours, path=None):
    """Make several sweeps, each with its own stream, and return as tuples the Lists and
    the conditional means of the last colour, (n_chains, size); None elsewhere."""
    x = _advance(rngs, energy, params, x, colours, path)
    last = means(energy, params, x, colours[-1], path)
    _fire(rngs[-1], last, x)
    return x, last


def means(energy, params, x, colour, path=None):
    """Means of one colour's layers given the other's; None elsewhere."""
    blocks = energy.colours[colour]
    nothing = Lists.empty(0, 0, params.dtype)
    x = tuple(nothing if block in blocks else part for block, part in enumerate(x))
    n_rows, found = max(map(len, x)), [None] * len(x)
    for block in blocks:
        found[block] = np.empty((n_rows, energy.units[block].size), nothing.dtype)
        run(
            columns_kernel,
            block,
            *forms(params),
            params.units,
            *along(path, params, n_rows),
            *parts(x),
            found[block],
            n=n_tiles(energy.units[block].size, nothing.dtype),
            work=DENSITY * n_rows * n_weights(params),
        )
    return tuple(found)


def both_phases(rngs, energy, params, x, chains, model=None):
    """Means of the last colour given data, None for the first; and several sweeps of
    chains with theirs, as :func:`draw` returns them, by the parameters ``model``, if
    given."""
    model = params if model is None else model
    chains = _advance(rngs, energy, model, chains, (0, 1))
    n_rows = len(rngs[0].ids) + max(len(part) for part in x if part is not None)
    with at_once(DENSITY * n_rows * n_weights(params)):
        found = means(energy, params, x, 1)
        last = means(energy, model, chains, 1)
    _fire(rngs[-1], last, chains)
    return found, chains, last


def infers(energy, params, x, clamp):
    """Return whether a kernel can infer by mean field.

    The energy is a chain of binary layers, optionally with a label. All layers but the
    first are free and have no means yet, weights are tiles, and rows share biases.
    """
    return (
        (energy.is_binary_chain or energy.is_labelled_chain)
        and clamp[0] is True
        and all(part is None for part in (*x[1:], *clamp[1:]))
        and isinstance(params.couplings[0], Weights)
        and all(bias.ndim == 1 for bias in params.units)
    )


def mean_field(energy, params, v, max_sweeps, tol):
    """Means of all layers given visible units v, where :func:`infers`; the number of
    sweeps of each row; and whether its means moved by ``tol`` at most."""
    lists, n_rows = v if isinstance(v, Lists) else Lists.pack(v), len(v)
    sizes, dtype = [unit.size for unit in energy.units], params.dtype
    means, fields = (
        tuple(np.empty((n_rows, size), dtype) for size in (0, *sizes[1:]))
        for _ in range(2)
    )
    known = np.empty((n_rows, sizes[1]), dtype)
    nothing = np.empty((0, 0), np.uint32), np.empty(0, np.int64)
    n_sweeps, moves = np.empty(n_rows, np.int64), np.empty(n_rows, bool)
    run(
        mean_field_kernel,
        *forms(params),
        params.units,
        *(lists.index, lists.value, lists.count, *nothing, energy.is_labelled_chain),
        *(means, fields, known, max_sweeps, dtype.type(tol), n_sweeps, moves),
        n=n_rows,
        work=n_rows * n_weights(params),
    )
    return (v, *means[1:]), n_sweeps, ~moves


def _advance(rngs, energy, params, x, colours, path=None):
    """Make several sweeps, but for the last colour of the last one."""
    order = [block for colour in colours for block in energy.colours[colour]]
    roots = [rng.fold(block).root for rng in rngs for block in order]
    sizes, dtype = [unit.size for unit in energy.units], params.dtype
    ids, x = rngs[0].ids, list(x)
    for block in order:
        if block in energy.colours[colours[0]]:  # Drawn before it is read.
            x[block] = Lists.empty(len(ids), sizes[block], dtype)
        else:
            x[block] = x[block].copy()
    stop = len(roots) - len(energy.colours[colours[-1]])
    if stop:
        run(
            sweep_kernel,
            *forms(params),
            params.units,
            *along(path, params, len(ids)),
            *parts(x),
            tuple(np.empty((len(ids), size), dtype) for size in sizes),
            ids,
            np.array(roots[:stop], np.uint64),
            np.array((order * len(rngs))[:stop]),
            False,
            n=len(ids),
            work=DENSITY * len(ids) * n_weights(params) * stop,
        )
    return tuple(x)


def _fire(rng, means, x):
    """Draw the layers whose means are given, in place."""
    for block, mean in enumerate(means):
        if mean is not None:
            root, lists = np.uint64(rng.fold(block).root), x[block]
            arguments = mean, root, rng.ids, lists.index, lists.count
            run(draw_kernel, *arguments, n=len(mean), work=_DRAW * mean.size)


def along(path, params, n_rows):
    """Biases of the base model of a path, and beta of each row."""
    ones = np.ones(n_rows, params.dtype)
    if path is None:
        return params.units, ones
    return path.base, np.ravel(path.beta).astype(params.dtype) * ones


def parts(x):
    """Indices, values and counts of Lists, as kernels take them."""
    return (
        tuple(part.index for part in x),
        tuple(part.value for part in x),
        tuple(part.count for part in x),
    )
