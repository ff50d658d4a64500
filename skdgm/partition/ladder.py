r"""Inverse temperatures on the way from a base model to the model.

Annealed importance sampling errs least, for a given number of temperatures, where
each step adds as much to the variance of the log weights: where they are equidistant in
the thermodynamic length [1]_ [2]_

.. math:: \Lambda(\beta) = \int_0^\beta \operatorname{sd}_{\beta'} \left[
   \frac{\mathrm{d}}{\mathrm{d}\beta'} \log p^*_{\beta'}(x)\right] \mathrm{d}\beta',

so that each step keeps the same share of the effective sample size.

References
----------
.. [1] Gelman and Meng (1998). Simulating normalizing constants: from importance
   sampling to bridge sampling to path sampling. Statistical Science.
.. [2] Grosse, Maddison and Salakhutdinov (2013). Annealing between distributions by
   averaging moments. NeurIPS.
"""

import numpy as np

from skdgm.partition import ais

_PILOT, _N_PILOT = 2**8, 200
# How far a sigmoid's arms reach.
_REACH = 4.0
# What share of temperatures is spread as without a pilot, which may have seen too
# little of a part of the way.
_BLIND = 0.1


def linear(n_betas):
    """Equidistant inverse temperatures."""
    return np.linspace(0.0, 1.0, n_betas)


def quadratic(n_betas):
    """Inverse temperatures that are closer to one another near 1."""
    return 1.0 - (1.0 - linear(n_betas)) ** 2


def sigmoid(n_betas):
    """Inverse temperatures that are closer to one another near 0 and near 1."""
    t = 1.0 / (1.0 + np.exp(-_REACH * (2.0 * linear(n_betas) - 1.0)))
    return (t - t[0]) / (t[-1] - t[0])


def equidistant(betas, increments, n_betas):
    """Inverse temperatures with the same thermodynamic length between them.

    Parameters
    ----------
    betas, increments
        Of a first run: its inverse temperatures, and what each of its steps added to
        the chains' log weights, of shape (n_steps, n_chains).
    n_betas : int

    Returns
    -------
    betas : ndarray of shape (n_betas,)
    """
    length = np.concatenate([[0.0], np.cumsum(increments.std(axis=1))])
    if not length[-1] > 0:
        return quadratic(n_betas)
    blind = 1.0 - (1.0 - betas) ** 0.5
    upto = (1.0 - _BLIND) * length / length[-1] + _BLIND * blind
    return np.interp(linear(n_betas), upto, betas)


def adaptive(rng, energy, params, base, n_chains, n_betas):
    """Inverse temperatures that lie closest where weights vary most, as a pilot run
    with random numbers of its own tells.

    Parameters
    ----------
    rng, energy, params, base
        As for :func:`~skdgm.partition.ais.forward`.
    n_chains : int
        Of the pilot.
    n_betas : int

    Returns
    -------
    betas : ndarray of shape (n_betas,)
    """
    return equidistant(*pilot(rng, energy, params, base, n_chains), n_betas)


def unit_lengths(betas, increments, fewest, most):
    """Inverse temperatures a unit of thermodynamic length apart; or as few or as many
    as there may be at equal lengths.

    Parameters
    ----------
    betas, increments
        What :func:`pilot` returns.
    fewest, most : int

    Returns
    -------
    betas : ndarray
    """
    n_betas = 1 + np.ceil(increments.std(axis=1).sum())
    n_betas = int(np.clip(np.nan_to_num(n_betas, posinf=most), fewest, most))
    return equidistant(betas, increments, n_betas)


def pilot(rng, energy, params, base, n_chains):
    """A first run's temperatures, and what each step adds to its log weights."""
    betas, trace = quadratic(_N_PILOT), []
    chains = rng.fold(_PILOT).rows(n_chains)
    ais.upwards(chains, energy, params, base, betas, trace)
    return betas, np.diff(trace, axis=0, prepend=0.0)
