r"""Losses of the outputs of a net given targets, row by row.

.. math:: -\sum_k t_k \log \operatorname{softmax}_k(z), \qquad
   \sum_k \log(1 + e^{z_k}) - t_k z_k, \qquad \tfrac12 \sum_k (z_k - t_k)^2

for classes, bits and real numbers [1]_. They are negative log-likelihoods, the last up
to a constant. The gradient by the natural parameter z is the expectation of the target
minus t.

References
----------
.. [1] Bishop (1995). Neural networks for pattern recognition, chapter 6. Oxford.
"""

import numpy as np
from autograd.extend import defvjp, defvjp_argnums
from scipy.special import log_softmax, softmax

from skdgm.distributions.bernoulli import log_odds_grad, log_odds_loss
from skdgm.nets.tape import primitive


@primitive
def softmax_cross_entropy(logits, targets):
    """Negative log-likelihood of classes, (n_rows,), in nats. Logits and targets have
    shape (n_rows, n_classes). Targets are probabilities, or zeros for rows without a
    loss."""
    return -(targets * log_softmax(logits, axis=1)).sum(axis=1)


@primitive
def logistic_cross_entropy(logits, targets, dtype=None):
    """Negative log-likelihood of independent bits, (n_rows * n_each,), in nats. Each
    row of targets, which are probabilities or NaN, has ``n_each`` consecutive rows of
    logits. ``dtype`` of the sum is by default that of the logits."""
    return log_odds_loss(logits, targets, dtype)


@primitive
def squared_error(output, targets):
    """Half the squared error, (n_rows,), over targets that are not NaN."""
    return 0.5 * (_gap(output, targets) ** 2).sum(axis=1)


def _gap(output, targets):
    return np.where(np.isnan(targets), 0, output - targets)


def _softmax_gap(logits, targets):
    return softmax(logits, axis=1) * targets.sum(axis=1, keepdims=True) - targets


def _define_gradient(loss, gap):
    """Define the gradient of a loss by ``gap``, the difference of output and target."""
    defvjp(loss, lambda _, z, t: lambda grad: grad[:, None] * gap(z, t), None)


_define_gradient(softmax_cross_entropy, _softmax_gap)
defvjp(
    logistic_cross_entropy,
    lambda _, z, t, dtype=None: lambda grad: log_odds_grad(z, t, grad),
    None,
)
_define_gradient(squared_error, _gap)


@primitive
def row_mean(x):
    """Mean of each row, (n_rows,), whose gradient has the dtype of x. The gradient of
    autograd's own mean is float64."""
    return x.mean(axis=1)


def _row_mean_back(_, x):
    share = x.dtype.type(1 / x.shape[1])
    return lambda grad: np.repeat(grad[:, None] * share, x.shape[1], axis=1)


defvjp(row_mean, _row_mean_back)


@primitive
def log_mean_exp(log_w):
    """Log of the mean of exp(log_w) over each row, (n_rows,), without overflow."""
    high = log_w.max(axis=1, keepdims=True)
    return (high + np.log(np.exp(log_w - high).mean(axis=1, keepdims=True)))[:, 0]


defvjp(log_mean_exp, lambda _, w: lambda grad: grad[:, None] * softmax(w, axis=1))


@primitive
def nll(out, dispersion, v, output):
    """Negative log-likelihood of rows v, NaN where missing, in nats. This makes
    :meth:`skdgm.distributions.Output.nll` differentiable by ``out`` and ``dispersion``.
    Each row of v has the same number of consecutive rows of outputs."""
    return output.nll(out, v, dispersion)


@primitive
def expected(out, output):
    """Means of the inputs that represent values, given outputs of a net. This makes
    :meth:`skdgm.distributions.Output.expected` differentiable by ``out``."""
    return output.expected(out)


defvjp(expected, lambda _, out, own: lambda grad: own.expected_grad(out, grad), None)


def _nll_back(argnums, _, args, kwargs):
    out, dispersion, v, output = args

    def backward(grad):
        grads = output.nll_grad(out, v, grad, dispersion)
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(nll, _nll_back)
