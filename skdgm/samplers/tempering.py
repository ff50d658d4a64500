r"""Parallel tempering: chains at several temperatures that exchange states.

The model (beta = 1) and a base model without couplings (beta = 0) are connected by
models :math:`p_\beta \propto e^{-E_\beta}` with :math:`-E_\beta = -E_0 + \beta D`.
After each Gibbs step at all temperatures, neighboring temperatures exchange their
states with probability

.. math:: \min\left(1, \, e^{(\beta_k - \beta_{k+1}) (D(x_{k+1}) - D(x_k))}\right),

which leaves their joint distribution invariant [1]_. Chains at high temperatures mix
fast, and pass the modes that they find to chains at low temperatures.

References
----------
.. [1] Swendsen and Wang (1986). Replica Monte Carlo simulation of spin glasses.
   Physical Review Letters.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Path
from skdgm.samplers.gibbs import Gibbs
from skdgm.samplers.sampler import Info, Sampler, State
from skdgm.utils import addresses

_SWAP = addresses.SWAPS


class Ladder(NamedTuple):
    """Inverse temperatures, (n_levels,), decreasing from 1, and parameters of each
    block in the base model."""

    betas: np.ndarray
    base: tuple


def betas(n_temperatures):
    """Equidistant inverse temperatures from 1 to 0."""
    return np.linspace(1.0, 0.0, n_temperatures)


class ParallelTempering(Sampler):
    """Parallel tempering, whose step is a Gibbs step at all temperatures and two rounds
    of swaps. States have a row for each chain at each temperature, sorted by
    temperature from the lowest."""

    def __init__(self, energy, ladder):
        super().__init__(energy)
        self.ladder = ladder

    def init(self, rng, units=None):
        """Draw all replicas from the base model; ``units`` is ignored."""
        return super().init(rng, self.ladder.base)

    def step(self, rng, params, state, n_steps=1, first=0):
        energy, ladder, n_rows = self.energy, self.ladder, len(state.x[0])
        n_levels = len(ladder.betas)
        n_chains = n_rows // n_levels
        betas = np.repeat(ladder.betas, n_chains)[:, None].astype(params.dtype)
        gibbs = Gibbs(energy, path=Path(ladder.base, betas))
        rows, accepted, drive = rng.rows(n_rows), np.zeros(n_levels - 1), None
        for number in range(first, first + n_steps):
            moved, _ = gibbs.step(rows.fold(number), params, state)
            uniform = rng.fold(_SWAP + number).rows(n_levels - 1).uniform(n_chains)
            drive = _drive(energy, params, moved.x, ladder)
            order, swapped = _swap(drive, ladder, uniform)
            state = State(tuple(values[order] for values in moved.x))
            accepted += swapped
        return state, Info(None, accepted / n_steps, drive)

    def coldest(self, state):
        n_chains = len(state.x[0]) // len(self.ladder.betas)
        return tuple(values[:n_chains] for values in state.x)


def _drive(energy, params, x, ladder):
    """D(x), the part of -E that is multiplied by beta, (n_levels, n_chains)."""
    base, drive = Path(ladder.base, 0.0), -energy.energy(params, x)
    for block in range(len(energy.units)):
        drive = drive - energy.unit_log_weight(params, x, block, base)
    return drive.reshape(len(ladder.betas), -1)


def _swap(drive, ladder, uniform):
    """Row from which each row takes its state, and acceptance rates by level."""
    source = np.arange(drive.size).reshape(drive.shape)
    drive, rates = drive.copy(), np.empty(len(uniform))
    with np.errstate(divide="ignore"):
        log_u = np.log(uniform)
    for parity in (0, 1):
        for k in range(parity, len(uniform), 2):
            gap = ladder.betas[k] - ladder.betas[k + 1]
            swap = log_u[k] < gap * (drive[k + 1] - drive[k])
            for table in (drive, source):
                table[k : k + 2, swap] = table[k : k + 2, swap][::-1]
            rates[k] = swap.mean()
    return source.ravel(), rates
