r"""Annealed importance sampling of log Z, forward and reverse.

Between a base model without couplings (beta = 0), whose :math:`Z_0` is known, and the
model (beta = 1) lie models :math:`p_\beta \propto p^*_\beta`. A chain that moves
through them has the weight

.. math:: \log w = \sum_k \log p^*_{\beta_k}(x_{k-1}) - \log p^*_{\beta_{k-1}}(x_{k-1}),
   \qquad \mathbb{E}[w] = Z_1 / Z_0 .

Here x is the state of all colours but the last, which is summed out given the others
[1]_ [2]_.
By Jensen's inequality the log of an average of few weights tends to be too low. In
reverse, from samples of the model itself down to the base model, the same average
estimates :math:`Z_0 / Z_1`, so that log Z tends to be too high [3]_.

References
----------
.. [1] Neal (2001). Annealed importance sampling. Statistics and Computing.
.. [2] Salakhutdinov and Murray (2008). On the quantitative analysis of deep belief
   networks. ICML.
.. [3] Burda, Grosse and Salakhutdinov (2015). Accurate and conservative estimates
   of MRF log-likelihood using reverse annealing. AISTATS.
"""

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.parallel import Parallel, delayed

from skdgm.partition.annealing import anneal
from skdgm.partition.estimate import of_weights
from skdgm.samplers import gibbs

_START, _UP, _DOWN = range(3)
# Number of chains of a block.
_CHAINS = 128


def forward(rng, energy, params, base, n_chains, betas, n_jobs=None):
    """Estimate log Z by annealing from the base model to the model.

    Parameters
    ----------
    rng : Stream
    energy : Energy
    params : Params
    base : pair
        Returned by :meth:`~skdgm.energies.Energy.base`.
    n_chains : int
    betas : array-like
        Inverse temperatures from 0 to 1; see :mod:`skdgm.partition.ladder`.
    n_jobs : int, optional
        Threads that share blocks of chains, besides the threads of kernels; the
        result does not depend on it.

    Returns
    -------
    estimate : Estimate
    """

    def weights(part):
        chains = rng.rows(np.arange(n_chains, dtype=np.uint64)[part])
        return upwards(chains, energy, params, base, betas)

    return of_weights(_in_blocks(weights, n_chains, n_jobs), base[1])


def reverse(rng, energy, params, base, start, betas, n_jobs=None):
    """Estimate log Z by annealing from samples of the model to the base model.

    Parameters
    ----------
    rng, energy, params, base, betas, n_jobs
        As for :func:`forward`.
    start : gibbs.State
        Samples of the model, one for each chain.

    Returns
    -------
    estimate : Estimate
    """
    rows = rng.rows(len(start.x[0]))
    log_w = _downwards(rows, energy, params, base, start, betas, n_jobs)
    return of_weights(log_w, base[1], sign=-1.0)


def conservative(rng, energy, params, base, start, betas, n_jobs=None):
    r"""Estimate log probabilities of given states, on average too low.

    .. math:: \log \hat p(x) = \log p^*(x) - \log Z_0 + \log w

    where w is the weight of a chain from x down to the base model. The mean of w is the
    probability that unweighted chains from the base model up end at x [3]_.

    Parameters
    ----------
    rng : Stream
        With a row for each state.
    energy, params, base, betas, n_jobs
        As for :func:`forward`.
    start : gibbs.State
        States; values of the last colour are ignored.

    Returns
    -------
    log_p : ndarray of shape (n_chains,)
        Log probabilities of all colours but the last.
    """
    log_w = _downwards(rng, energy, params, base, start, betas, n_jobs)
    return energy.log_marginal(params, start.x) - base[1] + log_w


def upwards(rng, energy, params, base, betas, trace=None):
    """Log weights of chains from the base model up, a stream for each; ``trace``,
    a list, gets those after each step."""
    start = gibbs.init(rng.fold(_START), energy, base[0])
    betas = np.asarray(betas).tolist()
    return anneal(rng.fold(_UP), energy, params, base[0], start, betas, trace)


def _downwards(rng, energy, params, base, start, betas, n_jobs):
    betas = np.asarray(betas).tolist()[::-1]
    rows = rng.fold(_DOWN)

    def weights(part):
        x = tuple(None if block is None else block[part] for block in start.x)
        return anneal(rows.take(part), energy, params, base[0], gibbs.State(x), betas)

    return _in_blocks(weights, len(rows.ids), n_jobs)


def _in_blocks(weights, n_chains, n_jobs):
    """Log weights of chains, by blocks whose size does not depend on ``n_jobs``."""
    parts = gen_batches(n_chains, _CHAINS)
    found = Parallel(n_jobs, prefer="threads")(delayed(weights)(p) for p in parts)
    return np.concatenate(found)
