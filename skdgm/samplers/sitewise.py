"""Compiled Gibbs sampling, annealing and mean field with sequential updates of sites.

Each row is a chain. Its random numbers depend only on the sweep, row and site, and
neither on other rows nor on the number of threads.
"""

import numpy as np

from skdgm._kernels.graphs import sites as kernels
from skdgm._kernels.graphs.sites import SiteGraph, SiteRows, SiteStreams
from skdgm.energies import n_rows
from skdgm.utils.threading.parallel import run

# Cost of a site's draw, in multiply-adds, and assumed share of sites that change.
_DRAW, _CHANGES = 20, 0.2


def draw(rngs, energy, params, x, *, path=None, clamp=None):
    """Run one sweep for each stream, whose rows are chains; return values and means.

    Means are those of the last draw; a clamped entry has its value as mean. A block
    that is None starts at zeros; ``clamp`` is that of :func:`~skdgm.samplers.sweep`.
    """
    size, (J, bias) = n_rows(x), energy.matrices(params)
    rows = energy.rows(x, size, J.dtype)
    base, beta = bias, np.ones(size, J.dtype)
    if path is not None:
        base = np.concatenate(path.base).astype(J.dtype)
        beta = np.broadcast_to(np.ravel(path.beta), size).astype(J.dtype)
    means, clamped = rows.copy(), energy.clamped(clamp, size)
    roots = np.array([rng.root for rng in rngs], np.uint64)
    run(
        kernels.sweep,
        SiteGraph(J, bias, **energy.layout._asdict()),
        SiteRows(rows, clamped),
        (base, beta),
        SiteStreams(rngs[0].ids, roots),
        means,
        n=size,
        work=_work(energy, size * (1 + len(roots))),
    )
    return energy.split(rows), energy.split(means)


def anneal(rngs, energy, params, base, betas, x, log_w):
    """Move chains through inverse temperatures ``betas``, one more than streams, from a
    base model with the parameters ``base`` by block. Adds to ``log_w``, the log weights
    (n_chains,), float64, in place."""
    size, (J, bias) = len(log_w), energy.matrices(params)
    rows = energy.rows(x, size, J.dtype)
    roots = np.array([rng.root for rng in rngs], np.uint64)
    base, betas = np.concatenate(base).astype(J.dtype), np.array(betas)
    run(
        kernels.anneal,
        SiteGraph(J, bias, **energy.layout._asdict()),
        rows,
        (base, betas),
        SiteStreams(rngs[0].ids, roots),
        log_w,
        n=size,
        work=_work(energy, size * (1 + len(roots))),
    )
    return energy.split(rows)


def mean_field(energy, params, x, clamp, max_sweeps, tol):
    """Iterate mean-field updates of the free sites until no mean changes by more than
    tol. Each update maximizes the bound given all other sites. Returns the means, the
    number of sweeps of each row, and whether the row converged."""
    size, (J, bias) = n_rows(x), energy.matrices(params)
    rows, clamped = energy.rows(x, size, J.dtype), energy.clamped(clamp, size)
    n_sweeps, converged = np.empty(size, np.int64), np.empty(size, bool)
    run(
        kernels.mean_field,
        SiteGraph(J, bias, **energy.layout._asdict()),
        SiteRows(rows, clamped),
        max_sweeps,
        float(tol),
        (n_sweeps, converged),
        n=size,
        work=_work(energy, 5 * size),
    )
    return energy.split(rows), n_sweeps, converged


def _work(energy, n_sweeps):
    n_sites, n_entries = len(energy.layout.sizes), energy.layout.first[-1]
    degree = n_entries
    if len(energy.layout.ends):
        degree = len(energy.layout.near) / n_sites
    return n_sweeps * n_sites * (_DRAW + _CHANGES * degree)
