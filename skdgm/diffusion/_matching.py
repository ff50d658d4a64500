r"""Denoising score matching at all noise levels, and its bound on log-likelihoods.

.. math:: -\log p(x) \le -\log \mathcal{N}(z; 0, I) + \log \left\lvert
   \frac{\partial x}{\partial z} \right\rvert + \mathbb{E}_\epsilon \int \sum_i
   \frac{(v_i(y, t) - V_i)^2 - V_i^2}{\tan \psi_i} \, \mathrm{d} \psi_i, \qquad
   V = \cos \psi \odot \epsilon - \sin \psi \odot z

This is the evidence lower bound of the diffusion in continuous time [1]_, written as
the exact likelihood of a normal distribution plus the improvement by the net. The
integral is estimated at uniform times. Without the factor :math:`1 / \tan \psi_i` it is
a sum of squared errors in which all angles count alike and high noise counts more.

References
----------
.. [1] Kingma, Salimans, Poole and Ho (2021). Variational diffusion models. NeurIPS.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

from skdgm.diffusion import _flips
from skdgm.diffusion._field import N_TIMES, damping, net_inputs
from skdgm.diffusion._layout import ColumnLayout, masked
from skdgm.diffusion._noise import NoiseSchedule, Whitening, deviations
from skdgm.flows.mixture import MAX_MIXTURE_COLUMNS, mixture_of
from skdgm.flows.normal import fit_normal, initial_distribution
from skdgm.nets import NetObjective, columns, layers_of, nll
from skdgm.nets.layers import Net
from skdgm.utils.math import LOG_2PI
from skdgm.utils.random import standard_normal
from skdgm.utils.rows import View
from skdgm.utils.tree import astype

# Addresses of random streams.
_MISSING, _TIME, _NOISE, _FREE, _HIDE = range(1, 6)
# Largest number of columns with a learned covariance.
_MAX_COVARIANCE_COLUMNS = 1024
# One in four training rows is monitored.
_STRIDE = 4
# Times per row of a minibatch, by the largest number of columns; minimum of times
# per monitored row, in the same form; maximum; times of all monitored rows.
_N_TRAINING_TIMES = (48, 4), (256, 2), (np.inf, 1)
_MIN_MONITORING_TIMES = (48, 2), (np.inf, 1)
_MAX_MONITORING_TIMES = 32
_N_MONITORING_TIMES = 512
# Most draws of the missing entries of a row in an update.
_MAX_DRAWS = 8
# Share of the rows whose masks and noise have independent times.
_INDEPENDENT_SHARE = 0.5
# Share of the rows whose covariates are dropped.
_DROPPED_SHARE = 0.1
# Largest number of activations of a layer for all rows of a batch.
MAX_ACTIVATIONS = 2**17


class Denoised(NamedTuple):
    """Inputs of the net for noisy rows, and the terms of the loss. ``scale`` multiplies
    the outputs, ``velocity`` are their targets, ``weight`` the weights of squared
    errors, and ``normal`` the negative log-likelihood under a normal distribution.
    ``lost`` is None, or a tuple of the values under the masks, the weights of their
    losses and an optional offset of the outputs."""

    inputs: np.ndarray
    scale: np.ndarray
    velocity: np.ndarray
    weight: np.ndarray
    normal: np.ndarray
    lost: tuple | None


class Denoiser(NamedTuple):
    """Net with its parameters and statistics, and the ``layout``, ``whitening`` and
    ``schedule`` of its rows."""

    net: Net
    layout: ColumnLayout
    params: tuple
    statistics: tuple
    whitening: Whitening
    schedule: NoiseSchedule

    def losses(self, denoised):
        """Differentiable loss of each row, (n_rows,), and updated statistics."""
        out, after = self.net.apply(
            self.params, self.statistics, denoised.inputs, train=True
        )
        velocity, losses, n_noisy = out, denoised.normal, denoised.velocity.shape[1]
        if denoised.lost is not None:
            values, factor, *offset = denoised.lost
            masked_out = columns(out, n_noisy, self.layout.n_outputs)
            masked_out = masked_out + offset[0] if offset else masked_out
            velocity = columns(out, 0, n_noisy)
            losses = losses + factor * nll(masked_out, (), values, self.layout.output)
        velocity = denoised.scale * velocity
        errors = denoised.weight * velocity * (velocity - 2 * denoised.velocity)
        return losses + errors.sum(axis=1), after

    def add_noise(self, v, time, noise, hidden=None, covariates=None, even=False):
        """:class:`Denoised` rows v at given times, (n_rows,). ``hidden`` is the result
        of :func:`masked`; with ``even``, all angles have the same weight."""
        z, angles = self.whitening.components(v), self.schedule(time, v.dtype)
        y = angles.cos * z + angles.sin * noise
        normal = 0.5 * (z * z + v.dtype.type(LOG_2PI)).sum(axis=1)
        normal -= v.dtype.type(self.whitening.log_volume)
        lost = None
        if hidden is not None:
            seen, *lost = hidden
            time = time if self.layout.timed else 0.0
            covariates = self.layout.extra_inputs(seen, covariates)
        if even:
            weight = angles.rate * self.schedule.shares.astype(v.dtype)
        else:
            tiny = np.finfo(v.dtype).tiny
            weight = angles.rate * angles.cos / np.maximum(angles.sin, tiny)
        return Denoised(
            net_inputs(y, time, angles, covariates),
            scale=damping(angles),
            velocity=angles.cos * noise - angles.sin * z,
            weight=weight,
            normal=normal,
            lost=lost,
        )

    def bounds(self, v, categories, time, noise, uniform, covariates=None):
        """Upper bounds on negative log-likelihoods at one time per row, for noisy
        columns v and masked columns ``categories`` under ``uniform`` random numbers.
        The next of k masked columns is drawn at time (k - 1) / n."""
        if self.layout.flips:
            return self._bounds_of_flips(v, categories, time, uniform, covariates)
        hidden = masked(categories, time, uniform) if self.layout.output else None
        denoised = self.add_noise(v, time, noise, hidden, covariates)
        if hidden is None or not v.shape[1]:
            return self.losses(denoised)[0]
        values, factor = denoised.lost
        losses, _ = self.losses(denoised._replace(lost=(values, 0 * factor)))
        n_masked = np.maximum(1, (~np.isnan(categories)).sum(axis=1))
        time_before = np.maximum(0, np.ceil(time * n_masked) - 1) / n_masked
        return losses + self.of_masked(v, time_before, noise, hidden, covariates)

    def _bounds_of_flips(self, v, categories, time, uniform, covariates):
        time, weight = _flips.spread(time, categories.shape[1])
        z = _flips.flipped(categories, uniform, time)

        def odds_of(z, time):
            extra = self.layout.extra_inputs(z, covariates)
            x = net_inputs(v, time, self.schedule(time, v.dtype), extra)
            out, _ = self.net.apply(self.params, self.statistics, x)
            return out + _flips.offset(z, time)

        return weight * _flips.bound_of_rows(odds_of, z, categories, time)

    def of_masked(self, v, time, noise, hidden, covariates=None):
        """Losses of masked columns; the other columns have the noise of ``time``."""
        denoised = self.add_noise(v, time, noise, hidden, covariates)
        no_noise_terms = {
            name: 0 * getattr(denoised, name)
            for name in ("scale", "velocity", "weight", "normal")
        }
        return self.losses(denoised._replace(**no_noise_terms))[0]


class MatchingObjective(NetObjective):
    """Denoising loss of a table's rows. The ``net`` is conditional on ``covariates``;
    ``layout`` separates noisy from masked columns, and ``width`` is the largest number
    of activations of a layer for one row."""

    monitoring_stride = _STRIDE

    def __init__(self, run, context, *, net, width, covariates, layout, table):
        super().__init__(run, context.domain.loss_of_independent(context.columns))
        self.domain, self.columns = context.domain, context.columns
        self.net, self.width, self.layout = net, width, layout
        self.table, self.covariates = table, covariates
        self._cached_size, self._cached = None, None
        n = self.rows.shape[1]
        self.n_times = next(
            n_times for max_columns, n_times in _N_TRAINING_TIMES if n <= max_columns
        )

    def init(self, rng):
        """Initial parameters, under which rows are normal, and statistics: those of the
        net, the frame of the rows, and the whitened mixture from which missing entries
        are drawn, or ()."""
        layout, dtype = self.layout, self.rows.dtype
        n_inputs = len(layout.noisy) + N_TIMES + layout.n_masked_inputs
        n_inputs += self.covariates.n_inputs
        _, params, statistics = self.net.init(rng, n_inputs, dtype)
        output_layer = list(layers_of(params))[-1]
        output_layer.W[:] = 0
        # A convolution has one bias per map.
        start = layout.start(self.domain.share(self.columns))
        output_layer.b[:] = start.reshape(-1, len(output_layer.b)).mean(axis=0)
        whitening, base = self._initial_whitening()
        if self.options.architecture == "conv":
            statistics = (whitening.axes.astype(dtype),)
        return params, (statistics, whitening, base)

    def _initial_whitening(self):
        n, table, noisy = len(self.layout.noisy), self.table, self.layout.noisy
        if not n:
            return Whitening.of(np.zeros(n), None), ()
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
        if n > _MAX_COVARIANCE_COLUMNS:
            return Whitening.of(np.zeros(n), None, noise), ()
        normal = fit_normal(table)
        use_mixture = n <= MAX_MIXTURE_COLUMNS and not table.rows.complete
        base = use_mixture and mixture_of(table, normal, 0)
        return Whitening.of(normal.mean, normal.covariance, noise), base or ()

    def prepare(self, state, batch, clock):
        """Noisy rows of a minibatch, and the net and statistics for :meth:`forward`."""
        rng = self.stream(clock)
        unfilled = np.tile(batch, min(self.n_times, _MAX_DRAWS))
        batch = np.tile(batch, self.n_times)
        n, time_rng = len(batch), rng.fold(_TIME).generator()
        # Times of a minibatch are stratified.
        time = (time_rng.permutation(n) + time_rng.random(n)) / n
        shape, dtype = (n, len(self.layout.noisy)), self.rows.dtype
        noise = standard_normal(rng.fold(_NOISE).generator(), shape, dtype)
        covariates = self._covariates_of(batch)
        if covariates is not None:
            dropped = rng.fold(_FREE).generator().random(n) < _DROPPED_SHARE
            covariates[dropped] = 0
        completed = self.completed(
            state, unfilled, rng.fold(_MISSING).rows(len(unfilled))
        )
        v, log_q, categories = (tiled(array, n // len(unfilled)) for array in completed)
        hidden = None
        if self.layout.output:
            hidden = self._hidden(categories, time, rng.fold(_HIDE).generator())
        even, denoiser = self.options.weighting == "uniform", self._denoiser(state)
        denoised = denoiser.add_noise(v, time, noise, hidden, covariates, even)
        denoised = denoised._replace(normal=denoised.normal + log_q)
        return denoiser, denoised, state.statistics

    def _hidden(self, categories, time, rng):
        """Masked or flipped columns at the times of rows. For a share of the rows, the
        masks have a separate time, and a few such rows have no mask, so that the
        net sees all combinations of masks and noise levels."""
        has_own_time = np.zeros(len(time), bool)
        if len(self.layout.noisy):
            has_own_time = rng.random(len(time)) < _INDEPENDENT_SHARE
            time = np.where(has_own_time, rng.permutation(time), time)
            has_own_time &= rng.random(len(time)) < 1 / (1 + categories.shape[1])
        uniform = rng.random(categories.shape, np.float32)
        if self.layout.flips:
            flipped = _flips.flipped(categories, uniform, time)
            ones = np.ones(len(categories), categories.dtype)
            return flipped, categories, ones, _flips.offset(flipped, time)
        return masked(categories, time, uniform, has_own_time)

    def forward(self, params, prepared):
        denoiser, denoised, (_, *fixed) = prepared
        losses, after = denoiser._replace(params=params).losses(denoised)
        return losses, (after, *fixed)

    def size_of(self, batch):
        return self.n_times * len(batch)

    def losses(self, state, index, rng):
        """Upper bounds on the negative log-likelihoods of rows, in float64. Times are
        evenly spaced. Each time has antithetic noise and masks, which reduces the
        variance."""
        total_loss = np.zeros(len(index))
        layout = self.layout
        width = self.rows.shape[1]
        fewest = next(
            row_streams
            for max_columns, row_streams in _MIN_MONITORING_TIMES
            if width <= max_columns
        )
        n_times = int(
            np.clip(_N_MONITORING_TIMES // len(index), fewest, _MAX_MONITORING_TIMES)
        )
        denoiser = self._denoiser(state)._replace(params=state.learned)
        for batch in gen_batches(
            len(index), max(1, MAX_ACTIVATIONS // (self.width * n_times))
        ):
            repeated, streams = np.repeat(index[batch], n_times), rng.take(batch)
            row_streams, offset = streams.each(n_times), streams.fold(_TIME).uniform(1)
            time = ((np.arange(n_times) + offset) / n_times).ravel()
            v, log_q, categories = self.completed(
                state, repeated, row_streams.fold(_MISSING)
            )
            noise = row_streams.fold(_NOISE).normal(len(layout.noisy), v.dtype)
            uniform = row_streams.fold(_HIDE).uniform(len(layout.masked))
            covariates = self._covariates_of(repeated)
            for signed_noise, uniform_pair in (noise, uniform), (-noise, 1 - uniform):
                losses = (
                    denoiser.bounds(
                        v, categories, time, signed_noise, uniform_pair, covariates
                    )
                    + log_q
                )
                total_loss[batch] += losses.reshape(-1, n_times).mean(axis=1) / 2
        return total_loss

    def completed(self, state, index, rng):
        """Noisy columns of rows, with missing entries drawn; the log-densities of the
        draws; and masked columns."""
        v, categories = self.layout.split(self.rows.take(index))
        if not np.isnan(v).any():
            return v, v.dtype.type(0), categories
        _, _, proposal = self._whitening_of(state)
        v, log_q = proposal.given(v).completed(rng)
        return v, log_q.astype(v.dtype), categories

    def _denoiser(self, state):
        whitening, schedule, _ = self._whitening_of(state)
        params, statistics = state.params, state.statistics[0]
        return Denoiser(self.net, self.layout, params, statistics, whitening, schedule)

    def _whitening_of(self, state):
        """Whitening of a state in the data type of the rows, its schedule, and the
        distribution of missing entries."""
        whitening, *base = state.statistics[1:]
        if self._cached_size is not whitening.size:
            cast = astype(whitening, self.rows.dtype)
            self._cached = (
                cast,
                NoiseSchedule(whitening.size),
                proposal_of(whitening, base),
            )
            self._cached_size = whitening.size
        return self._cached

    def _covariates_of(self, index):
        """Inputs of the net for the covariates of rows, or None."""
        if not self.covariates.n_inputs:
            return None
        return self.covariates.inputs(self.rows.accompanying(index), self.rows.dtype)


def tiled(v, n):
    """Repeat an array n times along its first axis; a scalar is returned as it is."""
    return v if n == 1 or not np.ndim(v) else np.tile(v, (n, *[1] * (v.ndim - 1)))


def proposal_of(whitening, base):
    """Distribution of missing entries: the normal distribution of a frame, or the
    mixture of whitened rows in ``base``."""
    if not base or not base[0]:
        return whitening.normal
    return initial_distribution(((whitening.normal.whitening(np.float64),), base[0]), 0)
