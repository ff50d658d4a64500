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

from typing import NamedTuple

import numpy as np

from skdgm.samplers import binary, sitewise


def by_means(energy):
    """Make an update for :func:`sweep` that replaces a block's value by its mean."""

    def update(block, eta):
        mean = energy.units[block].mean(eta)
        return mean, mean

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


class State(NamedTuple):
    """State of the chains: for each block an array or Lists, one row for each chain."""

    x: tuple


class Info(NamedTuple):
    """Conditional mean with which each block was drawn, of shape (n_chains, size), or
    None if it was not; after :func:`run`, for the last colour."""

    means: tuple


def init(rng, energy, unit_params):
    """Draw initial states from the model without couplings.

    Parameters
    ----------
    rng : Stream
        With a row for each chain.
    energy : Energy
    unit_params : tuple
        Parameters of each block, as :class:`~skdgm.energies.Params` has them.

    Returns
    -------
    state : State
    """
    x = tuple(
        unit.sample(unit.field(own), rng.fold(block))[0]
        for block, (unit, own) in enumerate(zip(energy.units, unit_params))
    )
    return State(x)


def step(rng, energy, params, state, *, colours=None, **options):
    """Make one Gibbs step.

    Parameters
    ----------
    rng : Stream
        With a row for each chain.
    energy : Energy
    params : Params
    state : State
        Values of the first colour are ignored, but for clamped ones.
    colours : sequence of int, optional
        The order of updates; by default from the first colour to the last.
    **options
        ``clamp``, ``path`` and ``received`` of :func:`~skdgm.samplers.sweep`. Sites of
        blocks that are linked with themselves are drawn in an order of their own.

    Returns
    -------
    state : State
    info : Info
    """

    if energy.is_sitewise:
        given = {name: options.get(name) for name in ("path", "clamp")}
        x, means = sitewise.draw([rng], energy, params, state.x, **given)
        return State(x), Info(means)

    def draw(block, eta):
        return energy.units[block].sample(eta, rng.fold(block))

    colours = range(len(energy.colours)) if colours is None else colours
    x, means = sweep(energy, params, state.x, draw, colours=colours, **options)
    return State(x), Info(means)


def run(
    rng,
    energy,
    params,
    state,
    n_steps,
    *,
    colours=None,
    path=None,
    **options,
):
    """Make several Gibbs steps, by kernels where possible.

    Parameters
    ----------
    rng, energy, params, state, colours, **options
        As for :func:`step`.
    n_steps : int
        Number of Gibbs steps; at least 1.
    path : Path, optional
        Sample from a model on the way from a base model.

    Returns
    -------
    state : State
    info : Info
        Of the last step.
    """
    colours, info = range(len(energy.colours)) if colours is None else colours, None
    if energy.is_sitewise:
        given = {"path": path, "clamp": options.get("clamp")}
        for start in range(0, n_steps, binary.MAX_STEPS):
            numbers = range(start, min(start + binary.MAX_STEPS, n_steps))
            rngs = [rng.fold(number) for number in numbers]
            x, means = sitewise.draw(rngs, energy, params, state.x, **given)
            state, info = State(x), Info(means)
        return state, info
    if not options and binary.serves(energy, params, state.x, colours):
        for start in range(0, n_steps, binary.MAX_STEPS):
            part = [
                rng.fold(n)
                for n in range(start, min(start + binary.MAX_STEPS, n_steps))
            ]
            x, means = binary.draw(part, energy, params, state.x, colours, path)
            state, info = State(x), Info(means)
        return state, info
    for number in range(n_steps):
        state, info = step(
            rng.fold(number),
            energy,
            params,
            state,
            colours=colours,
            path=path,
            **options,
        )
    return state, info
