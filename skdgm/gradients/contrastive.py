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
.. [6] Salakhutdinov and Hinton (2009). Deep Boltzmann machines. AISTATS.
"""

from typing import NamedTuple

import numpy as np

from skdgm.energies import Path, n_rows
from skdgm.inference import last_means, mean_field
from skdgm.samplers import Gibbs, State, by_means, sweep

_FILL, _DATA, _MODEL = range(3)


class Phases(NamedTuple):
    """States over which both phases of the gradient average: tuples of {ndarray, Lists}
    of shape (n_rows, size), values of all colours but the last, whose means they have.
    """

    data: tuple
    model: tuple


def cd(rng, sampler, params, x, clamp, n_steps):
    """Both phases, with chains that start at the data (CD-k).

    Parameters
    ----------
    rng : Stream
    sampler : Sampler
        Of the chains.
    params : Params
    x : tuple of {ndarray, Lists} of shape (n_rows, size)
        For each block of all colours but the last the data, or a mean to start from.
    clamp : tuple
        For each block its entries that are data: None, True or a boolean array; in the
        last colour None or True.
    n_steps : int
        Number of steps of the chains between the data and the negative phase.

    Returns
    -------
    phases : Phases
    chains : State
        The last states of the chains.
    info : Info
    """
    energy = sampler.energy
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    held = any(clamp[block] is True for block in energy.colours[-1])
    hidden = Gibbs(energy, colours=energy.backwards[:1], clamp=clamp if held else None)
    data, model = (rng.fold(tag).rows(n_rows(x)) for tag in (_DATA, _MODEL))
    chains, info = hidden.step(data, params, State(x))
    means = _with_last_means(energy, x, info)
    chains, info = sampler.step(model, params, chains, n_steps)
    return Phases(means, _of_model(sampler, params, chains, info)), chains, info


def pcd(rng, sampler, params, x, clamp, n_steps, chains, max_sweeps=50):
    """Both phases, with persistent chains (PCD-k), and means by mean field given data.

    Parameters
    ----------
    rng, sampler, params, x, clamp, n_steps
        As for :func:`cd`; values of x may be None where nothing is data.
    chains : State
        Of any number of rows.
    max_sweeps : int, default=50
        Passed to :func:`~skdgm.inference.mean_field`.

    Returns
    -------
    phases, chains, info
        As for :func:`cd`.
    """
    energy = sampler.energy
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rng = rng.fold(_MODEL).rows(n_rows(chains.x))
    found = sampler.beside(rng, params, x, chains, n_steps)
    if found is None:
        data, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
        chains, info = sampler.step(rng, params, chains, n_steps)
    else:
        last, chains, info = found
        data = _merge(x, last)
    return Phases(data, _of_model(sampler, params, chains, info)), chains, info


def layer_pair(rng, energy, params, x, clamp, n_steps, gains):
    r"""Both phases for two layers that will be part of a deeper machine.

    An inner layer of a deep Boltzmann machine has inputs from the layers below and
    above. While it is pre-trained with one of these only, that input counts twice [6]_:

    .. math:: p(h_j = 1 \mid v) = \sigma(c_j + 2 \, v^\top W_{:j}), \qquad
       p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)

    for the two bottom layers, reversed for the two top ones, and both doubled between.
    To multiply an input by g is to go to the point :math:`\beta = g` of a path that
    begins with the layer without couplings.

    Parameters and returns are those of :func:`cd`, with an energy of two colours for
    the sampler; ``gains`` has for each block the factor of its input from its
    neighbours.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)

    def draw(rng, state, colour):
        blocks, info = energy.colours[colour], None
        for gain in sorted({gains[block] for block in blocks}):
            path = Path(params.units, params.dtype.type(gain))
            later = tuple(
                (block in blocks and own != gain) or None
                for block, own in enumerate(gains)
            )
            given = {"path": path, "clamp": later if any(later) else None}
            sampler = Gibbs(energy, colours=(colour,), **given)
            state, info = sampler.step(rng.fold(colour), params, state)
        return state, info

    rows = rng.fold(_DATA).rows(n_rows(x))
    chains, info = draw(rows, State(x), 1)
    data = _with_last_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(n_rows(x))
    for number in range(n_steps):
        for colour in (0, 1):
            chains, info = draw(rows.fold(number), chains, colour)
    return Phases(data, _with_last_means(energy, chains.x, info)), chains, info


def with_first_means(energy, params, phases):
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
    rng = rng.fold(_FILL).rows(n_rows(x))
    state, _ = Gibbs(energy, clamp=clamp).step(rng, params, State(x), n_steps)
    return state.x, tuple(None if clamped is None else True for clamped in clamp)


def _of_model(sampler, params, chains, info):
    """Values of the chains of the model itself, with means of the last colour."""
    x, energy = sampler.coldest(chains), sampler.energy
    if info.means is not None:
        return _with_last_means(energy, x, info)
    last = energy.colours[-1]
    given = tuple(None if block in last else True for block in range(len(x)))
    return last_means(energy, params, x, given)


def _with_last_means(energy, x, info):
    """Replace values of the last colour by the means with which they were drawn."""
    last = energy.colours[-1]
    found = (mean if b in last else None for b, mean in enumerate(info.means))
    return _merge(x, found)
