r"""Bits inside nets, given their log odds a: draws, log probabilities and relaxations.

.. math:: z = [u < \sigma(a)], \qquad \log p(z) = \sum_j z_j a_j - \zeta(a_j),
   \qquad \zeta(a) = \log(1 + e^a)

for uniform noise u. Gradients do not pass through a draw, unless it is replaced by a
concrete variable [1]_ [2]_, or its derivative is that of the probability [3]_:

.. math:: \tilde z = \sigma\Bigl(\frac{a - \operatorname{logit} u}{\tau}\Bigr),
   \qquad \frac{\partial z}{\partial a} := \sigma'(a)

Each row of log odds may have several consecutive rows of draws. If log odds depend on
previous bits, bits are drawn one after another.

References
----------
.. [1] Jang, Gu and Poole (2017). Categorical reparameterization with Gumbel-softmax.
   ICLR.
.. [2] Maddison, Mnih and Teh (2017). The concrete distribution: a continuous relaxation
   of discrete random variables. ICLR.
.. [3] Bengio, Léonard and Courville (2013). Estimating or propagating gradients through
   stochastic neurons for conditional computation. arXiv:1308.3432.
"""

import numpy as np
from autograd.extend import defvjp
from autograd.tracer import getval

from skdgm._kernels.nets.nade import draw, draw_linear
from skdgm.distributions.bernoulli import log_odds_grad, log_odds_loss
from skdgm.nets.tape import primitive
from skdgm.utils.math import sigmoid
from skdgm.utils.threading.parallel import run

# Smallest uniform number, and distance of the largest from 1, for logits.
_MIN_UNIFORM = 1e-6


def _repeated(logits, n):
    """Log odds for each of n rows of draws."""
    return logits if len(logits) == n else np.repeat(logits, n // len(logits), axis=0)


def coin(logits, noise, relaxation=None, temperature=0.5):
    """Draw bits, or relaxed bits, (n_rows * n_draws, n_units), given logits and uniform
    noise.

    Logits have shape (n_rows, n_units). Without a relaxation, no gradient passes
    through the bits. "concrete" returns numbers between 0 and 1 that are
    differentiable: at low temperatures they are close to bits, with gradients of large
    variance. "straight-through" returns bits with the gradient of their probabilities.
    """
    if relaxation is None:
        logits = getval(logits)
        p = _repeated(sigmoid(logits), len(noise))
        return (noise < p).astype(logits.dtype)
    if relaxation == "straight-through":
        return straight_through(logits, noise)
    return concrete(logits, noise, temperature)


@primitive
def straight_through(logits, noise):
    """Bits whose derivative by the log odds is that of their probabilities."""
    return (noise < _repeated(sigmoid(logits), len(noise))).astype(logits.dtype)


def _straight_back(_, logits, noise):
    def backward(grad):
        p = sigmoid(logits)
        return _folded(grad, logits) * p * (1 - p)

    return backward


defvjp(straight_through, _straight_back, None)


@primitive
def concrete(logits, noise, temperature):
    """Concrete variables between 0 and 1, at a temperature."""
    noise = np.clip(noise, _MIN_UNIFORM, 1 - _MIN_UNIFORM)
    logistic = np.log(noise) - np.log1p(-noise)
    logistic = (_repeated(logits, len(noise)) - logistic) / temperature
    return sigmoid(logistic).astype(logits.dtype)


def _concrete_back(z, logits, noise, temperature):
    share = logits.dtype.type(1 / temperature)
    return lambda grad: _folded(grad * z * (1 - z) * share, logits)


defvjp(concrete, _concrete_back, None, None)


def _folded(grad, logits):
    """Sum over the draws of each row."""
    if grad.shape == logits.shape:
        return grad
    return grad.reshape((len(logits), -1, *logits.shape[1:])).sum(axis=1)


@primitive
def log_coins(logits, z):
    """Log probability of bits z, (n_rows * n_draws, n_units), in nats, for each row.
    The formula and its gradient by z also apply to relaxed bits."""
    return -log_odds_loss(_repeated(logits, len(z)), z)


def _by_logits(_, logits, z):
    def backward(grad):
        return _folded(-log_odds_grad(_repeated(logits, len(z)), z, grad), logits)

    return backward


def _by_value(_, logits, z):
    return lambda grad: grad[:, None] * _repeated(logits, len(z))


defvjp(log_coins, _by_logits, _by_value)


@primitive
def to_draws(x, n):
    """Repeat each row, so that x has one row for each of n rows of draws."""
    return _repeated(x, n)


defvjp(to_draws, lambda _, x, n: lambda grad: _folded(grad, x), None)


def tied_bits(net, kind, v, uniform=None):
    """Impute the missing bits of rows v, (n_rows, n_columns), one after another.

    Bits are drawn by ``uniform`` noise of the same shape. Without noise, a missing bit
    is replaced by its mean conditional on previous values. ``net`` is (W, c, rho, V, b)
    of :func:`~skdgm.nets.tied`, where each row of c and b belongs to the same number of
    consecutive rows of v. ``kind`` is a value of ``KINDS``.
    """
    W, c, rho, V, b = net
    net = W, np.atleast_2d(c), rho, V, np.atleast_2d(b)
    uniform = np.empty((0, 0), v.dtype) if uniform is None else uniform
    v = v.copy()
    run(draw, net, kind, uniform, v, n=len(v), work=v.size * W.shape[1])
    return v


def linear_bits(W, logits, v, uniform=None):
    """Impute missing bits as :func:`tied_bits` does, with log odds linear in previous
    bits. Each row of ``logits`` belongs to the same number of consecutive rows of v;
    terms of previous bits are above the diagonal of W, (n_columns, n_columns)."""
    logits = np.repeat(logits, len(v) // len(logits), axis=0)
    uniform = np.empty((0, 0), v.dtype) if uniform is None else uniform
    v = v.copy()
    run(draw_linear, W, logits, uniform, v, n=len(v), work=v.size * len(W) // 2)
    return v
