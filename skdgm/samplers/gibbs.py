r"""Blocked Gibbs sampling, and sweeps over the colors of an energy.

Blocks of one color are conditionally independent given all others, so a sweep updates
them together from their natural parameters. The update is a function, such as a draw or
a mean. A Gibbs step draws each color c in turn from its conditional distribution,

.. math:: x_c \sim p(x_c \mid x_{-c}), \qquad c = 0, 1, \dots,

which leaves the distribution of the model invariant [1]_. If entries are clamped, the
others are drawn from their distribution conditional on the clamped entries.

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
    """Return an update for :func:`sweep` that replaces a block's value by its mean."""

    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

    return update


def draws(energy, rng):
    """Return an update for :func:`sweep` that draws a block's value."""

    def update(block, eta):
        return energy.units[block].sample(eta, rng.fold(block))

    return update


def sweep(energy, params, x, update, *, colors, clamp=None, path=None, received=None):
    """Update the blocks of each color in turn; return new values and means.

    x has a value for each block, an ndarray or Lists of shape (n_rows, size).
    ``update(block, eta)`` returns the new value and the mean of a block from its
    natural parameters. ``clamp`` has for each block None (no entry is clamped), True
    (all entries are) or a boolean array of shape (n_rows, size). With a ``path``,
    updates are those of an intermediate model between a base model and the model.
    ``received`` is the precomputed input of each block of the first color. Means are
    None for blocks that were not updated.
    """
    x, means = list(x), [None] * len(x)
    for color in colors:
        for block in energy.colors[color]:
            clamped = None if clamp is None else clamp[block]
            if clamped is True:
                continue
            inputs = received[block] if received else energy.received(params, x, block)
            value, means[block] = update(
                block, energy.field(params, block, inputs, path)
            )
            if clamped is not None:
                value = np.where(clamped, x[block], np.asarray(value))
            x[block] = value
        received = None
    return tuple(x), tuple(means)


class Gibbs(Sampler):
    """Blocked Gibbs sampling, by kernels where possible.

    Values of the first color in a state are ignored unless they are clamped. Blocks
    with couplings among their own sites are updated site by site. ``colors`` are in
    the order of updates, by default from the first to the last; ``clamp`` and ``path``
    are as for :func:`sweep`.
    """

    def __init__(self, energy, *, colors=None, clamp=None, path=None):
        super().__init__(energy)
        self.colors = range(len(energy.colors)) if colors is None else colors
        self.clamp, self.path = clamp, path

    def at(self, params):
        """Parameters from which the chains sample."""
        return params

    def step(self, rng, params, state, n_steps=1, first=0):
        energy, x, params = self.energy, state.x, self.at(params)
        rngs = [rng.fold(number) for number in range(first, first + n_steps)]
        max_steps = binary.MAX_STEPS
        groups = [rngs[i : i + max_steps] for i in range(0, n_steps, max_steps)]
        options, means = {"path": self.path, "clamp": self.clamp}, None
        if energy.is_sitewise:
            for part in groups:
                x, means = sitewise.draw(part, energy, params, x, **options)
        elif self.clamp is None and binary.supports_sweeps(
            energy, params, x, self.colors
        ):
            for part in groups:
                x, means = binary.draw(part, energy, params, x, self.colors, self.path)
        else:
            options["colors"] = self.colors
            for step_rng in rngs:
                x, means = sweep(energy, params, x, draws(energy, step_rng), **options)
        return State(x), Info(means)

    def step_with_data(self, rng, params, x, state, n_steps):
        energy = self.energy
        if not (
            binary.supports_sweeps(energy, params, x, (1,))
            and binary.supports_sweeps(energy, params, state.x, (0, 1), n_steps)
        ):
            return None
        rngs, model = [rng.fold(n) for n in range(n_steps)], self.at(params)
        result = binary.both_phases(rngs, energy, params, x, state.x, model)
        return result[0], State(result[1]), Info(result[2])


class FastWeights(Gibbs):
    """Gibbs sampling with fast weights, which are added to the parameters; see
    :mod:`skdgm.gradients.steps.fast`."""

    def __init__(self, energy, fast):
        super().__init__(energy)
        self.fast = fast

    def at(self, params):
        total = copy(params)
        for values, fast_values in zip(leaves(total), leaves(self.fast), strict=True):
            values += fast_values
        return total
