r"""Denoising score matching over all levels of noise, and its bound on likelihoods.

.. math:: -\log p(x) \le -\log \mathcal{N}(z; 0, I) + \log \left\lvert
   \frac{\partial x}{\partial z} \right\rvert + \mathbb{E}_\epsilon \int \sum_i
   \frac{(v_i(y, t) - V_i)^2 - V_i^2}{\tan \psi_i} \, \mathrm{d} \psi_i, \qquad
   V = \cos \psi \odot \epsilon - \sin \psi \odot z

The bound of a model is the evidence lower bound of its diffusion in continuous time
[1]_, less that of a normal distribution, which is its likelihood. The integral is a
mean over times drawn uniformly; without the tangent, it is a sum of squared errors
that counts all angles alike, and weighs much noise more.

References
----------
.. [1] Kingma, Salimans, Poole and Ho (2021). Variational diffusion models. NeurIPS.
"""

import numpy as np
from sklearn.utils import gen_batches

from skdgm.diffusion._field import N_TIMES, calm, seen
from skdgm.diffusion._noise import Clocks, Frame
from skdgm.flows._normal import fitted
from skdgm.nets import NetObjective, layers_of

_LOG_2PI = float(np.log(2 * np.pi))
# Purposes of random numbers.
_MISSING, _TIME, _NOISE, _FREE = range(1, 5)
# Most columns of which the covariance is learned, too.
_MOST = 1024
# Times of each row that is watched, and one watched training row of so many.
_WATCHED, _THINNED = 8, 4
# Times of each row of a batch, of as many columns at most, else one.
_EACH, _NARROW = 4, 256
# Share of the rows of which a net is not told what is given beside.
_UNTOLD = 0.1
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**17


class MatchingObjective(NetObjective):
    """Bound on the log-likelihood of a table's rows by a ``net``, with as many inputs
    given beside as there are classes; ``width`` is the most numbers of a layer for one
    row."""

    thinned = _THINNED

    def __init__(self, net, width, n_classes, table, domain, columns, *given):
        super().__init__(*given, independent=domain.loss_of_independent(columns))
        self.net, self.width, self.table = net, width, table
        self.n_classes, self._known = n_classes, (None, None)
        self.n_times = _EACH if self.rows.shape[1] <= _NARROW else 1

    def init(self, rng):
        """Initial parameters, by which rows are normal, and the frame of the rows."""
        n, dtype = self.rows.shape[1], self.rows.dtype
        n_inputs = n + N_TIMES + self.n_classes
        _, params, statistics = self.net.init(rng, n_inputs, dtype)
        list(layers_of(params))[-1].W[:] = 0
        if n > _MOST:
            return params, (statistics, Frame.of(np.zeros(n), None))
        normal = fitted(self.table)
        return params, (statistics, Frame.of(normal.mean, normal.covariance))

    def prepare(self, state, batch, clock):
        """Rows with noise and all that their losses depend on, and statistics."""
        rng, batch = self.stream(clock), np.tile(batch, self.n_times)
        n = len(batch)
        own = rng.fold(_TIME).generator()
        # Times of a batch are spread evenly.
        time = (own.permutation(n) + own.random(n)) / n
        shape, dtype = (n, self.rows.shape[1]), self.rows.dtype
        noise = rng.fold(_NOISE).generator().standard_normal(shape, dtype)
        beside = self._beside(batch)
        if beside is not None:
            beside[rng.fold(_FREE).generator().random(n) < _UNTOLD] = 0
        given = self.completed(state, batch, rng.fold(_MISSING).rows(n))
        even = self.options.weighting == "uniform"
        return self._noisy(state, *given, time, noise, beside, even), state.statistics

    def forward(self, params, given):
        """Loss of each row, differentiable."""
        own, (before, frame) = given
        losses, after = errors(self.net, params, before, *own)
        return losses, (after, frame)

    def size_of(self, batch):
        """Number of rows of a batch, at all their times."""
        return self.n_times * len(batch)

    def losses(self, state, index, rng):
        """Bound on the negative log-likelihood of the rows at an index, in float64."""
        found, n = np.zeros(len(index)), self.rows.shape[1]
        for part in gen_batches(len(index), max(1, ROOM // self.width)):
            own, first = rng.take(part), rng.take(part).fold(_TIME).uniform(1)[:, 0]
            v = self.completed(state, index[part], own.fold(_MISSING))
            beside = self._beside(index[part])
            for k in range(_WATCHED):
                noise = own.fold(_NOISE, k).normal(n, self.rows.dtype)
                given = *v, (k + first) / _WATCHED, noise, beside
                given = state.learned, state.statistics[0], *self._noisy(state, *given)
                found[part] += errors(self.net, *given)[0] / _WATCHED
        return found

    def completed(self, state, index, rng):
        """Rows at an index with missing entries drawn, and the log densities of
        these."""
        v = self.rows.take(index)
        if not np.isnan(v).any():
            return v, v.dtype.type(0)
        v, log_q = self._of_frame(state)[1].given(v).completed(rng)
        return v, log_q.astype(v.dtype)

    def _of_frame(self, state):
        """Clocks, and the normal distribution, of a state's frame."""
        frame = state.statistics[1]
        if self._known[0] is not frame.size:
            self._known = frame.size, (Clocks(frame.size), frame.normal)
        return self._known[1]

    def _beside(self, index):
        """What is given beside rows, or None."""
        if not self.n_classes:
            return None
        return np.eye(self.n_classes, dtype=self.rows.dtype)[self.rows.beside(index)]

    def _noisy(self, state, v, log_q, time, noise, beside, even=False):
        """Arguments of :func:`errors`: of rows with noise at times, whose angles count
        alike if ``even``."""
        frame, (clocks, _) = state.statistics[1], self._of_frame(state)
        found, size, target, weight, normal = noisy(frame, clocks, v, time, noise, even)
        return seen(found, time, beside), size, target, weight, normal + log_q


def noisy(frame, clocks, v, time, noise, even=False):
    """Rows with noise at times, factors of outputs, the velocities to be predicted, the
    weights of their squared errors, and the negative log-likelihood by a normal
    distribution."""
    angles, z = clocks(time, v.dtype), frame.components(v)
    y = angles.cos * z + angles.sin * noise
    target = angles.cos * noise - angles.sin * z
    weight = angles.rate
    if not even:
        tiny = np.finfo(v.dtype).tiny
        weight = weight * angles.cos / np.maximum(angles.sin, tiny)
    normal = 0.5 * (z * z + v.dtype.type(_LOG_2PI)).sum(axis=1)
    normal -= v.dtype.type(frame.log_volume)
    return y, calm(angles), target, weight, normal


def errors(net, params, statistics, x, size, target, weight, normal):
    """Loss of each row, differentiable, and updated statistics."""
    out, after = net.apply(params, statistics, x, train=True)
    v = size * out
    return normal + (weight * v * (v - 2 * target)).sum(axis=1), after
