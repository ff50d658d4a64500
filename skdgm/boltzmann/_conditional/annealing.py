r"""Annealed importance sampling of y and the hidden units for each row's conditions.

.. math:: \log \hat Z(x) = \log Z_0(x) + \log \frac1m \sum_{k=1}^m w_k

from the model without couplings, and conditions, up to that given x, and back: a base
in which conditions count may be sure of the wrong mode of rows that are far out.
Known entries of y are clamped, and the same weights make averages over chains those of
the distribution given them.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp
from sklearn.utils import gen_batches

from skdgm.partition import anneal
from skdgm.partition.ais import EnergyPath
from skdgm.samplers import Gibbs, State
from skdgm.utils import weighted

# Chains of a row from either side, temperatures, and steps from the upper ends of
# chains to what stands for samples of the model.
_CHAINS, _BETAS, _STEPS = 10, 200, 50
_START, _UP, _ON, _DOWN, _ROUND = range(5)
# Chains whose average is a mean: at first, and more where its standard error exceeds
# what is sure enough; error of which there is a warning; and entries at a time.
_MORE = (8, 1), (8, 2), (16, 4)
_CHAINS_AT_MOST = sum(n for n, _ in _MORE)
_SURE, _UNSURE, _ROOM = 0.02, 0.05, 2**20


def log_Z_bracket(rng, energy, params, z):
    """Upper and lower estimates of log Z given each row of conditions, without the
    weight of these: (2, n_rows), in this order.

    Parameters
    ----------
    rng : Stream
        With a row for each row of conditions.
    energy : Energy
        Whose last block are the conditions.
    params : Params
    z : ndarray of shape (n_rows, n_conditions)
    """
    n = len(energy.units) - 1
    path = Rows.of(energy, params, (*(None,) * n, z), (*(None,) * n, True), _CHAINS)
    rng = rng.each(_CHAINS)
    blocks = zip(energy.units[:-1], params.units)
    log_Z = sum(float(unit.log_partition(unit.field(own))) for unit, own in blocks)
    low, state = path.up(rng, _BETAS)
    sampler = Gibbs(energy, colours=energy.backwards, clamp=path.clamp)
    state, _ = sampler.step(rng.fold(_ON), params, state, _STEPS)
    high = -_mean(path.down(rng, state, _BETAS))
    low = _mean(low)
    return log_Z + np.stack([np.maximum(low, high), np.minimum(low, high)])


def _mean(log_w):
    """Log of the mean weight of each row's chains."""
    return logsumexp(log_w.reshape(-1, _CHAINS), axis=1) - np.log(_CHAINS)


def averages(rng, energy, params, x, clamp, n_steps, once=False):
    """Means of the visible blocks given conditions and clamped entries, a list, and the
    largest standard error of each row, (n_rows,), in the units of statistics.

    Chains are annealed by so many steps, and averaged over as many. A row has more of
    them, and longer ones, until they agree; or a single one, if ``once``.
    """
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
        own = (tuple(_some(v, left) for v in own) for own in (x, clamp))
        path = Rows.of(energy, params, *own, more)
        each = rng.take(left).fold(_ROUND, number).each(more)
        weight, state = path.up(each, longer * n_steps + 1)
        means = path.averaged(each, state, longer * n_steps)
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


class Rows(NamedTuple):
    """Chains of rows, those of the first row first, with clamped entries."""

    energy: object
    params: tuple
    x: tuple
    clamp: tuple

    @classmethod
    def of(cls, energy, params, x, clamp, n_chains):
        """``n_chains`` chains of each row of values, of which clamped entries count."""
        x, clamp = (tuple(_each(part, n_chains) for part in own) for own in (x, clamp))
        return cls(energy, params, x, clamp)

    def up(self, rng, n_betas):
        """Log weights of chains from the base model to the model, and their states."""
        drawn = Gibbs(self.energy).init(rng.fold(_START), self.params.units).x
        start = []
        for own, known, held in zip(drawn, self.x, self.clamp):
            if held is not None:
                own = known if held is True else np.where(held, known, np.asarray(own))
            start.append(own)
        return self._along(rng.fold(_UP), State(tuple(start)), n_betas, 1)

    def down(self, rng, state, n_betas):
        """Log weights of chains from states of the model to the base model."""
        return self._along(rng.fold(_DOWN), state, n_betas, -1)[0]

    def _along(self, rng, state, n_betas, way):
        path = EnergyPath(self.energy, self.params, self.params.units, self.clamp)
        betas, log_w = np.linspace(0.0, 1.0, n_betas)[::way], np.zeros(len(rng.ids))
        state = anneal(path, rng.folds(), path.begin(state.x), betas, log_w)
        return log_w, State(state.x)

    def averaged(self, rng, state, n_steps):
        """Means of the visible blocks given the hidden layer, over Gibbs steps:
        a list of (n_rows * n_chains, size)."""
        order, blocks = self.energy.backwards, self.energy.colours[0]
        sampler = Gibbs(self.energy, colours=order, clamp=self.clamp)
        totals, rng = [0.0] * len(blocks), rng.fold(_ON)
        for number in range(n_steps):
            state, info = sampler.step(rng, self.params, state, first=number)
            totals = [total + info.means[b] for total, b in zip(totals, blocks)]
        return [total / n_steps for total in totals]


def _each(part, n):
    """Array with each row n times; what has no rows as it is."""
    many = isinstance(part, np.ndarray) and part.ndim > 1
    return np.repeat(part, n, axis=0) if many else part
