r"""The likelihood's gradient, its second term from Markov chains.

.. math:: \frac{\partial}{\partial\theta} \frac1n \sum_i \log p(v_i) =
   \mathbb{E}_{\text{data}}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{\text{model}}\left[-\frac{\partial E}{\partial\theta}\right]

The model's expectation is taken after k steps of Gibbs sampling that start at the
data (contrastive divergence, CD-k [1]_), or go on from where the last update left
them (persistent CD, also called stochastic maximum likelihood [2]_ [3]_). The odd
layers enter both terms by their means, which have the expectation of draws and
less variance [4]_.

References
----------
.. [1] Hinton (2002). Training products of experts by minimizing contrastive
   divergence. Neural Computation.
.. [2] Younes (1999). On the convergence of Markovian stochastic algorithms with
   rapidly decreasing ergodicity rates. Stochastics.
.. [3] Tieleman (2008). Training restricted Boltzmann machines using approximations
   to the likelihood gradient. ICML.
.. [4] Hinton (2012). A practical guide to training restricted Boltzmann machines.
"""

import numpy as np

from skdgm.energies import EVEN, ODD, contrast
from skdgm.inference import mean_field
from skdgm.samplers import binary, gibbs

_FILL, _DATA, _MODEL = range(3)


def cd(rng, energy, params, x, clamp, n_steps):
    """Gradient by chains that start at the data.

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
    grad : Params
    chains : gibbs.State
        Where the chains ended.
    """
    x, clamp = _complete(rng, energy, params, x, clamp, n_steps)
    rows = rng.fold(_DATA).rows(len(x[0]))
    chains, info = gibbs.run(rows, energy, params, gibbs.State(x), 1, colours=(ODD,))
    means = _with_odd_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(len(x[0]))
    chains, info = gibbs.run(rows, energy, params, chains, n_steps)
    model = _with_odd_means(energy, chains.x, info)
    return contrast(energy, params, means, model), chains


def pcd(rng, energy, params, x, clamp, n_steps, chains):
    """Gradient by chains that go on from where they were.

    Parameters and returns are those of :func:`cd`; ``chains`` is a ``gibbs.State``
    of any number of rows.
    """
    x, clamp = _complete(rng, energy, params, x, clamp, n_steps)
    rng = rng.fold(_MODEL).rows(len(chains.x[0]))
    if binary.serves(energy, params, x, (ODD,)) and binary.serves(
        energy, params, chains.x, (EVEN, ODD), n_steps
    ):
        rngs = [rng.fold(number) for number in range(n_steps)]
        odd, after, odd_model = binary.contrast(rngs, energy, params, x, chains.x)
        means, chains = _merge(x, odd), gibbs.State(after)
        return contrast(energy, params, means, _merge(after, odd_model)), chains
    means, _ = mean_field(energy, params, x, clamp)
    chains, info = gibbs.run(rng, energy, params, chains, n_steps)
    model = _with_odd_means(energy, chains.x, info)
    return contrast(energy, params, means, model), chains


def _merge(x, means):
    """Values, but means where there are some."""
    return tuple(a if b is None else b for a, b in zip(x, means))


def _complete(rng, energy, params, x, clamp, n_steps):
    """Draw missing data: from mean field on, Gibbs steps with the rest clamped."""
    if not any(isinstance(held, np.ndarray) for held in clamp):
        return x, clamp
    x, _ = mean_field(energy, params, x, clamp)
    rng = rng.fold(_FILL).rows(len(x[0]))
    state, _ = gibbs.run(rng, energy, params, gibbs.State(x), n_steps, clamp=clamp)
    return state.x, tuple(None if held is None else True for held in clamp)


def _with_odd_means(energy, x, info):
    odd = energy.colours[ODD]
    return tuple(info.means[i] if i in odd else part for i, part in enumerate(x))
