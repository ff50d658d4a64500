"""Compiled Gibbs sweeps over chains of binary layers.

The kernels draw the same values as :func:`~skdgm.samplers.sweep` with the ``sample``
method of units, from the same random numbers. Each thread runs all sweeps of its own
chains. The means of the last color, which gradients need, are an exception: each
thread computes them for the weight tiles that it updates next, so that no thread waits
for data from another core's cache.
"""

import numpy as np

from skdgm._kernels.machines import mean_field as mean_field_kernels
from skdgm._kernels.machines import sweep as sweep_kernels
from skdgm._kernels.machines.arguments import ListedLayers, TemperingPath, TiledChain
from skdgm._kernels.machines.bernoulli import draw as draw_kernel
from skdgm._kernels.sparse.lists import RowLists
from skdgm.couplings import Weights
from skdgm.energies import forms, n_weights
from skdgm.utils.lists import Lists
from skdgm.utils.products import n_tiles
from skdgm.utils.threading.parallel import at_once, run

# Assumed share of units that are 1, for estimates of the work.
DENSITY = 0.2
# Cost of drawing a unit, in multiply-adds.
_DRAW = 10
# Maximum number of sweeps in a kernel call, which Ctrl-C does not interrupt.
MAX_STEPS = 100


def supports_sweeps(energy, params, x, colors, n_steps=1):
    """Return whether kernels can run ``n_steps`` sweeps over some colors.

    They can in a chain of binary layers whose weights are tiles and whose rows share
    the biases, if the values of the other color are Lists.
    """
    if not energy.is_binary_chain or n_steps > MAX_STEPS:
        return False
    conditioning = [x[block] for block in energy.colors[1 - colors[0]]]
    return (
        isinstance(params.couplings[0], Weights)
        and all(bias.ndim == 1 for bias in params.units)
        and all(isinstance(values, Lists) for values in conditioning)
        and (len(colors) == 1 or all(values.binary for values in conditioning))
    )


def draw(rngs, energy, params, x, colors, path=None):
    """Run one sweep for each stream of ``rngs``; return Lists by block, and the
    conditional means of the last color, (n_chains, size), with None for other
    blocks."""
    x = _advance(rngs, energy, params, x, colors, path)
    last_means = means(energy, params, x, colors[-1], path)
    draw_layers(rngs[-1], last_means, x)
    return x, last_means


def means(energy, params, x, color, path=None):
    """Return the means of one color given the other, with None for other blocks."""
    blocks = energy.colors[color]
    empty = Lists.empty(0, 0, params.dtype)
    x = tuple(empty if block in blocks else values for block, values in enumerate(x))
    n_rows, means_by_block = max(map(len, x)), [None] * len(x)
    for block in blocks:
        means_by_block[block] = np.empty(
            (n_rows, energy.units[block].size), empty.dtype
        )
        run(
            sweep_kernels.columns,
            block,
            machine(params),
            along(path, params, n_rows),
            parts(x),
            means_by_block[block],
            n=n_tiles(energy.units[block].size, empty.dtype),
            work=DENSITY * n_rows * n_weights(params),
        )
    return tuple(means_by_block)


def both_phases(rngs, energy, params, x, chains, model=None):
    """Compute the means of the last color given data, and advance chains.

    Returns the means by block, with None for the first color, and then the states and
    means of the chains as :func:`draw` returns them. Chains use the parameters
    ``model`` if given.
    """
    model = params if model is None else model
    chains = _advance(rngs, energy, model, chains, (0, 1))
    n_rows = len(rngs[0].ids) + max(len(values) for values in x if values is not None)
    with at_once(DENSITY * n_rows * n_weights(params)):
        data_means = means(energy, params, x, 1)
        chain_means = means(energy, model, chains, 1)
    draw_layers(rngs[-1], chain_means, chains)
    return data_means, chains, chain_means


def supports_mean_field(energy, params, x, clamp):
    """Return whether a kernel can run mean-field inference.

    The energy must be a chain of binary layers, optionally with a label. All layers but
    the first are free and have no means yet, weights are tiles, and rows share the
    biases.
    """
    return (
        (energy.is_binary_chain or energy.is_labeled_chain)
        and clamp[0] is True
        and all(values is None for values in (*x[1:], *clamp[1:]))
        and isinstance(params.couplings[0], Weights)
        and all(bias.ndim == 1 for bias in params.units)
    )


def mean_field(energy, params, v, max_sweeps, tol):
    """Return the means of all layers given visible units v, the number of sweeps of
    each row, and a mask of converged rows; :func:`supports_mean_field` must be true."""
    lists, n_rows = v if isinstance(v, Lists) else Lists.pack(v), len(v)
    sizes, dtype = [unit.size for unit in energy.units], params.dtype
    means, fields = (
        tuple(np.empty((n_rows, size), dtype) for size in (0, *sizes[1:]))
        for _ in range(2)
    )
    fixed = np.empty((n_rows, sizes[1]), dtype)
    no_labels = Lists.empty(0, 0, dtype)
    n_sweeps, moving = np.empty(n_rows, np.int64), np.empty(n_rows, bool)
    free_label = energy.is_labeled_chain
    run(
        mean_field_kernels.mean_field,
        machine(params),
        RowLists(lists.index, lists.value, lists.count),
        RowLists(no_labels.index, no_labels.value, no_labels.count),
        mean_field_kernels.MeanFieldOptions(max_sweeps, dtype.type(tol), free_label),
        mean_field_kernels.MeanFieldArrays(means, fields, fixed, n_sweeps, moving),
        n=n_rows,
        work=n_rows * n_weights(params),
    )
    return (v, *means[1:]), n_sweeps, ~moving


def _advance(rngs, energy, params, x, colors, path=None):
    """Run several sweeps, but stop before the last color of the last sweep."""
    order = [block for color in colors for block in energy.colors[color]]
    roots = [rng.fold(block).root for rng in rngs for block in order]
    sizes, dtype = [unit.size for unit in energy.units], params.dtype
    ids, x = rngs[0].ids, list(x)
    for block in order:
        if block in energy.colors[colors[0]]:  # Drawn before it is read.
            x[block] = Lists.empty(len(ids), sizes[block], dtype)
        else:
            x[block] = x[block].copy()
    stop = len(roots) - len(energy.colors[colors[-1]])
    if stop:
        roots, order = np.array(roots[:stop], np.uint64), order * len(rngs)
        run(
            sweep_kernels.sweep,
            machine(params),
            along(path, params, len(ids)),
            parts(x),
            tuple(np.empty((len(ids), size), dtype) for size in sizes),
            sweep_kernels.SweepPlan(ids, roots, np.array(order[:stop]), False),
            n=len(ids),
            work=DENSITY * len(ids) * n_weights(params) * stop,
        )
    return tuple(x)


def draw_layers(rng, means, x):
    """Draw the layers that have means, in place."""
    for block, mean in enumerate(means):
        if mean is not None:
            root, lists = np.uint64(rng.fold(block).root), x[block]
            run(
                draw_kernel,
                mean,
                root,
                rng.ids,
                lists.index,
                lists.count,
                n=len(mean),
                work=_DRAW * mean.size,
            )


def along(path, params, n_rows):
    """Biases of the base model of a path, and the inverse temperature of each row."""
    ones = np.ones(n_rows, params.dtype)
    if path is None:
        return TemperingPath(params.units, ones)
    return TemperingPath(path.base, np.ravel(path.beta).astype(params.dtype) * ones)


def machine(params):
    """Parameters of a chain of layers, as an argument of kernels."""
    ups, downs = forms(params)
    return TiledChain(ups, downs, params.units)


def parts(x):
    """Lists by block, as an argument of kernels."""
    return ListedLayers(
        tuple(lists.index for lists in x),
        tuple(lists.value for lists in x),
        tuple(lists.count for lists in x),
    )
