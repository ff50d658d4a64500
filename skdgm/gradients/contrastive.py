r"""Likelihood gradient with a negative phase sampled by Markov chains.

.. math:: \frac{\partial}{\partial\theta} \frac1n \sum_i \log p(v_i) =
   \mathbb{E}_{\text{data}}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{\text{model}}\left[-\frac{\partial E}{\partial\theta}\right]

The expectation under the model is taken after k Gibbs steps that start at the data
(contrastive divergence, CD-k [1]_), or at the end of the last update (persistent CD,
also called stochastic maximum likelihood [2]_ [3]_), perhaps with swaps between chains
at several temperatures, of which the hotter mix faster [5]_. The last colour enters
both phases by its means given the others, which have the expectation of draws and less
variance [4]_.

References
----------
.. [1] Hinton (2002). Training products of experts by minimizing contrastive
   divergence. Neural Computation.
.. [2] Younes (1999). On the convergence of Markovian stochastic algorithms with
   rapidly decreasing ergodicity rates. Stochastics.
.. [3] Tieleman (2008). Training restricted Boltzmann machines using approximations
   to the likelihood gradient. ICML.
.. [4] Hinton (2012). A practical guide to training restricted Boltzmann machines.
.. [5] Desjardins, Courville, Bengio, Vincent and Delalleau (2010). Tempered Markov
   chain Monte Carlo for training of restricted Boltzmann machines. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.inference import mean_field
from skdgm.samplers import binary, by_means, gibbs, sweep, tempering

_FILL, _DATA, _MODEL = range(3)


class Phases(NamedTuple):
    """States over which the two phases of the gradient average, a row for each.

    Parameters
    ----------
    data, model : tuple of {ndarray, Lists}
        Values of all colours but the last, and means of the last given these.
    """

    data: tuple
    model: tuple


def cd(rng, energy, params, x, clamp, n_steps):
    """Both phases, with chains that start at the data (CD-k).

    Parameters
    ----------
    rng : Stream
    energy : Energy
    params : Params
    x : tuple
        For each block of all colours but the last the data, or a mean to start from.
    clamp : tuple
        For each block its entries that are data: None, True or a boolean array.
    n_steps : int
        Number of Gibbs steps between the data and the negative phase.

    Returns
    -------
    phases : Phases
    chains : gibbs.State
        The last states of the chains.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rows = rng.fold(_DATA).rows(len(x[0]))
    last = energy.backwards[:1]
    chains, info = gibbs.run(rows, energy, params, gibbs.State(x), 1, colours=last)
    means = with_last_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(len(x[0]))
    chains, info = gibbs.run(rows, energy, params, chains, n_steps)
    model = with_last_means(energy, chains.x, info)
    return Phases(means, model), chains


def pcd(rng, energy, params, x, clamp, n_steps, chains, model=None, max_sweeps=50):
    """Both phases, with persistent chains (PCD-k).

    Parameters and returns are those of :func:`cd`; ``chains`` is a ``gibbs.State``
    of any number of rows, ``model`` the parameters of the chains, if not those of the
    positive phase, and ``max_sweeps`` is passed to mean field.
    """
    model = params if model is None else model
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rng = rng.fold(_MODEL).rows(len(chains.x[0]))
    if binary.serves(energy, params, x, (1,)) and binary.serves(
        energy, params, chains.x, (0, 1), n_steps
    ):
        rngs = [rng.fold(number) for number in range(n_steps)]
        last, *after = binary.contrast(rngs, energy, params, x, chains.x, model)
        return Phases(_merge(x, last), _merge(*after)), gibbs.State(after[0])
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    chains, info = gibbs.run(rng, energy, model, chains, n_steps)
    return Phases(means, with_last_means(energy, chains.x, info)), chains


def tempered(rng, energy, params, x, clamp, n_steps, replicas, ladder, max_sweeps=50):
    """Both phases, with persistent chains at several temperatures.

    Parameters and returns are those of :func:`pcd`, with a ``tempering.State`` and a
    ``tempering.Ladder`` for the chains, and also a ``tempering.Info`` returned.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    rng = rng.fold(_MODEL)
    replicas, info = tempering.run(rng, energy, params, replicas, n_steps, ladder)
    coldest = tempering.coldest(replicas, ladder)
    model, _ = mean_field(energy, params, coldest, _all_but_last(energy))
    return Phases(means, model), replicas, info


def settled(energy, params, phases):
    """Replace the first colour of the model's phase by its means given the others."""
    model, _ = sweep(energy, params, phases.model, by_means(energy), colours=(0,))
    return phases._replace(model=model)


def _merge(x, means):
    """Replace values by means where there are some."""
    return tuple(a if b is None else b for a, b in zip(x, means))


def complete(rng, energy, params, x, clamp, n_steps):
    """Draw missing entries by Gibbs steps that start at mean-field means, the others
    clamped; return complete values and their clamp."""
    if not any(isinstance(clamped, np.ndarray) for clamped in clamp):
        return x, clamp
    x, _ = mean_field(energy, params, x, clamp)
    rng = rng.fold(_FILL).rows(len(x[0]))
    state, _ = gibbs.run(rng, energy, params, gibbs.State(x), n_steps, clamp=clamp)
    return state.x, tuple(None if clamped is None else True for clamped in clamp)


def _all_but_last(energy):
    last = energy.colours[-1]
    return tuple(None if i in last else True for i in range(len(energy.units)))


def with_last_means(energy, x, info):
    """Replace values of the last colour by the means with which they were drawn."""
    last = energy.colours[-1]
    return tuple(info.means[i] if i in last else part for i, part in enumerate(x))
