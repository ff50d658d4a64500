"""Annealed importance sampling of chains of binary layers, by a kernel."""

import numpy as np

from skdgm._kernels.anneal import anneal as kernel
from skdgm.energies import ODD, forms, n_weights
from skdgm.samplers.binary import DENSITY, parts
from skdgm.utils.lists import Lists
from skdgm.utils.parallel import run


def anneal(rngs, energy, params, base, betas, x, log_w):
    """Weights of chains that go through inverse temperatures, a stream for each but the
    first; what :mod:`skdgm.partition.ais` computes step by step for other machines.

    Returns
    -------
    x : tuple of Lists
        Where the chains are; log_w is added to in place.
    """
    n_rows, dtype = len(log_w), params.dtype
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
        kernel,
        *forms(params),
        params.units,
        base,
        np.array(betas),
        *parts(x),
        *room,
        rngs[0].ids,
        np.array(roots, np.uint64),
        log_w,
        n=n_rows,
        work=2 * DENSITY * n_rows * n_weights(params) * len(rngs),
    )
    return x
