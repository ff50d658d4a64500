r"""Draws of rows conditional on known entries, by weighted particles.

Rows z, in components, are about normal conditional on rows with noise, y, and so are
known entries :math:`x_o = z B_o + m_o`:

.. math:: z \mid y \approx \mathcal{N}(\hat z(y, t), D_t), \qquad
   \hat z = \cos \psi \odot y - \sin \psi \odot v(y, t), \quad
   D_t = \operatorname{diag}(\sin^2 \psi)

which is exact where rows are normal. A step to less noise draws z given y and
:math:`x_o`, then noise at the earlier time given y and z. Its particle has the weight

.. math:: w = \frac{\mathcal{N}(x_o; \hat z(y_s, s) B_o + m_o, B_o^\top D_s B_o)}{
   \mathcal{N}(x_o; \bar z B_o + m_o, B_o^\top D_s B_o)}, \qquad
   \bar z = \mathbb{E}[z \mid y_s, y_t]

where the mean is that of the step; the first weight is :math:`\mathcal{N}(x_o; \hat
z(y_1, 1) B_o + m_o, B_o^\top B_o)`. As their number grows, particles are draws of the
ancestral sampler conditional on the known entries, whose density is the expectation of
the weights: a twisted diffusion sampler [1]_.

References
----------
.. [1] Wu, Trippe, Naesseth, Blei and Cunningham (2023). Practical and asymptotically
   exact conditional sampling in diffusion models. NeurIPS.
"""

from functools import partial
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import logsumexp

from skdgm.autoregressive.normal_moments import patterns
from skdgm.utils import addresses
from skdgm.utils.math import LOG_2PI, log_mean_exp

# Share of the variances of known entries that is added to these.
_RIDGE = 1e-6
# Purposes of random numbers, those of densities among them.
_START, _CLAMP, _RAISE, _SHOW, _PICK = addresses.DIFFUSION_GUIDED


class Guide:
    """Known entries of rows v, NaN where missing, in the units of a model with a
    ``frame``; particles are of shape (n_rows, n_particles, n_components)."""

    def __init__(self, frame, v):
        self.B, self.gap = frame.backward.W, v.astype(np.float64) - frame.backward.b
        self._last = None
        self.groups = [
            (rows, np.flatnonzero(~missing))
            for rows, missing in patterns(v)
            if missing.any() and not missing.all()
        ]

    def drawn(self, z, variance):
        """Draws z of components of some ``variance``, moved to draws conditional on the
        known entries."""
        moved = z.copy()
        for rows, known, solve, _ in self._solvers(variance):
            gap = self._gaps(z, rows, known)
            if self.B.ndim == 1:
                moved[np.ix_(rows, range(z.shape[1]), known)] += gap / self.B[known]
            else:
                moved[rows] += solve(gap) @ self.B[:, known].T * variance
        return moved

    def log_density(self, mean, variance, relative_to=None):
        """Log densities of known entries given means of components, (n_rows,
        n_particles); minus those given other means, ``relative_to``."""
        log_p = np.zeros(mean.shape[:2])
        for rows, known, solve, log_det in self._solvers(variance):

            def distance(z, rows=rows, known=known, solve=solve):
                gap = self._gaps(z, rows, known)
                return (gap * solve(gap)).sum(axis=2)

            if relative_to is None:
                log_p[rows] = 0.5 * (0 - distance(mean))
                log_p[rows] -= 0.5 * (log_det + len(known) * LOG_2PI)
            else:
                log_p[rows] = 0.5 * (distance(relative_to) - distance(mean))
        return log_p

    def _gaps(self, z, rows, known):
        x = z[rows] @ self.B[:, known] if self.B.ndim == 2 else z[rows] * self.B
        x = x if self.B.ndim == 2 else x[:, :, known]
        return self.gap[np.ix_(rows, known)][:, None] - x

    def _solvers(self, variance):
        """Rows of a pattern, its known columns, a function that multiplies gaps by the
        inverse of their covariance, and its log determinant; kept until the variance
        changes."""
        if self._last is None or not np.array_equal(self._last[0], variance):
            solvers = [
                (rows, known, *self._solver(known, variance))
                for rows, known in self.groups
            ]
            self._last = variance, solvers
        return self._last[1]

    def _solver(self, known, variance):
        if self.B.ndim == 1:
            size = self.B[known] ** 2 * np.broadcast_to(variance, len(self.B))[known]
            return lambda gap: gap / size, np.log(size).sum()
        B = self.B[:, known]
        S = B.T @ (np.broadcast_to(variance, len(B))[:, None] * B)
        S[np.diag_indices(len(S))] *= 1 + _RIDGE
        root = cho_factor(S, lower=True, check_finite=False)

        def solve(gap):
            flat = gap.reshape(-1, gap.shape[2]).T
            return cho_solve(root, flat, check_finite=False).T.reshape(gap.shape)

        return solve, 2 * np.log(np.diag(root[0])).sum()


def resampled(log_w, rng):
    """Numbers of particles, (n_rows, n_particles), and their log weights, after
    systematic resampling of rows with less than half as many effective particles; and
    the log of the mean weight that is taken out, (n_rows,)."""
    n = log_w.shape[1]
    total = logsumexp(log_w, axis=1, keepdims=True)
    w = np.exp(log_w - total)
    few = (w**2).sum(axis=1, keepdims=True) * n > 2
    upto = w.cumsum(axis=1)
    ticks = (np.arange(n) + rng.uniform(1)) / n
    index = (ticks[:, :, None] > upto[:, None]).sum(axis=2).clip(max=n - 1)
    index = np.where(few, index, np.arange(n))
    return index, np.where(few, 0.0, log_w), np.where(few, total - np.log(n), 0)[:, 0]


def bridged(y, z, at, to, noise):
    """Rows with the noise of an earlier time, given rows y with that of a later one and
    rows z; and a function of the mean of z given y, the mean of z given both."""
    kept = at.cos / to.cos
    before, left = at.sin**2, 1 - kept**2
    from_y, from_z = kept * to.sin**2 / before, to.cos * left / before
    variance = to.sin**2 * left / before
    earlier = from_y * y + from_z * z + np.sqrt(variance) * noise

    def mean(z_mean):
        pull = from_z * (earlier - from_y * y) / np.maximum(variance, 1e-300)
        return to.sin**2 * (z_mean / before + pull)

    return earlier, mean


def drawn_given(density, v, rng, covariates, turns):
    """Draw missing entries of rows v conditional on known real ones, by particles of a
    :class:`~skdgm.diffusion._density.DiffusionDensity`; log densities of the known ones
    are added to the log weights of ``turns``."""
    n, n_each = len(v), density.now.n_resamplings
    y, coded, log_w, log_mean = _walked(density, v, rng, covariates, n_each, turns)
    turns.log_w += log_mean + log_mean_exp(log_w.T)[0]
    best = (log_w + rng.fold(_PICK).gumbel(n_each)).argmax(axis=1)
    place = best + n_each * np.arange(n)
    return density.layout.joined(density.frame.rows(y[place]), coded[place])


def log_p_given(density, v, rng, covariates, n_each):
    """Log densities of the known real entries of rows v given their masked columns, by
    ``n_each`` particles; a lower bound in expectation."""
    log_w, log_mean = _walked(density, v, rng, covariates, n_each)[2:]
    return log_mean + log_mean_exp(log_w.T)[0]


def _walked(density, v, rng, covariates, n_each, turns=None):
    """Particles of rows: components without noise, and masked columns, which get no
    values without ``turns``; log weights, (n_rows, n_each); and the log of the mean
    weights that were taken out, (n_rows,)."""
    field = density.field(v.dtype, density.now.guidance)
    n, frame, layout = len(v), density.frame, density.layout
    real, coded = layout.split(v)
    guide = Guide(frame, real)
    shape, each = (n, n_each, real.shape[1]), np.repeat(np.arange(n), n_each)
    streams, turns = rng.each(n_each), None if turns is None else turns.take(each)
    coded, covariates = coded[each], covariates[each]
    incomplete, log_mean = np.isnan(real).any(axis=1)[each], np.zeros(n)
    known = frame.components(np.where(np.isnan(real), 0, real))[each]

    def denoised(y, time):
        extra, times = layout.extra_inputs(coded, covariates), time * incomplete
        at = field.at(y, times)
        return at.cos * y - at.sin * field.velocity(y, times, extra)

    def masked_outputs(y, times, coded, rows):
        extra = layout.extra_inputs(coded[rows], covariates[rows])
        return field.out(y[rows], times[rows], extra)[:, shape[2] :]

    def spent():
        return 0.0 if turns is None else turns.spent().reshape(n, n_each)

    # Half steps with one velocity each cost as much as Heun's method.
    times = np.linspace(1, 0, 2 * density.now.n_steps + 1)
    start = streams.fold(_START).normal(shape[2], v.dtype)
    y = np.where(incomplete[:, None], start, known)
    z_mean = denoised(y, 1.0)
    log_w = guide.log_density(z_mean.reshape(shape), np.ones(shape[2]))
    for k, (now, after) in enumerate(pairwise(times)):
        at, to = (density.clocks(time, np.float64) for time in (now, after))
        z = z_mean + at.sin * streams.fold(_CLAMP, k).normal(shape[2])
        z = guide.drawn(z.reshape(shape), at.sin[0] ** 2).reshape(y.shape)
        noise = streams.fold(_RAISE, k).normal(shape[2])
        earlier, mean = bridged(y, z, at, to, noise)
        last = mean(z_mean)
        y = np.where(incomplete[:, None], earlier, known).astype(v.dtype)
        if turns is not None:
            outputs = partial(masked_outputs, y, after * incomplete, coded)
            coded = turns.shown(coded, after, outputs, streams.fold(_SHOW, k))
        if not after:
            break
        z_mean = denoised(y, after)
        log_w += guide.log_density(
            z_mean.reshape(shape), to.sin[0] ** 2, relative_to=last.reshape(shape)
        )
        log_w += spent()
        index, log_w, total = resampled(log_w, rng.fold(_PICK, k))
        place = (index + n_each * np.arange(n)[:, None]).ravel()
        y, z_mean, coded = y[place], z_mean[place], coded[place]
        log_mean += total
    return y, coded, log_w + spent(), log_mean
