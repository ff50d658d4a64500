r"""Annealed importance sampling of y and the hidden units for each row's conditions.

.. math:: \log \hat Z(x) = \log Z_0(x) + \log \frac1m \sum_{k=1}^m w_k

from the model without couplings, and conditions, up to that given x, and back: a base
in which conditions count may be sure of the wrong mode of rows that are far out.
Known entries of y are clamped, and the same weights make averages over chains those of
the distribution given them.
"""

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skdgm.partition.row_chains import RowChains
from skdgm.utils import weighted

# Chains of a row from either side, temperatures, and steps from the upper ends of
# chains to what stands for samples of the model.
_CHAINS, _BETAS, _STEPS = 10, 200, 50
_ROUND = 4
# Chains whose average is a mean: at first, and more where its standard error exceeds
# what is sure enough; error of which there is a warning; and entries at a time.
_MORE = (8, 1), (8, 2), (16, 4)
_CHAINS_AT_MOST = sum(n for n, _ in _MORE)
_SURE, _UNSURE, _ROOM = 0.02, 0.05, 2**20


def log_Z_bracket(rng, energy, params, z):
    """Upper and lower estimates of log Z given each row of conditions, (2, n_rows), in
    this order.

    Parameters
    ----------
    rng : Stream
        With a row for each row of conditions.
    energy : Energy
        Whose last block are the conditions.
    params : Params
    z : ndarray of shape (n_rows, n_conditions)
    """
    free = (None,) * (len(energy.units) - 1)
    x, clamp = (*free, z), (*free, True)
    chains = RowChains.of(energy, params, params.units, x, clamp, _CHAINS)
    sides, _ = chains.log_Z(rng.each(_CHAINS), _BETAS, _STEPS)
    return np.stack([sides.max(axis=0), sides.min(axis=0)])


def averages(rng, energy, params, x, clamp, n_steps, once=False):
    """Means of the visible blocks given conditions and clamped entries, a list, and the
    largest standard error of each row, (n_rows,), in the units of statistics. Chains
    are annealed by so many steps, and averaged over as many. A row has more of them,
    and longer ones, until they agree; or a single one, if ``once``."""
    blocks, parts, more = energy.colours[0], [], ((1, 1),) if once else _MORE
    size = max(1, _ROOM // (_CHAINS_AT_MOST * max(unit.size for unit in energy.units)))
    for part in gen_batches(len(x[-1]), size):
        own = (tuple(_some(v, part) for v in own) for own in (x, clamp))
        parts.append(_averages(rng.take(part), energy, params, *own, n_steps, more))
    *found, error = (np.concatenate(own) for own in zip(*parts))
    known = zip(found, (x[b] for b in blocks), (clamp[b] for b in blocks))
    return [np.where(held, v, mean) for mean, v, held in known], error


def _averages(rng, energy, params, x, clamp, n_steps, rounds):
    """The same of rows that fit into memory, with means for known entries, too."""
    units = [energy.units[block] for block in energy.colours[0]]
    n = len(x[-1])
    found, error = [np.empty((n, unit.size)) for unit in units], np.empty(n)
    left, log_w = np.arange(n), np.empty((n, 0))
    seen = [np.empty((n, 0, unit.size)) for unit in units]
    for number, (more, longer) in enumerate(rounds):
        values, masks = (tuple(_some(v, left) for v in each) for each in (x, clamp))
        chains = RowChains.of(energy, params, params.units, values, masks, more)
        each = rng.take(left).fold(_ROUND, number).each(more)
        weight, state = chains.up(each, longer * n_steps + 1)
        means = chains.averaged(each, state, longer * n_steps)
        log_w = np.concatenate([log_w, weight.reshape(-1, more)], axis=1)
        w = np.exp(log_w - logsumexp(log_w, axis=1, keepdims=True))
        worst = np.zeros(len(left))
        for block, unit in enumerate(units):
            own = means[block].reshape(-1, more, unit.size)
            seen[block] = np.concatenate([seen[block], own], axis=1)
            mean = np.einsum("rk,rku->ru", w, seen[block])
            gap = ((seen[block] - mean[:, None]) ** 2).mean(axis=1)
            gap = gap * np.square(getattr(unit, "gain", 1.0))
            worst = np.maximum(worst, gap.max(axis=1, initial=0.0))
            found[block][left] = mean
        # As many chains count as weights leave.
        error[left] = np.sqrt(worst * (w**2).sum(axis=1))
        going = error[left] > _SURE
        left, log_w, seen = left[going], log_w[going], [own[going] for own in seen]
        if not left.size:
            break
    return *found, error


def tell_unsure(who, error):
    """Warn, by a FewDrawsWarning, of rows whose means have large standard errors."""
    remedy = "Raise n_steps of impute, or fit fewer n_components"
    weighted.tell_unsure(who, error, _UNSURE, _CHAINS_AT_MOST, remedy)


def _some(part, rows):
    """Some rows of an array; None and True as they are."""
    return part[rows] if isinstance(part, np.ndarray) else part
