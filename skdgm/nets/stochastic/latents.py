r"""Normal latent variables inside nets, given by statistics: means and log variances.

.. math:: z = \mu + e^{s / 2} \odot \epsilon, \qquad
   \log q(z) = -\tfrac12 \sum_i \epsilon_i^2 + s_i + \log 2 \pi, \qquad
   \mathrm{KL}(q \,\|\, \mathcal{N}(0, 1)) =
   \tfrac12 \sum_i \mu_i^2 + e^{s_i} - s_i - 1

with hand-written gradients [1]_. Each row of statistics consists of the means followed
by the log variances s, and may have several consecutive rows of draws. The standard
normal prior has means and log variances of zero.

References
----------
.. [1] Kingma and Welling (2014). Auto-encoding variational Bayes. ICLR.
"""

import numpy as np
from autograd.extend import defvjp, defvjp_argnums

from skdgm.nets.tape import primitive
from skdgm.utils.math import LOG_2PI

# Bound B on the absolute value of log variances.
BOUND = 12.0


def halves(stats):
    """Means and log variances, (n_rows, n_units) each, of statistics."""
    size = stats.shape[1] // 2
    return stats[:, :size], stats[:, size:]


def _of_draws(part, like):
    """Reshape draws to (n_rows, n_each, n_units), by rows of statistics."""
    return part.reshape(len(like), -1, part.shape[-1])


@primitive
def bounded(raw):
    """Statistics whose log variances s are bounded smoothly, by B tanh(s / B)."""
    stats, size = raw.copy(), raw.shape[1] // 2
    stats[:, size:] = BOUND * np.tanh(raw[:, size:] / BOUND)
    return stats


def _bounded_back(stats, raw):
    def backward(grad):
        grad, size = grad.copy(), raw.shape[1] // 2
        grad[:, size:] *= 1 - (stats[:, size:] / BOUND) ** 2
        return grad

    return backward


defvjp(bounded, _bounded_back)


@primitive
def draw(stats, noise):
    """Draw normal variables, (n_rows * n_each, n_units), by reparametrization of
    standard normal noise: z = mean + deviation * noise."""
    mean, log_var = halves(stats)
    noise = _of_draws(noise, stats)
    z = mean[:, None] + np.exp(0.5 * log_var)[:, None] * noise
    return z.reshape(-1, z.shape[-1])


def _draw_back(_, stats, noise):
    def backward(grad):
        grad, parts = _of_draws(grad, stats), _of_draws(noise, stats)
        spread = 0.5 * np.exp(0.5 * halves(stats)[1])
        of_log_var = spread * (grad * parts).sum(axis=1)
        return np.concatenate([grad.sum(axis=1), of_log_var], axis=1)

    return backward


defvjp(draw, _draw_back, None)


@primitive
def log_drawn(stats, noise):
    """Log density of the values that :func:`draw` returns, in nats."""
    log_var = halves(stats)[1].sum(axis=1) + log_var_constant(noise)
    squares = (_of_draws(noise, stats) ** 2).sum(axis=2)
    return (-0.5 * (squares + log_var[:, None])).reshape(-1)


def log_var_constant(noise):
    """Sum of log 2 pi over units, in the dtype of the noise, (n_rows, n_units)."""
    return noise.dtype.type(noise.shape[1] * LOG_2PI)


def _log_drawn_back(_, stats, noise):
    def backward(grad):
        of_log_var = -0.5 * grad.reshape(len(stats), -1).sum(axis=1, keepdims=True)
        back, size = np.zeros_like(stats), noise.shape[1]
        back[:, size:] = of_log_var
        return back

    return backward


defvjp(log_drawn, _log_drawn_back, None)


@primitive
def divergence(stats):
    """Kullback-Leibler divergence from the standard normal distribution, (n_rows,)."""
    mean, log_var = halves(stats)
    return 0.5 * (mean**2 + np.expm1(log_var) - log_var).sum(axis=1)


def _divergence_back(_, stats):
    mean, log_var = halves(stats)
    slope = np.concatenate([mean, 0.5 * np.expm1(log_var)], axis=1)
    return lambda grad: grad[:, None] * slope


defvjp(divergence, _divergence_back)


@primitive
def divergence_from(stats, prior):
    """Kullback-Leibler divergence from normal distributions ``prior``, (n_rows,)."""
    (mean, s), (prior_mean, prior_s) = halves(stats), halves(prior)
    squares = (np.exp(s) + (mean - prior_mean) ** 2) * np.exp(-prior_s)
    return 0.5 * (squares - 1 + prior_s - s).sum(axis=1)


def _from_back(argnums, _, args, kwargs):
    (mean, s), (prior_mean, prior_s) = map(halves, args)

    def backward(grad):
        scale, gap = np.exp(-prior_s), mean - prior_mean
        by_mean, share = gap * scale, np.exp(s) * scale
        of_stats = by_mean, 0.5 * (share - 1)
        of_prior = -by_mean, 0.5 * (1 - share - gap * by_mean)
        grads = [np.concatenate(pair, axis=1) for pair in (of_stats, of_prior)]
        return [grad[:, None] * grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(divergence_from, _from_back)


@primitive
def log_prior(z):
    """Standard normal log density of each row, (n_rows,), in nats."""
    return -0.5 * ((z**2).sum(axis=1) + log_var_constant(z))


defvjp(log_prior, lambda _, z: lambda grad: -grad[:, None] * z)


@primitive
def log_normal(z, stats):
    """Normal log density of each row given its statistics, (n_rows,), in nats."""
    mean, log_var = halves(stats)
    squares = (z - mean) ** 2 * np.exp(-log_var) + log_var
    return -0.5 * (squares.sum(axis=1) + log_var_constant(z))


def _of_value(_, z, stats):
    mean, log_var = halves(stats)
    return lambda grad: -grad[:, None] * (z - mean) * np.exp(-log_var)


def _of_stats(_, z, stats):
    mean, log_var = halves(stats)
    scaled = (z - mean) * np.exp(-log_var)
    slope = np.concatenate([scaled, 0.5 * ((z - mean) * scaled - 1)], axis=1)
    return lambda grad: grad[:, None] * slope


defvjp(log_normal, _of_value, _of_stats)
