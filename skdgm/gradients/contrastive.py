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
from skdgm.inference import mean_field
from skdgm.samplers import binary, by_means, gibbs, sweep, tempering

_FILL, _DATA, _MODEL = range(3)


class Phases(NamedTuple):
    """States over which both phases of the gradient average: tuples of {ndarray, Lists}
    of shape (n_rows, size), values of all colours but the last, whose means they have.
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
    x : tuple of {ndarray, Lists} of shape (n_rows, size)
        For each block of all colours but the last the data, or a mean to start from.
    clamp : tuple
        For each block its entries that are data: None, True or a boolean array; in the
        last colour None or True.
    n_steps : int
        Number of Gibbs steps between the data and the negative phase.

    Returns
    -------
    phases : Phases
    chains : gibbs.State
        The last states of the chains.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    fixed, last = {}, energy.colours[-1]
    if any(clamp[block] is True for block in last):
        fixed["clamp"] = clamp
    data, model = (rng.fold(tag).rows(n_rows(x)) for tag in (_DATA, _MODEL))
    given, fixed["colours"] = gibbs.State(x), energy.backwards[:1]
    chains, info = gibbs.run(data, energy, params, given, 1, **fixed)
    means = _with_last_means(energy, x, info)
    chains, info = gibbs.run(model, energy, params, chains, n_steps)
    return Phases(means, _with_last_means(energy, chains.x, info)), chains


def pcd(rng, energy, params, x, clamp, n_steps, chains, model=None, max_sweeps=50):
    """Both phases, with persistent chains (PCD-k), and means by mean field given data.

    Parameters
    ----------
    rng, energy, params, x, clamp, n_steps
        As for :func:`cd`; values of x may be None where nothing is data.
    chains : gibbs.State
        Of any number of rows.
    model : Params, optional
        Parameters of the chains, if not ``params``.
    max_sweeps : int, default=50
        Passed to :func:`~skdgm.inference.mean_field`.

    Returns
    -------
    phases, chains
        As for :func:`cd`.
    """
    model = params if model is None else model
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rng = rng.fold(_MODEL).rows(n_rows(chains.x))
    if binary.serves(energy, params, x, (1,)) and binary.serves(
        energy, params, chains.x, (0, 1), n_steps
    ):
        rngs = [rng.fold(number) for number in range(n_steps)]
        last, *after = binary.contrast(rngs, energy, params, x, chains.x, model)
        return Phases(_merge(x, last), _merge(*after)), gibbs.State(after[0])
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    chains, info = gibbs.run(rng, energy, model, chains, n_steps)
    return Phases(means, _with_last_means(energy, chains.x, info)), chains


def tempered(rng, energy, params, x, clamp, n_steps, replicas, ladder, max_sweeps=50):
    """Both phases, with persistent chains at several temperatures.

    Parameters and returns are those of :func:`pcd`, with a ``tempering.State`` and a
    ``tempering.Ladder`` for the chains, and also a ``tempering.Info`` returned.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    rng = rng.fold(_MODEL)
    replicas, info = tempering.run(rng, energy, params, replicas, n_steps, ladder)
    coldest, last = tempering.coldest(replicas, ladder), energy.colours[-1]
    given = tuple(None if block in last else True for block in range(len(x)))
    model, _ = mean_field(energy, params, coldest, given)
    return Phases(means, model), replicas, info


def layer_pair(rng, energy, params, x, clamp, n_steps, gains):
    r"""Both phases for two layers that will be part of a deeper machine.

    An inner layer of a deep Boltzmann machine has inputs from the layers below and
    above. While it is pre-trained with one of these only, that input counts twice [6]_:

    .. math:: p(h_j = 1 \mid v) = \sigma(c_j + 2 \, v^\top W_{:j}), \qquad
       p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)

    for the two bottom layers, reversed for the two top ones, and both doubled between.
    To multiply an input by g is to go to the point :math:`\beta = g` of a path that
    begins with the layer without couplings.

    Parameters and returns are those of :func:`cd`, for an energy of two colours;
    ``gains`` has for each block the factor of its input from its neighbours.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)

    def draw(rng, state, colour):
        blocks = energy.colours[colour]
        for gain in sorted({gains[block] for block in blocks}):
            path = Path(params.units, params.dtype.type(gain))
            options = {"colours": (colour,), "path": path}
            later = tuple(
                (block in blocks and own != gain) or None
                for block, own in enumerate(gains)
            )
            if any(later):
                options["clamp"] = later
            run = rng.fold(colour), energy, params, state, 1
            state, info = gibbs.run(*run, **options)
        return state, info

    rows = rng.fold(_DATA).rows(n_rows(x))
    chains, info = draw(rows, gibbs.State(x), 1)
    data = _with_last_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(n_rows(x))
    for number in range(n_steps):
        for colour in (0, 1):
            chains, info = draw(rows.fold(number), chains, colour)
    return Phases(data, _with_last_means(energy, chains.x, info)), chains


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
    rng = rng.fold(_FILL).rows(n_rows(x))
    state, _ = gibbs.run(rng, energy, params, gibbs.State(x), n_steps, clamp=clamp)
    return state.x, tuple(None if clamped is None else True for clamped in clamp)


def _with_last_means(energy, x, info):
    """Replace values of the last colour by the means with which they were drawn."""
    last = energy.colours[-1]
    found = (mean if b in last else None for b, mean in enumerate(info.means))
    return _merge(x, found)
