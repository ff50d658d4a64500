r"""Bernoulli distribution of binary units and of binary columns.

.. math:: p(x \mid \eta) = \exp(\eta x - A(\eta)), \quad x \in \{0, 1\}, \quad
   A(\eta) = \log(1 + e^\eta), \quad \mathbb{E}[x] = A'(\eta) = \sigma(\eta)

In an energy, the natural parameter :math:`\eta` is the sum of the unit's bias and the
input from its neighbors, and the sufficient statistic is x itself. Given a net,
:math:`\eta` is an output.
"""

import numpy as np
from scipy.special import entr

from skdgm._kernels.machines import bernoulli as kernels
from skdgm._kernels.nets.losses import log_loss, log_loss_grad
from skdgm.distributions.roles import Biased, Output, repeated
from skdgm.utils.lists import Lists
from skdgm.utils.math import logit, sigmoid, softplus
from skdgm.utils.threading.parallel import run

# Costs of a unit, and of its loss, in multiply-adds.
_WORK, _LOSS_WORK = 10, 15


def draw(mean, rng):
    """Draw binary units with probabilities ``mean`` of 1, (n_rows, n_units), as Lists.
    ``rng`` is a Stream with a row for each row of ``mean``, which is float32 or
    float64."""
    x = Lists.empty(len(mean), mean.shape[1], mean.dtype)
    root, work = np.uint64(rng.root), _WORK * mean.size
    run(kernels.draw, mean, root, rng.ids, x.index, x.count, n=len(x), work=work)
    return x


def draw_bits(p, rng):
    """Draw an array of bits with probabilities ``p`` of 1."""
    return (rng.uniform(p.shape[1], p.dtype.type) < p).astype(p.dtype)


class Bernoulli(Biased):
    """A block of binary units, whose parameters are one bias each."""

    __slots__ = ()
    listable, form = True, "bits"

    def init(self, moments=None, dtype=np.float64):
        """Biases for given means of the block without neighbors: log odds of the
        means, which are strictly between 0 and 1. Zeros if ``moments`` is None."""
        if moments is None:
            return np.zeros(self.size, dtype=dtype)
        return logit(np.asarray(moments, dtype=np.float64)).astype(dtype)

    def log_partition(self, eta):
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out, work = np.empty(len(rows)), _WORK * rows.size
        run(kernels.log_partition, rows, out, n=len(rows), work=work)
        return out.reshape(np.shape(eta)[:-1])

    def log_evidence(self, eta, x, clamped):
        eta = np.atleast_2d(np.asarray(eta, np.float64))
        return np.where(clamped, x, 0) @ eta.T + ~clamped @ softplus(eta).T

    def mean(self, eta):
        rows = np.ascontiguousarray(np.atleast_2d(eta))
        out = np.empty_like(rows)
        run(kernels.mean, rows, out, n=len(rows), work=_WORK * rows.size)
        return out.reshape(np.shape(eta))

    def mode(self, eta):
        return (eta > 0).astype(eta.dtype)

    def pull(self, mean, grad):
        """Gradient with respect to the natural parameters from the gradient with
        respect to the means."""
        return grad * mean * (1 - mean)

    def sample(self, eta, rng):
        mean = self.mean(eta)
        if mean.shape != (len(rng.ids), self.size):
            mean = np.tile(mean, (len(rng.ids), 1))
        return draw(mean, rng), mean

    def draw(self, mean, rng):
        """Draw units with probabilities ``mean`` of 1; see :func:`draw`."""
        return draw(mean, rng)

    def log_prob(self, mean, x):
        """Log probability of each row of x given its row of means, float64."""
        mean, on = np.asarray(mean, np.float64), np.asarray(x, bool)
        with np.errstate(divide="ignore"):
            return np.log(np.where(on, mean, 1 - mean)).sum(axis=1)

    def entropy(self, params, mean):
        return entr(mean) + entr(1.0 - mean)

    @property
    def n_states(self):
        """Number of joint states of the block, ``2**size``."""
        return 2**self.size

    def states(self, codes):
        """Joint states by number, (n_codes, size); unit i is bit i of the number."""
        return (codes[:, None] >> np.arange(self.size)) & 1


def log_odds_loss(logits, v, dtype=None):
    """Negative log-likelihood of rows of bits given log odds; see :meth:`Output.nll`.
    Bits may be probabilities, and NaN does not count. The result has ``dtype``, by
    default that of the logits."""
    assert len(logits) % len(v) == 0
    loss, work = np.empty(len(logits), dtype or logits.dtype), _LOSS_WORK * logits.size
    run(log_loss, logits, v, loss, n=len(logits), work=work)
    return loss


def log_odds_grad(logits, v, weight):
    """Gradient of the sum of ``weight`` times :func:`log_odds_loss` by the logits."""
    grad, work = np.empty_like(logits), _LOSS_WORK * logits.size
    run(log_loss_grad, logits, v, weight, grad, n=len(logits), work=work)
    return grad


class BernoulliOutput(Output):
    """Columns of bits, or of probabilities of 1, given their log odds."""

    kind = "bernoulli"

    def start(self, share):
        return logit(share)

    def inputs(self, v, share=None):
        missing = np.isnan(v)
        if not missing.any():
            return v
        replacement = v.dtype.type(0) if share is None else share.astype(v.dtype)
        return np.where(missing, replacement, v)

    def value(self, inputs):
        return inputs.clip(0, 1)

    def nll(self, out, v, dispersion=()):
        return log_odds_loss(out, v)

    def nll_grad(self, out, v, weight, dispersion=()):
        return log_odds_grad(out, v, weight), ()

    def log_p(self, out, v, dispersion=()):
        v = repeated(v, out)
        return np.where(np.isnan(v), out.dtype.type(0), v * out - softplus(out))

    def log_likelihood(self, out, v):
        return -log_odds_loss(out, v, np.float64)

    def expected(self, out):
        return sigmoid(out)

    def expected_grad(self, out, grad):
        p = sigmoid(out)
        return grad * p * (1 - p)

    def mode(self, out):
        return (out > 0).astype(out.dtype)

    def resampled(self, v, rng):
        return np.where(np.isnan(v), v, draw_bits(v, rng))

    def draw(self, out, rng, dispersion=()):
        return draw_bits(sigmoid(out), rng)
