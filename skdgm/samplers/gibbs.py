r"""Sweeps over the colours of an energy, and blocked Gibbs sampling.

Blocks of one colour are independent given all others, so they are updated together from
their natural parameters; the update itself is a function. One Gibbs step draws each
colour c in turn from its conditional distribution given all others,

.. math:: x_c \sim p(x_c \mid x_{-c}), \qquad c = 0, 1, \dots,

and leaves the distribution of the model invariant [1]_. Entries may be clamped, so that
the others are drawn from their conditional distribution.

References
----------
.. [1] Geman and Geman (1984). Stochastic relaxation, Gibbs distributions, and the
   Bayesian restoration of images. IEEE TPAMI.
"""

import numpy as np

from skdgm.samplers import binary, sitewise
from skdgm.samplers.sampler import Info, Sampler, State
from skdgm.utils.tree import copy, leaves


def by_means(energy):
    """Make an update for :func:`sweep` that replaces a block's value by its mean."""

    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    return update


def draws(energy, rng):
    """Make an update for :func:`sweep` that draws a block's value."""

    def update(block, eta):
        return energy.units[block].sample(eta, rng.fold(block))

    return update


def sweep(energy, params, x, update, *, colours, clamp=None, path=None, received=None):
    """Update the blocks of each colour in turn.

    Parameters
    ----------
    energy : Energy
    params : Params
    x : tuple
        A value for each block: ndarray or Lists of shape (n_rows, size).
    update : callable
        ``update(block, eta)`` returns the new value and the mean of a block, given
        its natural parameters.
    colours : sequence of int
        The order of updates.
    clamp : tuple, optional
        For each block None (nothing is clamped), True (the block is) or a boolean
        array of shape (n_rows, size) (those entries are).
    path : Path, optional
        Update by a model on the way from a base model.
    received : dict, optional
        The input of each block of the first colour, if known already.

    Returns
    -------
    x : tuple
    means : tuple
        The mean from each block's last update; None for blocks without one.
    """
    x, means = list(x), [None] * len(x)
    for colour in colours:
        for block in energy.colours[colour]:
            clamped = None if clamp is None else clamp[block]
            if clamped is True:
                continue
            known = received[block] if received else energy.received(params, x, block)
            value, means[block] = update(
                block, energy.field(params, block, known, path)
            )
            if clamped is not None:
                value = np.where(clamped, x[block], np.asarray(value))
            x[block] = value
        received = None
    return tuple(x), tuple(means)


class Gibbs(Sampler):
    """Blocked Gibbs sampling, by kernels where possible.

    Values of the first colour in a state are ignored, but for clamped ones. Sites of
    blocks that are linked with themselves are drawn in an order of their own.

    Parameters
    ----------
    energy : Energy
    colours : sequence of int, optional
        The order of updates; by default from the first colour to the last.
    clamp : tuple, optional
        Entries that stay as they are; see :func:`sweep`.
    path : Path, optional
        Sample from a model on the way from a base model.
    """

    def __init__(self, energy, *, colours=None, clamp=None, path=None):
        super().__init__(energy)
        self.colours = range(len(energy.colours)) if colours is None else colours
        self.clamp, self.path = clamp, path

    def at(self, params):
        """Parameters that the chains have."""
        return params

    def step(self, rng, params, state, n_steps=1, first=0):
        energy, x, params = self.energy, state.x, self.at(params)
        rngs = [rng.fold(number) for number in range(first, first + n_steps)]
        most = binary.MAX_STEPS
        parts = [rngs[i : i + most] for i in range(0, n_steps, most)]
        given, means = {"path": self.path, "clamp": self.clamp}, None
        if energy.is_sitewise:
            for part in parts:
                x, means = sitewise.draw(part, energy, params, x, **given)
        elif self.clamp is None and binary.serves(energy, params, x, self.colours):
            for part in parts:
                x, means = binary.draw(part, energy, params, x, self.colours, self.path)
        else:
            given["colours"] = self.colours
            for own in rngs:
                x, means = sweep(energy, params, x, draws(energy, own), **given)
        return State(x), Info(means)

    def beside(self, rng, params, x, state, n_steps):
        energy = self.energy
        if not (
            binary.serves(energy, params, x, (1,))
            and binary.serves(energy, params, state.x, (0, 1), n_steps)
        ):
            return None
        rngs, model = [rng.fold(n) for n in range(n_steps)], self.at(params)
        found = binary.both_phases(rngs, energy, params, x, state.x, model)
        return found[0], State(found[1]), Info(found[2])


class FastWeights(Gibbs):
    """Gibbs sampling by parameters and fast ones, which are added to them.

    Parameters
    ----------
    energy : Energy
    fast : Params
        See :mod:`skdgm.gradients.steps.fast`.
    """

    def __init__(self, energy, fast):
        super().__init__(energy)
        self.fast = fast

    def at(self, params):
        both = copy(params)
        for own, more in zip(leaves(both), leaves(self.fast), strict=True):
            own += more
        return both
