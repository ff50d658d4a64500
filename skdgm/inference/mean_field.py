r"""Mean-field inference.

The factorial Q(x) that is nearest to p(x | clamped entries) maximises the bound

.. math:: \mathcal{L}(Q) = \mathbb{E}_Q[-E(x)] + H(Q) \le \log \sum_x e^{-E(x)}

where the sum runs over the free entries. Setting its derivative to zero gives each
block's mean as a function of its neighbours' means: Gibbs sampling's sweep with
means in place of draws [1]_. A colour's update maximises the bound given the other
colour, so no sweep lowers it.

References
----------
.. [1] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import EVEN, ODD
from skdgm.samplers import binary, sweep
from skdgm.utils.lists import Lists


class Info(NamedTuple):
    """How the fixed-point iteration ended, for each row.

    Parameters
    ----------
    n_sweeps : ndarray of int
    converged : ndarray of bool
    """

    n_sweeps: np.ndarray
    converged: np.ndarray


def mean_field(energy, params, x, clamp, *, max_sweeps=50, tol=1e-4):
    """Sweep until no mean of a row moves by more than ``tol``.

    Rows stop one by one, so that a row's answer does not depend on the others.

    Parameters
    ----------
    x : tuple
        Clamped values, and the means to start from in the even layers.
    clamp : tuple
        For each block None, True or a boolean array: what is held.

    Returns
    -------
    means : tuple
        Clamped values in their places, means elsewhere.
    info : Info
    """

    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    n_rows = len(x[0])
    if all(clamp[block] is True for block in energy.colours[EVEN]):
        if binary.serves(energy, params, x, (ODD,)):
            odd = binary.means(energy, params, x, ODD)
            means = tuple(a if b is None else b for a, b in zip(x, odd))
        else:
            means, _ = sweep(energy, params, x, update, colours=(ODD,), clamp=clamp)
        return means, Info(np.ones(n_rows, dtype=int), np.ones(n_rows, dtype=bool))

    means, _ = sweep(energy, params, x, update, colours=(ODD, EVEN), clamp=clamp)
    n_sweeps = np.ones(n_rows, dtype=int)
    active = np.arange(n_rows)
    while active.size and n_sweeps.max() < max_sweeps:
        old, held = _take(means, active), _take(clamp, active)
        new, _ = sweep(energy, params, old, update, colours=(ODD, EVEN), clamp=held)
        n_sweeps[active] += 1
        for whole, part, hold in zip(means, new, clamp):
            if hold is not True:
                whole[active] = part
        moved = np.max(
            [
                np.abs(a - b).max(axis=1)
                for a, b, hold in zip(old, new, clamp)
                if hold is not True
            ],
            axis=0,
        )
        active = active[moved > tol]
    return means, Info(n_sweeps, ~np.isin(np.arange(n_rows), active))


def bound(energy, params, means, clamp):
    """The bound of the module's head, in nats, for each row."""
    total = -energy.energy(params, means)
    for unit, own, mean, held in zip(energy.units, params.units, means, clamp):
        if held is not True:
            free = 1.0 if held is None else ~held
            entropy = unit.entropy(own, np.asarray(mean)) * free
            total = total + entropy.sum(axis=1, dtype=np.float64)
    return total


def _take(tree, rows):
    return tuple(
        part[rows] if isinstance(part, np.ndarray | Lists) else part for part in tree
    )
