r"""Blocked Gibbs sampling.

One step draws each colour from its conditional distribution given the other,

.. math:: x_\text{even} \sim p(x_\text{even} \mid x_\text{odd}), \qquad
   x_\text{odd} \sim p(x_\text{odd} \mid x_\text{even}),

and leaves the distribution of the model invariant [1]_. Entries may be clamped, so that
the others are drawn from their conditional distribution.

References
----------
.. [1] Geman and Geman (1984). Stochastic relaxation, Gibbs distributions, and the
   Bayesian restoration of images. IEEE TPAMI.
"""

from typing import NamedTuple

from skdgm.energies import EVEN, ODD
from skdgm.samplers import binary
from skdgm.samplers.sweep import sweep


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
    energy : LayeredEnergy
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


def step(rng, energy, params, state, *, colours=(EVEN, ODD), **options):
    """Make one Gibbs step.

    Parameters
    ----------
    rng : Stream
        With a row for each chain.
    energy : LayeredEnergy
    params : Params
    state : State
        Values of the first colour are ignored, but for clamped ones.
    colours : sequence of {EVEN, ODD}, default=(EVEN, ODD)
        The order of updates.
    **options
        ``clamp``, ``path`` and ``received`` of :func:`~skdgm.samplers.sweep`.

    Returns
    -------
    state : State
    info : Info
    """

    def draw(block, eta):
        return energy.units[block].sample(eta, rng.fold(block))

    x, means = sweep(energy, params, state.x, draw, colours=colours, **options)
    return State(x), Info(means)


def run(
    rng,
    energy,
    params,
    state,
    n_steps,
    *,
    colours=(EVEN, ODD),
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
    info = None
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
