r"""Layers with an inverse, and the log-determinant of their Jacobian.

.. math:: y = f(x), \qquad \log p(x) = \log p(y) +
   \log \left\lvert \det \frac{\partial y}{\partial x} \right\rvert

``serial`` composes them: inverses in reverse order, and sums of log-determinants.
"""

from functools import partial

import autograd.numpy as anp
import numpy as np
from scipy.special import logit

from skdgm.nets.constrained import pick
from skdgm.nets.layers import Net, Scales, activation, unweighted
from skdgm.nets.primitives import LEAK, activate
from skdgm.nets.tape import getval


def affine():
    """Gain and shift of each column, none of whose gains may be 0."""
    return Net(_begin_affine, _apply_affine, inverse=_inverse_affine, log_det=_of_gains)


def _begin_affine(rng, n_inputs, dtype):
    return n_inputs, Scales(np.ones(n_inputs, dtype), np.zeros(n_inputs, dtype)), ()


def _apply_affine(params, statistics, x, rng=None, train=False):
    return x * params.gain + params.shift, statistics


def _inverse_affine(params, statistics, y):
    return (y - params.shift) / params.gain


def _of_gains(params, statistics, x):
    own = anp.log(anp.abs(params.gain)).sum()
    return _apply_affine(params, (), x)[0], own * np.ones(len(getval(x)), x.dtype)


def permutation(order):
    """Columns in another order, an ndarray of int."""
    parts = _apply_permutation, _inverse_permutation, _of_permutation
    apply, inverse, log_det = (partial(part, order) for part in parts)
    return Net(unweighted, apply, inverse=inverse, log_det=log_det)


def _apply_permutation(order, params, statistics, x, rng=None, train=False):
    return pick(x, order), statistics


def _inverse_permutation(order, params, statistics, y):
    return y[:, np.argsort(order)]


def _of_permutation(order, params, statistics, x):
    return pick(x, order), np.zeros(len(getval(x)), x.dtype)


def monotone(name):
    """Activation function with an inverse: all but "relu" and "maxout"."""
    parts = {"inverse": _inverse_activation, "log_det": _of_activation}
    own = {part: partial(function, name) for part, function in parts.items()}
    return activation(name)._replace(**own)


def _inverse_activation(name, params, statistics, y):
    return _INVERSES[name](y)


def _of_activation(name, params, statistics, x):
    return activate(x, name), _LOG_SLOPES[name](x).sum(axis=1)


def _softplus(x):
    return activate(x, "softplus")


def _log_slope_leaky(x):
    log_leak = getval(x).dtype.type(np.log(LEAK))
    return np.where(getval(x) > 0, 0, log_leak)


_INVERSES = {
    "identity": lambda y: y,
    "logistic": logit,
    "tanh": np.arctanh,
    "leaky_relu": lambda y: np.where(y > 0, y, y / y.dtype.type(LEAK)),
    "softplus": lambda y: y + np.log(-np.expm1(-y)),
}
_LOG_SLOPES = {
    "identity": lambda x: np.zeros_like(getval(x)),
    "logistic": lambda x: -_softplus(x) - _softplus(-x),
    "tanh": lambda x: 2 * (getval(x).dtype.type(np.log(2)) - x - _softplus(-2 * x)),
    "leaky_relu": _log_slope_leaky,
    "softplus": lambda x: -_softplus(-x),
}
