r"""Normal distribution of real units and of real columns.

.. math:: p(x \mid \theta, \lambda) = \exp(\theta x - \tfrac12 \lambda x^2 -
   A), \quad A = \frac{\theta^2}{2 \lambda} - \frac12 \log\frac{\lambda}{2\pi}, \quad
   \mathbb{E}[x] = \frac{\partial A}{\partial\theta} = \frac{\theta}{\lambda}

The parameters of a unit are its mean b, to which the input from its neighbors is
added, and :math:`\log \lambda`. The sufficient statistic for couplings is
:math:`\lambda x`. With one hidden layer [1]_

.. math:: E(v, h) = \tfrac12 v^\top (\lambda \odot v) - (v \odot \lambda)^\top (W h + b)
   - c^\top h, \qquad p(v \mid h) = \mathcal{N}(v; W h + b, \lambda^{-1}).

References
----------
.. [1] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.5.1.
"""

from typing import NamedTuple

import numpy as np

from skdgm.distributions.roles import Output, Unit, repeated
from skdgm.utils.math import LOG_2PI, floored, sigmoid
from skdgm.utils.products import matmul


class Normal(NamedTuple):
    """Parameters of a block, or their gradient: arrays of shape (size,)."""

    mean: np.ndarray
    log_precision: np.ndarray


class Natural(NamedTuple):
    """Natural parameters: theta, (n_rows, size) or (size,), and precision, (size,)."""

    theta: np.ndarray
    precision: np.ndarray


class _GaussianFields(NamedTuple):
    size: int
    precision: str = "diagonal"
    min_variance: float = 0.0


class Gaussian(_GaussianFields, Unit):
    """A block of real units; values and means are arrays of shape (n_rows, size).

    ``precision`` is "fixed", "scalar" (learned, the same for all units) or "diagonal"
    (learned for each unit). Variances are at least ``min_variance``; 0 means no limit.
    """

    __slots__ = ()
    n_states, form, numbers = np.inf, "normal", True

    def curvature(self, params):
        """Sum of the precisions."""
        return np.exp(params.log_precision).sum(dtype=float)

    def inverse_information(self, params):
        """Inverse Fisher information of each mean: the variance."""
        return np.exp(-params.log_precision)

    def init(self, moments=None, dtype=np.float64):
        """Parameters for given means and variances of the block without neighbors, a
        pair of numbers or arrays of shape (size,); 0 and 1 by default."""
        mean, variance = (0.0, 1.0) if moments is None else moments
        log_precision = -np.log(np.full(self.size, variance, dtype))
        return Normal(np.full(self.size, mean, dtype), log_precision)

    def field(self, params, received=0.0):
        precision = np.exp(params.log_precision)
        return Natural(precision * (params.mean + received), precision)

    def statistic(self, params, x):
        return np.exp(params.log_precision) * np.asarray(x)

    def log_weight(self, eta, x):
        x = np.asarray(x)
        return (x * (eta.theta - 0.5 * eta.precision * x)).sum(axis=-1, dtype=float)

    def log_partition(self, eta):
        return self.log_partitions(eta).sum(axis=-1, dtype=np.float64)

    def log_partitions(self, eta):
        """A(eta) of each unit, in the shape of eta."""
        square = eta.theta**2 / eta.precision
        return 0.5 * (square - np.log(eta.precision) + LOG_2PI)

    def log_partition_of_sums(self, params, received, others):
        r"""Log partition function for each sum of an input of ``received``, (n_rows,
        size), and an input of ``others``, (n_others, size): (n_rows, n_others),
        float64.

        .. math:: A = \tfrac12 \sum_i \lambda_i (b_i + r_i + s_i)^2 - \tfrac12 \sum_i
           \log \frac{\lambda_i}{2\pi}

        The square of the sum is expanded, so that the work is one matrix product.
        """
        log_precision = np.asarray(params.log_precision, np.float64)
        precision = np.exp(log_precision)
        rows, others = (
            np.atleast_2d(inputs + np.zeros(self.size))
            for inputs in (params.mean + received, others)
        )
        squares = (rows**2 @ precision)[:, None] + others**2 @ precision
        squares += 2 * matmul(rows * precision, others.T)
        return 0.5 * (squares + (LOG_2PI - log_precision).sum())

    def log_evidence(self, eta, x, clamped):
        x = np.where(clamped, x, 0.0)
        squares = 0.5 * x**2 @ np.asarray(eta.precision, np.float64)
        theta, log_partitions = (
            np.atleast_2d(values).astype(np.float64)
            for values in (eta.theta, self.log_partitions(eta))
        )
        return x @ theta.T - squares[:, None] + ~clamped @ log_partitions.T

    def mean(self, eta):
        return eta.theta / eta.precision

    def sample(self, eta, rng):
        mean = self.mean(eta)
        x = mean + rng.normal(self.size, mean.dtype) / np.sqrt(eta.precision)
        return x, np.broadcast_to(mean, x.shape)

    def entropy(self, params, mean):
        """Entropy of each unit in nats, less 1/2, the difference between the expected
        energy and the energy of the mean."""
        return 0.5 * (LOG_2PI - params.log_precision) + 0.0 * mean

    def param_grad(self, params, x, received):
        r"""Derivatives of each row's log weight, of shape (n_rows, size).

        With the input r = ``received()`` they are :math:`\lambda x` with respect to b,
        and :math:`\lambda x (b + r - x / 2)` with respect to :math:`\log \lambda`. If
        precisions are fixed, the latter is zeros of shape (1, size).
        """
        x = np.asarray(x)
        of_mean = np.exp(params.log_precision) * x
        if self.precision == "fixed":
            return Normal(of_mean, self.learned(x[:1]))
        grad = of_mean * (params.mean + received() - x.dtype.type(0.5) * x)
        return Normal(of_mean, self.learned(grad))

    def learned(self, grad):
        """Gradient of log precisions: its mean over units if "scalar", 0 if "fixed"."""
        if self.precision == "diagonal":
            return grad
        shared = grad.mean(axis=-1, keepdims=True) * (self.precision == "scalar")
        return shared + np.zeros_like(grad)

    def bias_of(self, params):
        return params.mean

    def with_bias(self, params, bias):
        return params._replace(mean=bias)

    def scale(self, params):
        r"""Standard deviation of the statistic, :math:`\sqrt\lambda`, (size, 1)."""
        return np.exp(0.5 * params.log_precision)[:, None]

    def constrain(self, params):
        """Limit precisions to 1 / ``min_variance``, in place."""
        if self.min_variance:
            limit = -np.log(self.min_variance)
            np.minimum(params.log_precision, limit, out=params.log_precision)


class NormalOutput(Output):
    """Standardized columns, given their means and possibly their log variances.

    ``variance`` is "feature" (learned for each column, in ``dispersion``), "sample"
    (outputs of the net, after all means) or a fixed number. ``floor`` is added to
    learned variances.
    """

    kind = "gaussian"

    def __init__(self, sizes, variance="feature", floor=0.01):
        super().__init__(sizes)
        self.variance, self.floor = variance, floor
        self.n_outputs = sizes * (2 if variance == "sample" else 1)

    def initial_parameters(self, dtype):
        """Initial log variances of columns, zeros, or () if they are not parameters."""
        return np.zeros(len(self.n_inputs), dtype) if self.variance == "feature" else ()

    def log_p(self, out, v, dispersion=()):
        v, (mean, s) = repeated(v, out), self.parts(out, dispersion)
        terms = (v - mean) ** 2 * np.exp(-s) + s
        terms += mean.dtype.type(LOG_2PI)
        return -0.5 * np.where(np.isnan(v), 0, terms)

    def nll_grad(self, out, v, weight, dispersion=()):
        v, (mean, s) = repeated(v, out), self.parts(out, dispersion)
        known, gap, weight = ~np.isnan(v), mean - v, weight[:, None]
        by_mean = weight * np.where(known, gap * np.exp(-s), 0)
        if self.variance not in ("feature", "sample"):
            return by_mean, ()
        by_s = weight * np.where(known, 0.5 * (1 - gap**2 * np.exp(-s)), 0)
        if self.variance == "feature":
            return by_mean, self._floored_grad(dispersion, by_s.sum(axis=0))
        by_s = self._floored_grad(out[:, mean.shape[1] :], by_s)
        return np.concatenate([by_mean, by_s], axis=1, dtype=out.dtype), ()

    def expected(self, out):
        return out[:, : len(self.n_inputs)]

    def expected_grad(self, out, grad):
        by_out = np.zeros_like(out)
        by_out[:, : grad.shape[1]] = grad
        return by_out

    def draw(self, out, rng, dispersion=()):
        mean, s = self.parts(out, dispersion)
        return mean + np.exp(0.5 * s) * rng.normal(mean.shape[1], mean.dtype.type)

    def parts(self, out, dispersion=()):
        """Means and log variances. A learned log variance is log(floor + e^raw)."""
        n = len(self.n_inputs)
        if self.variance not in ("feature", "sample"):
            return out, np.full(n, np.log(self.variance), out.dtype)
        raw = dispersion if self.variance == "feature" else out[:, n:]
        return out[:, :n], floored(raw, self.floor)

    def _floored_grad(self, raw, grad):
        return grad * sigmoid(raw - np.log(self.floor)) if self.floor else grad
