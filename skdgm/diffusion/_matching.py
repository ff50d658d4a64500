r"""Denoising score matching over all levels of noise, and its bound on likelihoods.

.. math:: -\log p(x) \le -\log \mathcal{N}(z; 0, I) + \log \left\lvert
   \frac{\partial x}{\partial z} \right\rvert + \mathbb{E}_\epsilon \int \sum_i
   \frac{(v_i(y, t) - V_i)^2 - V_i^2}{\tan \psi_i} \, \mathrm{d} \psi_i, \qquad
   V = \cos \psi \odot \epsilon - \sin \psi \odot z

The bound of a model is the evidence lower bound of its diffusion in continuous time
[1]_, minus that of a normal distribution, which is its likelihood. The integral is a
mean over uniform times; without the tangent, it is a sum of squared errors that counts
all angles alike, and weighs much noise more.

References
----------
.. [1] Kingma, Salimans, Poole and Ho (2021). Variational diffusion models. NeurIPS.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.diffusion import _flips
from skdgm.diffusion._field import N_TIMES, calm, net_inputs
from skdgm.diffusion._layout import ColumnLayout, masked
from skdgm.diffusion._noise import Clocks, Frame, deviations
from skdgm.flows.mixture import MOST_MIXED, mixture_of
from skdgm.flows.normal import fitted, start_of
from skdgm.nets import NetObjective, columns, layers_of, nll
from skdgm.nets.layers import Net
from skdgm.utils.math import LOG_2PI
from skdgm.utils.rows import View
from skdgm.utils.tree import astype

# Purposes of random numbers.
_MISSING, _TIME, _NOISE, _FREE, _HIDE = range(1, 6)
# Most columns whose covariance is learned.
_MOST = 1024
# One watched training row of so many.
_THINNED = 4
# Times of each row of a batch, by the most columns; least times of a watched row, by
# the same, most times, and times of all watched rows together.
_EACH = (48, 4), (256, 2), (np.inf, 1)
_WATCHED, _MANY, _POINTS = ((48, 4), (np.inf, 2)), 32, 1024
# Draws of the missing entries of a row in an update, at most.
_FILLED = 8
# Share of the rows whose masked columns have another time than their noise.
_APART = 0.5
# Share of the rows whose covariates are dropped.
_DROPPED = 0.1
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**17


class Denoised(NamedTuple):
    """Inputs of a net, of rows with noise at some times and masked columns, and all
    that the losses of its outputs depend on.

    ``scale`` are factors of the outputs, ``velocity`` their targets, ``weight`` the
    weights of squared errors, and ``normal`` the negative log-likelihood by a normal
    distribution; ``lost`` has the masked values, the weights of their losses and
    perhaps an offset of outputs, or is None.
    """

    inputs: np.ndarray
    scale: np.ndarray
    velocity: np.ndarray
    weight: np.ndarray
    normal: np.ndarray
    lost: tuple | None


class Denoiser(NamedTuple):
    """Net with a layout of masked columns, parameters and statistics, and the frame of
    rows with its clocks."""

    net: Net
    layout: ColumnLayout
    params: tuple
    statistics: tuple
    frame: Frame
    clocks: Clocks

    def losses(self, denoised):
        """Loss of each row, differentiable, and updated statistics."""
        out, after = self.net.apply(
            self.params, self.statistics, denoised.inputs, train=True
        )
        v, losses, n = out, denoised.normal, denoised.velocity.shape[1]
        if denoised.lost is not None:
            values, factor, *offset = denoised.lost
            part = columns(out, n, self.layout.n_outputs)
            part = part + offset[0] if offset else part
            v = columns(out, 0, n)
            losses = losses + factor * nll(part, (), values, self.layout.output)
        v = denoised.scale * v
        errors = denoised.weight * v * (v - 2 * denoised.velocity)
        return losses + errors.sum(axis=1), after

    def noised(self, v, time, noise, hidden=None, covariates=None, even=False):
        """Rows v with noise at times, and masked or flipped columns, as of
        :func:`masked`, a :class:`Denoised`; angles count alike if ``even``."""
        z, angles = self.frame.components(v), self.clocks(time, v.dtype)
        y = angles.cos * z + angles.sin * noise
        normal = 0.5 * (z * z + v.dtype.type(LOG_2PI)).sum(axis=1)
        normal -= v.dtype.type(self.frame.log_volume)
        lost = None
        if hidden is not None:
            left, *lost = hidden
            time = time if self.layout.timed else 0.0
            covariates = self.layout.extra_inputs(left, covariates)
        if even:
            weight = angles.rate * self.clocks.shares.astype(v.dtype)
        else:
            tiny = np.finfo(v.dtype).tiny
            weight = angles.rate * angles.cos / np.maximum(angles.sin, tiny)
        return Denoised(
            net_inputs(y, time, angles, covariates),
            scale=calm(angles),
            velocity=angles.cos * noise - angles.sin * z,
            weight=weight,
            normal=normal,
            lost=lost,
        )

    def bounds(self, v, coded, time, noise, uniform, covariates=None):
        """Upper bounds of negative log-likelihoods, at a time of each row, of columns v
        with noise, and masked ones by uniform numbers.

        The next of k masked columns gets its value at time (k - 1) / n.
        """
        if self.layout.flips:
            return self._bounds_of_flips(v, coded, time, uniform, covariates)
        hidden = masked(coded, time, uniform) if self.layout.output else None
        denoised = self.noised(v, time, noise, hidden, covariates)
        if hidden is None or not v.shape[1]:
            return self.losses(denoised)[0]
        values, factor = denoised.lost
        losses, _ = self.losses(denoised._replace(lost=(values, 0 * factor)))
        n = np.maximum(1, (~np.isnan(coded)).sum(axis=1))
        before = np.maximum(0, np.ceil(time * n) - 1) / n
        return losses + self.of_masked(v, before, noise, hidden, covariates)

    def _bounds_of_flips(self, v, coded, time, uniform, covariates):
        time, weight = _flips.spread(time, coded.shape[1])
        z = _flips.flipped(coded, uniform, time)

        def odds_of(z, time):
            extra = self.layout.extra_inputs(z, covariates)
            x = net_inputs(v, time, self.clocks(time, v.dtype), extra)
            out, _ = self.net.apply(self.params, self.statistics, x)
            return out + _flips.offset(z, time)

        return weight * _flips.bounded(odds_of, z, coded, time)

    def of_masked(self, v, time, noise, hidden, covariates=None):
        """Losses of :func:`masked` columns, where others have the noise of a time."""
        denoised = self.noised(v, time, noise, hidden, covariates)
        nothing = {
            name: 0 * getattr(denoised, name)
            for name in ("scale", "velocity", "weight", "normal")
        }
        return self.losses(denoised._replace(**nothing))[0]


class MatchingObjective(NetObjective):
    """Bound on the log-likelihood of a table's rows by a ``net``, which sees their
    ``covariates`` and masked columns, as a ``layout`` has them; ``width`` is the most
    numbers of a layer for one row."""

    thinned = _THINNED

    def __init__(self, run, context, *, net, width, covariates, layout, table):
        super().__init__(run, context.domain.loss_of_independent(context.columns))
        self.domain, self.columns = context.domain, context.columns
        self.net, self.width, self.layout = net, width, layout
        self.table, self.covariates = table, covariates
        self._cached_size, self._cached = None, None
        n = self.rows.shape[1]
        self.n_times = next(each for most, each in _EACH if n <= most)

    def init(self, rng):
        """Initial parameters, by which rows are normal, the frame of the rows, and the
        mixture from which missing entries are drawn, whitened, or ()."""
        layout, dtype = self.layout, self.rows.dtype
        n_inputs = len(layout.noisy) + N_TIMES + layout.n_masked_inputs
        n_inputs += self.covariates.n_inputs
        _, params, statistics = self.net.init(rng, n_inputs, dtype)
        last = list(layers_of(params))[-1]
        last.W[:] = 0
        # A convolution has a bias for each map.
        start = layout.start(self.domain.share(self.columns))
        last.b[:] = start.reshape(-1, len(last.b)).mean(axis=0)
        frame, base = self._frame()
        if self.options.architecture == "conv":
            statistics = (frame.axes.astype(dtype),)
        return params, (statistics, frame, base)

    def _frame(self):
        n, table, noisy = len(self.layout.noisy), self.table, self.layout.noisy
        if not n:
            return Frame.of(np.zeros(n), None), ()
        if self.layout.output:
            rows = table.rows
            view = View(
                (rows.shape[0], n),
                rows.dtype,
                rows.complete,
                lambda index: rows.take(index)[:, noisy],
                rows.blocks,
            )
            table = table._replace(rows=view)
        scale = np.broadcast_to(self.columns.scale, self.rows.shape[1])
        noise = deviations(table, scale[noisy])
        if n > _MOST:
            return Frame.of(np.zeros(n), None, noise), ()
        normal = fitted(table)
        gaps = n <= MOST_MIXED and not table.rows.complete
        base = gaps and mixture_of(table, normal, 0)
        return Frame.of(normal.mean, normal.covariance, noise), base or ()

    def prepare(self, state, batch, clock):
        """Net with the frame of the state, rows with noise, and statistics."""
        rng, few = self.stream(clock), np.tile(batch, min(self.n_times, _FILLED))
        batch = np.tile(batch, self.n_times)
        n, time_noise = len(batch), rng.fold(_TIME).generator()
        # Times of a batch are spread evenly.
        time = (time_noise.permutation(n) + time_noise.random(n)) / n
        shape, dtype = (n, len(self.layout.noisy)), self.rows.dtype
        noise = rng.fold(_NOISE).generator().standard_normal(shape, dtype)
        covariates = self._covariates_of(batch)
        if covariates is not None:
            dropped = rng.fold(_FREE).generator().random(n) < _DROPPED
            covariates[dropped] = 0
        completed = self.completed(state, few, rng.fold(_MISSING).rows(len(few)))
        v, log_q, coded = (tiled(part, n // len(few)) for part in completed)
        hidden = None
        if self.layout.output:
            hidden = self._hidden(coded, time, rng.fold(_HIDE).generator())
        even, denoiser = self.options.weighting == "uniform", self._denoiser(state)
        denoised = denoiser.noised(v, time, noise, hidden, covariates, even)
        denoised = denoised._replace(normal=denoised.normal + log_q)
        return denoiser, denoised, state.statistics

    def _hidden(self, coded, time, rng):
        """Masked or flipped columns of rows at their times; some rows have other times
        than their noise, and some of these no masked column, so that any columns may be
        known at all levels of noise."""
        free = np.zeros(len(time), bool)
        if len(self.layout.noisy):
            free = rng.random(len(time)) < _APART
            time = np.where(free, rng.permutation(time), time)
            free &= rng.random(len(time)) < 1 / (1 + coded.shape[1])
        uniform = rng.random(coded.shape, np.float32)
        if self.layout.flips:
            left = _flips.flipped(coded, uniform, time)
            one = np.ones(len(coded), coded.dtype)
            return left, coded, one, _flips.offset(left, time)
        return masked(coded, time, uniform, free)

    def forward(self, params, prepared):
        """Loss of each row, differentiable."""
        denoiser, denoised, (_, *fixed) = prepared
        losses, after = denoiser._replace(params=params).losses(denoised)
        return losses, (after, *fixed)

    def size_of(self, batch):
        """Number of rows of a batch, at all their times."""
        return self.n_times * len(batch)

    def losses(self, state, index, rng):
        """Bound on the negative log-likelihood of the rows at an index, in float64.

        Times are spread evenly. Each has noise of both signs, and masks of both orders,
        which cancels most of the error of one.
        """
        total, layout, width = np.zeros(len(index)), self.layout, self.rows.shape[1]
        few = next(each for most, each in _WATCHED if width <= most)
        n_each = int(np.clip(_POINTS // len(index), few, _MANY))
        denoiser = self._denoiser(state)._replace(params=state.learned)
        for part in gen_batches(len(index), max(1, ROOM // (self.width * n_each))):
            rows, streams = np.repeat(index[part], n_each), rng.take(part)
            each, first = streams.each(n_each), streams.fold(_TIME).uniform(1)
            time = ((np.arange(n_each) + first) / n_each).ravel()
            v, log_q, coded = self.completed(state, rows, each.fold(_MISSING))
            noise = each.fold(_NOISE).normal(len(layout.noisy), v.dtype)
            uniform = each.fold(_HIDE).uniform(len(layout.masked))
            covariates = self._covariates_of(rows)
            for e, u in (noise, uniform), (-noise, 1 - uniform):
                losses = denoiser.bounds(v, coded, time, e, u, covariates) + log_q
                total[part] += losses.reshape(-1, n_each).mean(axis=1) / 2
        return total

    def completed(self, state, index, rng):
        """Columns with noise of the rows at an index, with missing entries drawn; the
        log densities of these draws; and masked columns."""
        v, coded = self.layout.split(self.rows.take(index))
        if not np.isnan(v).any():
            return v, v.dtype.type(0), coded
        _, _, filler = self._of_frame(state)
        v, log_q = filler.given(v).completed(rng)
        return v, log_q.astype(v.dtype), coded

    def _denoiser(self, state):
        frame, clocks, _ = self._of_frame(state)
        params, statistics = state.params, state.statistics[0]
        return Denoiser(self.net, self.layout, params, statistics, frame, clocks)

    def _of_frame(self, state):
        """Frame of a state, in the type of rows, its clocks, and the distribution of
        missing entries."""
        frame, *base = state.statistics[1:]
        if self._cached_size is not frame.size:
            quick = astype(frame, self.rows.dtype)
            self._cached = quick, Clocks(frame.size), filler_of(frame, base)
            self._cached_size = frame.size
        return self._cached

    def _covariates_of(self, index):
        """Inputs for the covariates of rows, or None."""
        if not self.covariates.n_inputs:
            return None
        return self.covariates.inputs(self.rows.beside(index), self.rows.dtype)


def tiled(v, n):
    """Rows, or values of rows, n times; a number stands for all rows."""
    return v if n == 1 or not np.ndim(v) else np.tile(v, (n, *[1] * (v.ndim - 1)))


def filler_of(frame, base):
    """Distribution from which missing entries are drawn, of a frame and a list with the
    mixture of its whitened rows, or ()."""
    if not base or not base[0]:
        return frame.normal
    return start_of(((frame.normal.whitening(np.float64),), base[0]), 0)
