r"""Real units.

.. math:: p(x \mid \theta, \lambda) = \exp(\theta x - \tfrac12 \lambda x^2 -
   A), \quad A = \frac{\theta^2}{2 \lambda} - \frac12 \log\frac{\lambda}{2\pi}, \quad
   \mathbb{E}[x] = \frac{\partial A}{\partial\theta} = \frac{\theta}{\lambda}

a normal distribution of precision :math:`\lambda`. The unit's own parameters are its
mean b, to which is added what the neighbours send, and :math:`\log \lambda`. The
statistic is :math:`\lambda x`, so that with one hidden layer [1]_

.. math:: E(v, h) = \tfrac12 v^\top (\lambda \odot v) - (v \odot \lambda)^\top (W h + b)
   - c^\top h, \qquad p(v \mid h) = \mathcal{N}(v; W h + b, \lambda^{-1}).

References
----------
.. [1] Goodfellow, Bengio and Courville (2016). Deep Learning, section 20.5.1.
"""

from typing import NamedTuple

import numpy as np

LOG_2PI = np.log(2 * np.pi)


class Normal(NamedTuple):
    """A block's own parameters, each of shape (size,)."""

    mean: np.ndarray
    log_precision: np.ndarray


class Natural(NamedTuple):
    """Natural parameters, in which the log weight is linear."""

    theta: np.ndarray
    precision: np.ndarray


class Gaussian(NamedTuple):
    """A block of real units.

    Parameters
    ----------
    size : int
    precision : {"fixed", "scalar", "diagonal"}
        Whether precisions are learned, and whether they are all the same.
    min_variance : float
        No precision exceeds its inverse.
    """

    size: int
    precision: str = "diagonal"
    min_variance: float = 0.0

    n_states = np.inf

    def init(self, moments=None, dtype=np.float64):
        """Parameters of a lone block with the given means and variances, or 0 and 1."""
        mean, variance = (0.0, 1.0) if moments is None else moments
        log_precision = -np.log(np.full(self.size, variance, dtype))
        return Normal(np.full(self.size, mean, dtype), log_precision)

    def field(self, own, received=0.0):
        """The natural parameters, given what the neighbours send."""
        precision = np.exp(own.log_precision)
        return Natural(precision * (own.mean + received), precision)

    def statistic(self, own, x):
        """What the couplings see of a value."""
        return np.exp(own.log_precision) * np.asarray(x)

    def log_weight(self, eta, x):
        """Log of a value's unnormalised density, per row, in float64."""
        x = np.asarray(x)
        return (x * (eta.theta - 0.5 * eta.precision * x)).sum(axis=-1, dtype=float)

    def log_partition(self, eta):
        """The sum of A over the block, row by row, in float64."""
        return _log_partition(eta).sum(axis=-1, dtype=np.float64)

    def log_evidence(self, eta, x, held):
        """Log weight of each row of x under each of eta, free entries integrated."""
        x = np.where(held, x, 0.0)
        own = 0.5 * x**2 @ np.asarray(eta.precision, np.float64)
        free = _log_partition(eta).astype(np.float64)
        return x @ eta.theta.T.astype(np.float64) - own[:, None] + ~held @ free.T

    def mean(self, eta):
        """Expectation of a value."""
        return eta.theta / eta.precision

    def sample(self, eta, rng):
        """A draw for each row, and the mean it was drawn with."""
        mean = self.mean(eta)
        noise = rng.normal(self.size, mean.dtype)
        x = mean + noise / np.sqrt(eta.precision)
        return x, np.broadcast_to(mean, x.shape)

    def entropy(self, own, mean):
        """Entropy in nats, unit by unit, less the half by which the mean energy exceeds
        that of the mean."""
        return 0.5 * (LOG_2PI - own.log_precision) + 0.0 * mean

    def param_grad(self, own, x, received):
        """Derivative of the log weight by the parameters, row by row."""
        x = np.asarray(x)
        of_mean = np.exp(own.log_precision) * x
        if self.precision == "fixed":
            return Normal(of_mean, self.learned(x[:1]))
        slope = of_mean * (own.mean + received() - x.dtype.type(0.5) * x)
        return Normal(of_mean, self.learned(slope))

    def learned(self, slope):
        """What is followed of slopes by log precisions, which may be shared."""
        if self.precision == "diagonal":
            return slope
        shared = slope.mean(axis=-1, keepdims=True) * (self.precision == "scalar")
        return shared + np.zeros_like(slope)

    def pack(self, x):
        """Values as samples come: an array."""
        return x

    def bias_of(self, own):
        """What of a tree of parameters adds up with what is received."""
        return own.mean

    def with_bias(self, own, bias):
        """Such a tree with another bias."""
        return own._replace(mean=bias)

    def scale(self, own):
        """In what weights on a value are counted: the statistic's deviations."""
        return np.exp(0.5 * own.log_precision)[:, None]

    def constrain(self, own):
        """Bring parameters back to where they may be, in place."""
        if self.min_variance:
            limit = -np.log(self.min_variance)
            np.minimum(own.log_precision, limit, out=own.log_precision)


def _log_partition(eta):
    theta, precision = eta
    return 0.5 * (theta**2 / precision - np.log(precision) + LOG_2PI)
