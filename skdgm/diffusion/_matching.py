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

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.diffusion import _flips
from skdgm.diffusion._field import N_TIMES, calm, seen
from skdgm.diffusion._layout import masked
from skdgm.diffusion._noise import Clocks, Frame, deviations
from skdgm.flows._likelihood import MOST_MIXED
from skdgm.flows.mixture import mixture_of
from skdgm.flows.normal import fitted, start_of
from skdgm.nets import NetObjective, columns, layers_of, nll
from skdgm.utils.math import LOG_2PI
from skdgm.utils.rows import Rows
from skdgm.utils.tree import astype

# Purposes of random numbers.
_MISSING, _TIME, _NOISE, _FREE, _HIDE = range(1, 6)
# Most columns of which the covariance is learned, too.
_MOST = 1024
# One watched training row of so many.
_THINNED = 4
# Times of each row of a batch, of as many columns at most; the least and the most of a
# row that is watched, with noise of both signs; and those of all such rows together.
_EACH = (48, 4), (256, 2), (np.inf, 1)
_WATCHED, _MANY, _POINTS = ((48, 4), (np.inf, 2)), 32, 1024
# Draws of the missing entries of a row in an update, at most.
_FILLED = 8
# Share of the rows whose masked columns are at another time than those with noise.
_APART = 0.5
# Share of the rows of which a net is not told what is given beside.
_UNTOLD = 0.1
# Limit on the numbers of one layer for all rows of a block.
ROOM = 2**17


class MatchingObjective(NetObjective):
    """Bound on the log-likelihood of a table's rows by a ``net``, with inputs
    beside for what rows are ``told`` and as a ``layout`` of masked columns needs;
    ``width`` is the most numbers of a layer for one row."""

    thinned = _THINNED

    def __init__(self, run, *, net, width, told, layout, table, domain, columns):
        super().__init__(run, domain.loss_of_independent(columns))
        self.net, self.width, self.layout = net, width, layout
        self.domain, self.columns, self.table = domain, columns, table
        self.told, self._known = told, (None, None)
        n = self.rows.shape[1]
        self.n_times = next(each for most, each in _EACH if n <= most)

    def init(self, rng):
        """Initial parameters, by which rows are normal, the frame of the rows, and the
        mixture of which missing entries are drawn, whitened, or ()."""
        layout, dtype = self.layout, self.rows.dtype
        n = len(layout.noisy)
        n_inputs = n + N_TIMES + layout.n_beside + self.told.n_inputs
        _, params, statistics = self.net.init(rng, n_inputs, dtype)
        last = list(layers_of(params))[-1]
        start = layout.start(self.domain.share(self.columns))
        last.W[:] = 0
        # A convolution has a bias for each map.
        last.b[:] = start.reshape(-1, len(last.b)).mean(axis=0)
        frame, base = self._frame()
        if self.options.architecture == "conv":
            statistics = (frame.axes.astype(dtype),)
        return params, (statistics, frame, base)

    def _frame(self):
        n, table = len(self.layout.noisy), self.table
        if not n:
            return Frame.of(np.zeros(n), None), ()
        if self.layout.output:
            table = table._replace(rows=Some(table.rows, self.layout.noisy))
        scale = np.broadcast_to(self.columns.scale, self.rows.shape[1])
        noise = deviations(table, scale[self.layout.noisy])
        if n > _MOST:
            return Frame.of(np.zeros(n), None, noise), ()
        normal = fitted(table)
        gaps = n <= MOST_MIXED and not table.rows.complete
        base = gaps and mixture_of(table, normal, 0)
        return Frame.of(normal.mean, normal.covariance, noise), base or ()

    def prepare(self, state, batch, clock):
        """Rows with noise and all that their losses depend on, and statistics."""
        rng, few = self.stream(clock), np.tile(batch, min(self.n_times, _FILLED))
        batch = np.tile(batch, self.n_times)
        n = len(batch)
        own = rng.fold(_TIME).generator()
        # Times of a batch are spread evenly.
        time = (own.permutation(n) + own.random(n)) / n
        shape, dtype = (n, len(self.layout.noisy)), self.rows.dtype
        noise = rng.fold(_NOISE).generator().standard_normal(shape, dtype)
        told = self._told(batch)
        if told is not None:
            told[rng.fold(_FREE).generator().random(n) < _UNTOLD] = 0
        given = self.completed(state, few, rng.fold(_MISSING).rows(len(few)))
        given = [tiled(part, n // len(few)) for part in given]
        hidden = None
        if self.layout.output:
            hidden = self._hidden(given[-1], time, rng.fold(_HIDE).generator())
        even = self.options.weighting == "uniform"
        found = self._noisy(state, *given, time, noise, hidden, told, even)
        return found, state.statistics

    def _hidden(self, coded, time, rng):
        """Columns of rows at their times, masked or flipped; where there are others
        with noise, some rows at other times than these, and some of them with no
        column masked, so that any may be known at all levels of noise."""
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

    def forward(self, params, given):
        """Loss of each row, differentiable."""
        own, (before, *fixed) = given
        losses, after = errors(self.net, self.layout, params, before, *own)
        return losses, (after, *fixed)

    def size_of(self, batch):
        """Number of rows of a batch, at all their times."""
        return self.n_times * len(batch)

    def losses(self, state, index, rng):
        """Bound on the negative log-likelihood of the rows at an index, in float64.

        Times are spread evenly. Each has noise of both signs, and masks of both orders,
        as that of one is most of an error.
        """
        found, layout, width = np.zeros(len(index)), self.layout, self.rows.shape[1]
        few = next(each for most, each in _WATCHED if width <= most)
        n_each = int(np.clip(_POINTS // len(index), few, _MANY))
        clocks, _, frame = self._of_frame(state)
        net = self.net, layout, state.learned, state.statistics[0]
        for part in gen_batches(len(index), max(1, ROOM // (self.width * n_each))):
            rows, streams = np.repeat(index[part], n_each), rng.take(part)
            own, first = streams.each(n_each), streams.fold(_TIME).uniform(1)
            time = ((np.arange(n_each) + first) / n_each).ravel()
            v, log_q, coded = self.completed(state, rows, own.fold(_MISSING))
            noise = own.fold(_NOISE).normal(len(layout.noisy), v.dtype)
            uniform = own.fold(_HIDE).uniform(len(layout.masked))
            told = self._told(rows)
            for draws in (noise, uniform), (-noise, 1 - uniform):
                how = time, *draws, told
                losses = bounds(net, frame, clocks, v, coded, *how) + log_q
                found[part] += losses.reshape(-1, n_each).mean(axis=1) / 2
        return found

    def completed(self, state, index, rng):
        """Columns with noise of the rows at an index, with missing entries drawn; the
        log densities of these; and masked columns."""
        v, coded = self.layout.split(self.rows.take(index))
        if not np.isnan(v).any():
            return v, v.dtype.type(0), coded
        v, log_q = self._of_frame(state)[1].given(v).completed(rng)
        return v, log_q.astype(v.dtype), coded

    def _of_frame(self, state):
        """Clocks of a state's frame, the distribution of missing entries, and the
        frame in the type of rows."""
        frame, *base = state.statistics[1:]
        if self._known[0] is not frame.size:
            quick, filler = astype(frame, self.rows.dtype), filler_of(frame, *base)
            self._known = frame.size, (Clocks(frame.size), filler, quick)
        return self._known[1]

    def _told(self, index):
        """Classes, or attributes, given beside rows, or None."""
        if not self.told.n_inputs:
            return None
        return self.told.read(self.rows.beside(index), self.rows.dtype)

    def _noisy(self, state, v, log_q, coded, time, noise, hidden, told, even=False):
        """Arguments of :func:`errors`: of rows with noise at times, whose angles count
        alike if ``even``, and masked columns."""
        clocks, _, frame = self._of_frame(state)
        y, angles, *rest = noisy(frame, clocks, v, time, noise, even)
        rest[-1] += log_q
        x, lost = presented(self.layout, y, time, angles, hidden, told)
        return x, *rest, lost


class Some(NamedTuple):
    """Some columns of rows, read as :class:`~skdgm.utils.rows.Rows`."""

    rows: Rows
    columns: np.ndarray

    @property
    def shape(self):
        """Numbers of rows and columns."""
        return self.rows.shape[0], len(self.columns)

    @property
    def complete(self):
        """Whether no entry of any column is missing."""
        return self.rows.complete

    def take(self, index):
        """Dense rows at an index array or a slice."""
        return self.rows.take(index)[:, self.columns]

    def blocks(self, n_rows=None):
        """Slices of rows that are read at a time."""
        return self.rows.blocks(n_rows)


def tiled(v, n):
    """Rows, or numbers of rows, n times; a number is that of all."""
    return v if n == 1 or not np.ndim(v) else np.tile(v, (n, *[1] * (v.ndim - 1)))


def filler_of(frame, base=()):
    """Distribution of which missing entries are drawn, of a frame and a mixture of its
    whitened rows, or ()."""
    if not base:
        return frame.normal
    return start_of(((frame.normal.whitening(np.float64),), base), 0)


def presented(layout, y, time, angles, hidden, told=None):
    """Inputs of the net, of rows with noise and of :func:`masked` columns; and values
    of the latter to be predicted with the weights of their losses, or None."""
    if hidden is None:
        return seen(y, time, angles, told), None
    left, *lost = hidden
    time = time if layout.timed else 0.0
    return seen(y, time, angles, layout.beside(left, told)), lost


def bounds(net, frame, clocks, v, coded, time, noise, uniform, told=None):
    """Upper bounds of negative log-likelihoods, at a time of each row, by the arguments
    of :func:`errors` before the rows.

    The next of k masked columns gets its value at time (k - 1) / n.
    """
    layout, hidden = net[1], None
    if layout.flips:
        time, weight = _flips.spread(time, coded.shape[1])
        z = _flips.flipped(coded, uniform, time)

        def odds_of(z, time):
            x = seen(v, time, clocks(time, v.dtype), layout.beside(z, told))
            return net[0].apply(*net[2:], x)[0] + _flips.offset(z, time)

        return weight * _flips.bounded(odds_of, z, coded, time)
    y, angles, *rest = noisy(frame, clocks, v, time, noise)
    if layout.output:
        hidden = masked(coded, time, uniform)
    x, lost = presented(layout, y, time, angles, hidden, told)
    if lost is None or not v.shape[1]:
        return errors(*net, x, *rest, lost)[0]
    values, factor = lost
    found = errors(*net, x, *rest, (values, 0 * factor))[0]
    n = np.maximum(1, (~np.isnan(coded)).sum(axis=1))
    before = np.maximum(0, np.ceil(time * n) - 1) / n
    return found + of_masked(net, frame, clocks, v, before, noise, hidden, told)


def of_masked(net, frame, clocks, v, time, noise, hidden, told=None):
    """Losses of :func:`masked` columns, where others have the noise of a time."""
    y, angles, *rest = noisy(frame, clocks, v, time, noise)
    x, lost = presented(net[1], y, time, angles, hidden, told)
    return errors(*net, x, *[0 * part for part in rest], lost)[0]


def noisy(frame, clocks, v, time, noise, even=False):
    """Rows with noise at times, their angles, factors of outputs, the velocities to be
    predicted, the weights of their squared errors, and the negative log-likelihood by a
    normal distribution."""
    angles, z = clocks(time, v.dtype), frame.components(v)
    y = angles.cos * z + angles.sin * noise
    target = angles.cos * noise - angles.sin * z
    weight = angles.rate
    if even:
        weight = weight * clocks.shares.astype(v.dtype)
    else:
        tiny = np.finfo(v.dtype).tiny
        weight = weight * angles.cos / np.maximum(angles.sin, tiny)
    normal = 0.5 * (z * z + v.dtype.type(LOG_2PI)).sum(axis=1)
    normal -= v.dtype.type(frame.log_volume)
    return y, angles, calm(angles), target, weight, normal


def errors(net, layout, params, statistics, x, size, target, weight, normal, lost):
    """Loss of each row, differentiable, and updated statistics."""
    out, after = net.apply(params, statistics, x, train=True)
    if lost is None:
        v, found = size * out, normal
    else:
        n, (values, factor, *offset) = target.shape[1], lost
        part = columns(out, n, layout.n_outputs)
        part = part + offset[0] if offset else part
        v, found = (
            size * columns(out, 0, n),
            normal + factor * nll(part, (), values, layout.output),
        )
    return found + (weight * v * (v - 2 * target)).sum(axis=1), after
