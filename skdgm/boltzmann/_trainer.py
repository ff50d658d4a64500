"""How a layered Boltzmann machine learns: from rows of data to updates."""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Params, tiled
from skdgm.gradients import cd, pcd
from skdgm.optim import learning_rate, sgd, staircase
from skdgm.samplers import gibbs
from skdgm.training import Reader, epoch
from skdgm.units import draw
from skdgm.utils.lists import LISTED, Lists
from skdgm.utils.parallel import learning
from skdgm.utils.random import stream

# What the streams of an estimator's seed are for.
INIT, SHUFFLE, STEP, PROBE, SPLIT, LIKELIHOOD, IMPUTE = range(7)

_DENSITY_ROWS = 1000
_LARGE_BATCH = 250


def density(table):
    """The share of values that are not 0, in rows that the table's content chooses."""
    v = table.rows.take(table.index[:_DENSITY_ROWS])
    return np.count_nonzero(v) / v.size


class TrainState(NamedTuple):
    """What changes from update to update.

    Parameters
    ----------
    params, velocity : Params
    chains : tuple
        The state of the Markov chains at the end of the last negative phase.
    """

    params: Params
    velocity: Params
    chains: tuple


def present(v, fill, n_blocks, rng=None):
    """Clamp a machine to data.

    Parameters
    ----------
    v : {ndarray, Lists} of shape (n_rows, n_visible)
        NaN where missing; lists have nothing missing.
    fill : ndarray of shape (n_visible,)
        Means of the columns, from which missing entries start.
    n_blocks : int
        How many blocks the machine has.
    rng : Stream, optional
        Given, grey values are probabilities from which bits are drawn.

    Returns
    -------
    x, clamp : tuple
        Values of the blocks, and what of them is held.
    """
    held = True
    if isinstance(v, np.ndarray):
        observed = ~np.isnan(v)
        if not observed.all():
            v, held = np.where(observed, v, fill.astype(v.dtype)), observed
    if rng is not None:
        bits = draw(np.asarray(v), rng.rows(len(v)))
        v = bits if held is True else np.where(held, bits, v)
    hidden = (None,) * (n_blocks - 1)
    return (v, *hidden), (held, *hidden)


class Trainer(NamedTuple):
    """Draws batches and takes steps.

    Parameters
    ----------
    energy : LayeredEnergy
    recipe : object
        Has an estimator's training parameters as attributes.
    rows : Rows
    seed : int
    fill : ndarray of shape (n_visible,)
        Means of the columns.
    epochs_before : int
        Epochs taken before this run, so that none repeats another's randomness.
    density : float
        The share of the data that is not 0.
    """

    energy: object
    recipe: object
    rows: object
    seed: int
    fill: np.ndarray
    epochs_before: int
    density: float

    def start(self, means):
        """A state at rest: small weights, and biases that give the means."""
        rng = stream(self.seed, INIT)
        params = self.energy.init(rng.generator(), means, dtype=self.rows.dtype)
        velocity, chains = sgd.init(params), self._new_chains(params)
        return TrainState(*map(self._for_kernels, (params, velocity)), chains)

    def resume(self, state):
        """A state that training left, with as many chains as are asked for now."""
        chains = tuple(Lists.pack(part, binary=True) for part in state.chains)
        if self._n_chains not in (len(chains[0]), None):
            chains = self._new_chains(state.params)
        forms = map(self._for_kernels, (state.params, state.velocity))
        return TrainState(*forms, chains)

    @property
    def _by_blas(self):
        """Whether BLAS is quicker than kernels: where little is zero and batches are so
        large that products take longer than what is done to each weight."""
        return self.density > LISTED and self.recipe.batch_size >= _LARGE_BATCH

    def _for_kernels(self, params):
        """Parameters as kernels want them; or as they are, for BLAS."""
        if self._by_blas:
            return params
        return tiled(params)

    def draw(self, table, number):
        """The batches of an epoch."""
        rng = stream(self.seed, SHUFFLE, self.epochs_before + number)
        batches = epoch(table, self.recipe.batch_size, rng)
        lists = self.rows.complete and not self._by_blas
        return Reader(self.rows, batches, lists)

    def step(self, state, batch, clock):
        """One update from a batch of rows."""
        recipe, params = self.recipe, state.params
        rng = stream(self.seed, STEP, self.epochs_before + clock.epoch, clock.batch)
        resampling = rng if recipe.resample and not self.rows.binary else None
        x, clamp = self.present(batch, resampling)
        n_steps = staircase(recipe.n_steps, clock)
        rate = learning_rate(
            recipe.learning_rate, recipe.schedule, clock, recipe.power_t
        )
        rule = {"momentum": recipe.momentum, "l1": recipe.l1, "l2": recipe.l2}
        with learning():
            if recipe.gradient == "cd":
                grad, chains = cd(rng, self.energy, params, x, clamp, n_steps)
            else:
                chains = gibbs.State(state.chains)
                grad, chains = pcd(rng, self.energy, params, x, clamp, n_steps, chains)
            sgd.step(params, state.velocity, grad, rate=rate, **rule)
        return state._replace(chains=chains.x)

    def present(self, v, rng=None):
        """Clamp the machine to rows of data."""
        return present(v, self.fill, len(self.energy.units), rng)

    @property
    def _n_chains(self):
        """How many persistent chains there are to be; None where it is all one."""
        if self.recipe.gradient == "cd":
            return None
        return self.recipe.n_chains or self.recipe.batch_size

    def _new_chains(self, params):
        rng = stream(self.seed, INIT).rows(self._n_chains or self.recipe.batch_size)
        return gibbs.init(rng, self.energy, params.units).x
