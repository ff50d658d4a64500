r"""Twisted sequential Monte Carlo: draws of rows conditional on observed entries.

Given noisy components y, the components z are approximately normal, and so are the
observed entries :math:`x_o = z B_o + m_o`:

.. math:: z \mid y \approx \mathcal{N}(\hat z(y, t), D_t), \qquad
   \hat z = \cos \psi \odot y - \sin \psi \odot v(y, t), \quad
   D_t = \operatorname{diag}(\sin^2 \psi)

The approximation is exact if rows are normal. A step from time t to an earlier time s
draws z given y and :math:`x_o`, then :math:`y_s` given :math:`y_t` and z. The
importance weight of the particle is

.. math:: w = \frac{\mathcal{N}(x_o; \hat z(y_s, s) B_o + m_o, B_o^\top D_s B_o)}{
   \mathcal{N}(x_o; \bar z B_o + m_o, B_o^\top D_s B_o)}, \qquad
   \bar z = \mathbb{E}[z \mid y_s, y_t]

and the initial weight is :math:`\mathcal{N}(x_o; \hat z(y_1, 1) B_o + m_o, B_o^\top
B_o)`. The mean weight is an unbiased estimate of the density of the observed entries.
As the number of particles grows, they become exact draws of the ancestral sampler
conditional on the observed entries [1]_.

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

from skdgm.utils import addresses
from skdgm.utils.math import LOG_2PI, log_mean_exp, rows_by_gaps
from skdgm.utils.weighted import systematic

# Ridge on the covariance of observed entries, relative to their variances.
_RIDGE = 1e-6
# Addresses of random streams.
_START, _CLAMP, _RAISE, _SHOW, _PICK = addresses.DIFFUSION_GUIDED


class Guide:
    """Likelihood of the observed entries of rows v, NaN where missing, in units of a
    model with a ``whitening``. Particles have the shape (n_rows, n_particles,
    n_components)."""

    def __init__(self, whitening, v):
        self.B, self.gap = (
            whitening.backward.W,
            v.astype(np.float64) - whitening.backward.b,
        )
        self._last = None
        self.groups = [
            (rows, np.flatnonzero(~missing))
            for rows, missing in rows_by_gaps(v)
            if missing.any() and not missing.all()
        ]

    def drawn(self, z, variance):
        """Turn draws z of components with ``variance`` into draws conditional on the
        observed entries."""
        moved = z.copy()
        for rows, known, solve, _ in self._solvers(variance):
            gap = self._gaps(z, rows, known)
            if self.B.ndim == 1:
                moved[np.ix_(rows, np.arange(z.shape[1]), known)] += gap / self.B[known]
            else:
                moved[rows] += solve(gap) @ self.B[:, known].T * variance
        return moved

    def log_density(self, mean, variance, relative_to=None):
        """Log-densities of observed entries, (n_rows, n_particles), given means of
        components, minus the log-densities given means ``relative_to``."""
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
        """Per missingness pattern: rows, observed columns, a function that multiplies
        by the inverse of the covariance, and the log-determinant; cached per
        ``variance``."""
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
    """Systematic resampling of rows whose effective number of particles is below half.
    Returns particle indices and log-weights, (n_rows, n_particles), and the log of the
    mean weight before resampling, (n_rows,)."""
    n = log_w.shape[1]
    log_total = logsumexp(log_w, axis=1, keepdims=True)
    w = np.exp(log_w - log_total)
    uneven = (w**2).sum(axis=1, keepdims=True) * n > 2
    index = np.where(uneven, systematic(w, n, rng.uniform(1)), np.arange(n))
    return (
        index,
        np.where(uneven, 0.0, log_w),
        np.where(uneven, log_total - np.log(n), 0)[:, 0],
    )


def bridged(y, z, at, to, noise):
    """Rows at an earlier time, drawn given rows y at a later time and clean rows z; and
    a function that maps the mean of z given y to its mean given both times."""
    decay = at.cos / to.cos
    variance_at, added = at.sin**2, 1 - decay**2
    from_y, from_z = decay * to.sin**2 / variance_at, to.cos * added / variance_at
    variance = to.sin**2 * added / variance_at
    earlier = from_y * y + from_z * z + np.sqrt(variance) * noise

    def mean(z_mean):
        pull = from_z * (earlier - from_y * y) / np.maximum(variance, 1e-300)
        return to.sin**2 * (z_mean / variance_at + pull)

    return earlier, mean


def drawn_given(density, v, rng, covariates, order):
    """Draw missing entries of rows v conditional on observed real entries, by
    particles. The log-densities of the observed entries are added to the log-weights of
    ``order``."""
    n, n_particles = len(v), density.options.n_resamplings
    field = density.field(v.dtype, density.options.guidance)
    y, categories, log_w, log_mean = _run(
        density, field, v, rng, covariates, n_particles, order
    )
    order.log_w += log_mean + log_mean_exp(log_w.T)[0]
    chosen = (log_w + rng.fold(_PICK).gumbel(n_particles)).argmax(axis=1)
    place = chosen + n_particles * np.arange(n)
    return density.layout.joined(density.whitening.rows(y[place]), categories[place])


def log_p_given(density, v, rng, covariates, n_each):
    """Estimate the log-density of the observed real entries of rows v given their
    masked columns by ``n_each`` particles; a lower bound in expectation."""
    field = density.field(v.dtype)
    log_w, log_mean = _run(density, field, v, rng, covariates, n_each)[2:]
    return log_mean + log_mean_exp(log_w.T)[0]


def _run(density, field, v, rng, covariates, n_each, order=None):
    """Run the particles of rows from noise to data by a ``field``. Returns components
    and masked columns, which stay as they are without ``order``; log-weights, (n_rows,
    n_each); and the log of the mean weights that resampling removed, (n_rows,)."""
    n, whitening, layout = len(v), density.whitening, density.layout
    real, categories = layout.split(v)
    guide = Guide(whitening, real)
    shape, row_of = (n, n_each, real.shape[1]), np.repeat(np.arange(n), n_each)
    streams, order = rng.each(n_each), None if order is None else order.take(row_of)
    categories, covariates = categories[row_of], covariates[row_of]
    incomplete, log_mean = np.isnan(real).any(axis=1)[row_of], np.zeros(n)
    observed = whitening.components(np.where(np.isnan(real), 0, real))[row_of]

    def denoised(y, time):
        extra, times = layout.extra_inputs(categories, covariates), time * incomplete
        angles = field.at(y, times)
        return angles.cos * y - angles.sin * field.velocity(y, times, extra)

    def masked_outputs(y, times, categories, rows):
        extra = layout.extra_inputs(categories[rows], covariates[rows])
        return field.out(y[rows], times[rows], extra)[:, shape[2] :]

    def spent():
        return 0.0 if order is None else order.spent().reshape(n, n_each)

    # Half steps with one velocity each cost as much as Heun's method.
    times = np.linspace(1, 0, 2 * density.options.n_steps + 1)
    start = streams.fold(_START).normal(shape[2], v.dtype)
    y = np.where(incomplete[:, None], start, observed)
    z_mean = denoised(y, 1.0)
    log_w = guide.log_density(z_mean.reshape(shape), np.ones(shape[2]))
    for k, (time, next_time) in enumerate(pairwise(times)):
        angles, after = (
            density.schedule(time, np.float64) for time in (time, next_time)
        )
        z = z_mean + angles.sin * streams.fold(_CLAMP, k).normal(shape[2])
        z = guide.drawn(z.reshape(shape), angles.sin[0] ** 2).reshape(y.shape)
        noise = streams.fold(_RAISE, k).normal(shape[2])
        bridged_y, mean = bridged(y, z, angles, after, noise)
        expected = mean(z_mean)
        y = np.where(incomplete[:, None], bridged_y, observed).astype(v.dtype)
        if order is not None:
            outputs = partial(masked_outputs, y, next_time * incomplete, categories)
            categories = order.shown(
                categories, next_time, outputs, streams.fold(_SHOW, k)
            )
        if not next_time:
            break
        z_mean = denoised(y, next_time)
        log_w += guide.log_density(
            z_mean.reshape(shape),
            after.sin[0] ** 2,
            relative_to=expected.reshape(shape),
        )
        log_w += spent()
        index, log_w, log_removed = resampled(log_w, rng.fold(_PICK, k))
        chosen = (index + n_each * np.arange(n)[:, None]).ravel()
        y, z_mean, categories = y[chosen], z_mean[chosen], categories[chosen]
        log_mean += log_removed
    return y, categories, log_w + spent(), log_mean
