r"""Likelihood gradient with a negative phase sampled by Markov chains.

.. math:: \frac{\partial}{\partial\theta} \frac1n \sum_i \log p(v_i) =
   \mathbb{E}_{\text{data}}\left[-\frac{\partial E}{\partial\theta}\right] -
   \mathbb{E}_{\text{model}}\left[-\frac{\partial E}{\partial\theta}\right]

The expectation under the model is estimated after k Gibbs steps, which start at the
data in contrastive divergence (CD-k [1]_). In persistent CD, also called stochastic
maximum likelihood [2]_ [3]_, they continue from the previous update. In parallel
tempering, chains at several temperatures also swap states, since hot chains mix faster
[5]_. In both phases, the last color is represented by its means given the other colors.
These have the same expectation as draws, and less variance [4]_.

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
    """States over which the two phases of the gradient average. Each is a tuple of
    {ndarray, Lists} of shape (n_rows, size): values of all colors except the last, and
    means of the last color."""

    data: tuple
    model: tuple


def cd(rng, sampler, params, x, clamp, n_steps):
    """Both phases, with chains that start at the data (CD-k).

    Parameters
    ----------
    rng : Stream
    sampler : Sampler
        Sampler of the chains.
    params : Params
    x : tuple of {ndarray, Lists} of shape (n_rows, size)
        Data, or means to start from, of each block outside the last color.
    clamp : tuple
        Entries of each block that are data: None, True or a boolean array; for blocks
        of the last color None or True.
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
    fixed = any(clamp[block] is True for block in energy.colors[-1])
    hidden = Gibbs(energy, colors=energy.backwards[:1], clamp=clamp if fixed else None)
    data, model = (rng.fold(tag).rows(n_rows(x)) for tag in (_DATA, _MODEL))
    chains, info = hidden.step(data, params, State(x))
    means = _with_last_means(energy, x, info)
    chains, info = sampler.step(model, params, chains, n_steps)
    return Phases(means, _of_model(sampler, params, chains, info)), chains, info


def pcd(rng, sampler, params, x, clamp, n_steps, chains, max_sweeps=50):
    """Both phases, with persistent chains (PCD-k), and mean field given the data.

    Parameters
    ----------
    rng, sampler, params, x, clamp, n_steps
        As in :func:`cd`; elements of x without data may be None.
    chains : State
        States of the chains, with any number of rows.
    max_sweeps : int, default=50
        Argument of :func:`~skdgm.inference.mean_field`.

    Returns
    -------
    phases, chains, info
        As in :func:`cd`.
    """
    energy = sampler.energy
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)
    rng = rng.fold(_MODEL).rows(n_rows(chains.x))
    joint_step = sampler.step_with_data(rng, params, x, chains, n_steps)
    if joint_step is None:
        data, _ = mean_field(energy, params, x, clamp, max_sweeps=max_sweeps)
        chains, info = sampler.step(rng, params, chains, n_steps)
    else:
        means, chains, info = joint_step
        data = _merge(x, means)
    return Phases(data, _of_model(sampler, params, chains, info)), chains, info


def layer_pair(rng, energy, params, x, clamp, n_steps, gains):
    r"""Both phases for two layers that will be part of a deeper machine.

    An inner layer of a deep Boltzmann machine has inputs from the layers below and
    above. When it is pre-trained with only one of these layers, this input is doubled
    [6]_:

    .. math:: p(h_j = 1 \mid v) = \sigma(c_j + 2 \, v^\top W_{:j}), \qquad
       p(v_i = 1 \mid h) = \sigma(b_i + W_{i:} h)

    for the two bottom layers. For the two top layers the roles are reversed, and for
    layers in between both inputs are doubled. Multiplying an input by g amounts to the
    point :math:`\beta = g` on the path from the layer without couplings.

    Parameters and returned values are those of :func:`cd`, with an energy of two colors
    instead of the sampler. ``gains`` has the factor of the input of each block.
    """
    x, clamp = complete(rng, energy, params, x, clamp, n_steps)

    def draw(rng, state, color):
        blocks, info = energy.colors[color], None
        for gain in sorted({gains[block] for block in blocks}):
            path = Path(params.units, params.dtype.type(gain))
            later = tuple(
                (block in blocks and other_gain != gain) or None
                for block, other_gain in enumerate(gains)
            )
            options = {"path": path, "clamp": later if any(later) else None}
            sampler = Gibbs(energy, colors=(color,), **options)
            state, info = sampler.step(rng.fold(color), params, state)
        return state, info

    rows = rng.fold(_DATA).rows(n_rows(x))
    chains, info = draw(rows, State(x), 1)
    data = _with_last_means(energy, x, info)
    rows = rng.fold(_MODEL).rows(n_rows(x))
    for number in range(n_steps):
        for color in (0, 1):
            chains, info = draw(rows.fold(number), chains, color)
    return Phases(data, _with_last_means(energy, chains.x, info)), chains, info


def with_first_means(energy, params, phases):
    """Replace the model's values of the first color by means given the other colors."""
    model, _ = sweep(energy, params, phases.model, by_means(energy), colors=(0,))
    return phases._replace(model=model)


def _merge(x, means):
    """Values x, replaced by means where these are not None."""
    return tuple(a if b is None else b for a, b in zip(x, means))


def complete(rng, energy, params, x, clamp, n_steps):
    """Draw missing entries by Gibbs steps that start at mean-field means. The known
    entries are clamped. Returns complete values and their clamp."""
    if not any(isinstance(clamped, np.ndarray) for clamped in clamp):
        return x, clamp
    x, _ = mean_field(energy, params, x, clamp)
    rng = rng.fold(_FILL).rows(n_rows(x))
    state, _ = Gibbs(energy, clamp=clamp).step(rng, params, State(x), n_steps)
    return state.x, tuple(None if clamped is None else True for clamped in clamp)


def _of_model(sampler, params, chains, info):
    """Values of the chains at the model's temperature, with means of the last color."""
    x, energy = sampler.coldest(chains), sampler.energy
    if info.means is not None:
        return _with_last_means(energy, x, info)
    last_color = energy.colors[-1]
    clamp = tuple(None if block in last_color else True for block in range(len(x)))
    return last_means(energy, params, x, clamp)


def _with_last_means(energy, x, info):
    """Replace values of the last color by the means from which they were drawn."""
    last_color = energy.colors[-1]
    means = (mean if b in last_color else None for b, mean in enumerate(info.means))
    return _merge(x, means)
