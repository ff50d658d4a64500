r"""The likelihood's gradient, its second term from Markov chains.

.. math:: \frac{\partial}{\partial\theta} \frac1n \sum_i \log p(v_i) =
   \mathbb{E}_{\text{data}}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{\text{model}}\left[-\frac{\partial E}{\partial\theta}\right]

The model's expectation is taken after k steps of Gibbs sampling that start at the
data (contrastive divergence, CD-k [1]_), or go on from where the last update left
them (persistent CD, also called stochastic maximum likelihood [2]_ [3]_), perhaps
changing places with hotter chains, which move more freely [5]_. The odd layers enter
both terms by their means, which have the expectation of draws and less variance [4]_.

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

from skdgm.energies import EVEN, ODD
from skdgm.inference import mean_field
from skdgm.samplers import binary, by_means, gibbs, sweep, tempering

_FILL, _DATA, _MODEL = range(3)


class Phases(NamedTuple):
    """What the gradient's two terms are averages over: a row for each state.

    Parameters
    ----------
    data, model : tuple
        Values of the even layers and means of the odd ones, given these.
    """

    data: tuple
    model: tuple


def cd(rng, energy, params, x, clamp, n_steps):
    """The two phases, by chains that start at the data.

    Parameters
    ----------
    rng : Stream
    x : tuple
        For each block of the even layers the data, or a mean to start from.
    clamp : tuple
        For each block what of it is data: None, True or a boolean array.
    n_steps : int
        Gibbs steps between the data and the negative term.

    Returns
    -------
    phases : Phases
    chains : gibbs.State
        Where the chains ended.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rows = rng.fold(_DATA).rows(len(x[0]))
    chains, info = gibbs.run(rows, energy, params, gibbs.State(x), 1, colours=(ODD,))
    means = with_odd_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(len(x[0]))
    chains, info = gibbs.run(rows, energy, params, chains, n_steps)
    model = with_odd_means(energy, chains.x, info)
    return Phases(means, model), chains


def pcd(rng, energy, params, x, clamp, n_steps, chains, model=None, max_sweeps=50):
    """The two phases, by chains that go on from where they were.

    Parameters and returns are those of :func:`cd`; ``chains`` is a ``gibbs.State``
    of any number of rows, ``model`` the parameters that they have if they are not
    those of the data's phase, and ``max_sweeps`` of mean field.
    """
    model = params if model is None else model
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rng = rng.fold(_MODEL).rows(len(chains.x[0]))
    if binary.serves(energy, params, x, (ODD,)) and binary.serves(
        energy, params, chains.x, (EVEN, ODD), n_steps
    ):
        rngs = [rng.fold(number) for number in range(n_steps)]
        odd, *after = binary.contrast(rngs, energy, params, x, chains.x, model)
        return Phases(_merge(x, odd), _merge(*after)), gibbs.State(after[0])
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    chains, info = gibbs.run(rng, energy, model, chains, n_steps)
    return Phases(means, with_odd_means(energy, chains.x, info)), chains


def tempered(rng, energy, params, x, clamp, n_steps, replicas, ladder, max_sweeps=50):
    """The two phases, by chains that change places with hotter ones.

    Parameters and returns are those of :func:`pcd`, but for chains a
    ``tempering.State``, and its info as well.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    means, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
    rng = rng.fold(_MODEL)
    replicas, info = tempering.run(rng, energy, params, replicas, n_steps, ladder)
    coldest = tempering.coldest(replicas, ladder)
    model, _ = mean_field(energy, params, coldest, _all_even(energy))
    return Phases(means, model), replicas, info


def settled(energy, params, phases):
    """The phases with the model's states moved by one step of mean field."""
    model, _ = sweep(energy, params, phases.model, by_means(energy), colours=(EVEN,))
    return phases._replace(model=model)


def _merge(x, means):
    """Values, but means where there are some."""
    return tuple(a if b is None else b for a, b in zip(x, means))


def complete(rng, energy, params, x, clamp, n_steps):
    """Draw missing data: from mean field on, Gibbs steps with the rest clamped."""
    if not any(isinstance(held, np.ndarray) for held in clamp):
        return x, clamp
    x, _ = mean_field(energy, params, x, clamp)
    rng = rng.fold(_FILL).rows(len(x[0]))
    state, _ = gibbs.run(rng, energy, params, gibbs.State(x), n_steps, clamp=clamp)
    return state.x, tuple(None if held is None else True for held in clamp)


def _all_even(energy):
    even = energy.colours[EVEN]
    return tuple(True if i in even else None for i in range(len(energy.units)))


def with_odd_means(energy, x, info):
    """Values, but in the odd layers the means that they were drawn with."""
    odd = energy.colours[ODD]
    return tuple(info.means[i] if i in odd else part for i, part in enumerate(x))
