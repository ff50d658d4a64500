r"""Blocked Gibbs sampling.

One step draws each colour from its conditional distribution given the other,

.. math:: x_\text{even} \sim p(x_\text{even} \mid x_\text{odd}), \qquad
   x_\text{odd} \sim p(x_\text{odd} \mid x_\text{even}),

and leaves the model's distribution as it is [1]_. Entries may be clamped, which
samples the rest from its conditional distribution.

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
    """Where the chains are: one array for each block, one row for each chain."""

    x: tuple


class Info(NamedTuple):
    """The conditional mean from which each block was drawn; of :func:`run`, for the
    last colour."""

    means: tuple


def init(rng, energy, unit_params):
    """Draw every block alone, as if there were no couplings."""
    x = tuple(
        unit.sample(unit.field(own), rng.fold(block))[0]
        for block, (unit, own) in enumerate(zip(energy.units, unit_params))
    )
    return State(x)


def step(rng, energy, params, state, *, colours=(EVEN, ODD), **options):
    """One sweep of draws; options are those of :func:`~skdgm.samplers.sweep.sweep`.

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
    """Several steps; the last one's state and info."""
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
