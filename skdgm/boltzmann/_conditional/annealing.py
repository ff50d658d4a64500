r"""Annealed importance sampling of y and the hidden units, given the conditions of each
row.

.. math:: \log \hat Z(x) = \log Z_0(x) + \log \frac1m \sum_{k=1}^m w_k

Chains move from a model without couplings and conditions to the model given x, and
back. A base model with conditions might concentrate on the wrong mode for outlying
rows. If entries of y are clamped, weighted averages over the chains estimate means
given these entries.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skdgm.inference.mean_field import take
from skdgm.partition.row_chains import RowChains
from skdgm.utils import weighted

# Number of chains of a row in each direction; number of temperatures; number of steps
# from the ends of upward chains to approximate samples of the model.
_CHAINS, _BETAS, _STEPS = 10, 200, 50
_ROUND = 4
# Rounds of averaging, with numbers of chains and factors on their lengths; standard
# error below which rounds end; standard error above which there is a warning; and
# number of entries processed at a time.
_MORE = (8, 1), (8, 2), (16, 4)
_MAX_CHAINS = sum(n for n, _ in _MORE)
_SUFFICIENT_ERROR, _WARNING_ERROR, _MAX_ENTRIES = 0.02, 0.05, 2**20


def log_Z_bracket(rng, energy, params, z):
    """Upper and lower estimates of log Z given each row of conditions, (2, n_rows).
    ``z`` are the conditions, (n_rows, n_conditions), which are the last block of the
    energy; ``rng`` has a stream for each row."""
    unclamped = (None,) * (len(energy.units) - 1)
    x, clamp = (*unclamped, z), (*unclamped, True)
    chains = RowChains.of(energy, params, params.units, x, clamp, _CHAINS)
    sides, _ = chains.log_Z(rng.each(_CHAINS), _BETAS, _STEPS)
    return np.stack([sides.max(axis=0), sides.min(axis=0)])


def averages(rng, energy, params, x, clamp, n_steps, once=False):
    """Means of the visible blocks given conditions and clamped entries, a list, and the
    largest standard error of each row, (n_rows,), in the units of statistics. Chains
    are annealed in ``n_steps`` steps, and then averaged over ``n_steps`` steps. Rows
    get more and longer chains until these agree, or a single chain with ``once``."""
    blocks, results, rounds = energy.colors[0], [], ((1, 1),) if once else _MORE
    size = max(
        1, _MAX_ENTRIES // (_MAX_CHAINS * max(unit.size for unit in energy.units))
    )
    for batch in gen_batches(len(x[-1]), size):
        values, masks = take(x, batch), take(clamp, batch)
        results.append(
            _averages(rng.take(batch), energy, params, values, masks, n_steps, rounds)
        )
    *means, error = (np.concatenate(values) for values in zip(*results))
    blocks_of_y = zip(means, (x[b] for b in blocks), (clamp[b] for b in blocks))
    return [np.where(clamped, v, mean) for mean, v, clamped in blocks_of_y], error


def _averages(rng, energy, params, x, clamp, n_steps, rounds):
    """As :func:`averages`, for rows that fit into memory; means of known entries are
    included."""
    units = [energy.units[block] for block in energy.colors[0]]
    n = len(x[-1])
    block_means, error = [np.empty((n, unit.size)) for unit in units], np.empty(n)
    remaining, log_w = np.arange(n), np.empty((n, 0))
    of_chains = [np.empty((n, 0, unit.size)) for unit in units]
    for number, (n_chains, longer) in enumerate(rounds):
        values, masks = take(x, remaining), take(clamp, remaining)
        chains = RowChains.of(energy, params, params.units, values, masks, n_chains)
        streams = rng.take(remaining).fold(_ROUND, number).each(n_chains)
        weight, state = chains.up(streams, longer * n_steps + 1)
        means = chains.averaged(streams, state, longer * n_steps)
        log_w = np.concatenate([log_w, weight.reshape(-1, n_chains)], axis=1)
        w = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        worst = np.zeros(len(remaining))
        for block, unit in enumerate(units):
            of_block = means[block].reshape(-1, n_chains, unit.size)
            of_chains[block] = np.concatenate([of_chains[block], of_block], axis=1)
            mean = np.einsum("rk,rku->ru", w, of_chains[block])
            gap = ((of_chains[block] - mean[:, None]) ** 2).mean(axis=1)
            gap = gap * np.square(getattr(unit, "gain", 1.0))
            worst = np.maximum(worst, gap.max(axis=1, initial=0.0))
            block_means[block][remaining] = mean
        # The sum of squared weights is the inverse of the effective number of chains.
        error[remaining] = np.sqrt(worst * (w**2).sum(axis=1))
        continues = error[remaining] > _SUFFICIENT_ERROR
        remaining, log_w, of_chains = (
            remaining[continues],
            log_w[continues],
            [of_block[continues] for of_block in of_chains],
        )
        if not remaining.size:
            break
    return *block_means, error


def warn_uncertain_means(subject, error):
    """Warn about rows whose means have large standard errors, by a FewDrawsWarning."""
    remedy = "Raise n_steps of impute, or fit fewer n_components"
    weighted.warn_uncertain_means(subject, error, _WARNING_ERROR, _MAX_CHAINS, remedy)
