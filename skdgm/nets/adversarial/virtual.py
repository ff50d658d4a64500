r"""Virtual batch normalization, by a reference batch and the row itself.

A batch begins with n reference rows, which are standardized by their own means m and
variances v. The moments of any other row i are those of the reference rows and itself,

.. math:: m_i = \frac{n m + \mu_i}{n + 1}, \qquad
   v_i = \frac{n v + w_i}{n + 1} + \frac{n (\mu_i - m)^2}{(n + 1)^2}, \qquad
   y_i = \gamma \odot \frac{x_i - m_i}{\sqrt{v_i + \epsilon}} + \beta,

where :math:`\mu_i` and :math:`w_i` are the mean and variance of a map over the pixels
of an image, or the value of a unit and 0 [1]_. The outputs for a row thus depend on
itself and on the fixed reference rows only.

References
----------
.. [1] Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen (2016). Improved
   techniques for training GANs. NeurIPS.
"""

from functools import partial

import numpy as np
from autograd.extend import defvjp, defvjp_argnums
from autograd.tracer import getval

from skdgm.nets.adversarial.packing import stacked
from skdgm.nets.layers import Net, Scales
from skdgm.nets.normalization import EPSILON
from skdgm.nets.tape import primitive

# Rows of the reference batch.
REFERENCE = 64


@primitive
def standardize_virtually(x, gain, shift, n):
    """Standardize maps or units of rows x by the first n rows, the reference. x and the
    result have shape (n + n_rows, n_pixels * n_maps); gains and shifts have shape
    (n_maps,)."""
    reference, others = _parts(x, gain, n)
    _, normal, *_ = _of_reference(reference)
    _, normal_others, *_ = _of_others(others, reference)
    y = np.concatenate([normal, normal_others]) * gain + shift
    return y.reshape(x.shape)


def _parts(x, gain, n):
    """Reference rows and other rows, (n_rows, n_pixels, n_maps)."""
    x = x.reshape((len(x), -1, len(gain)))
    return x[:n], x[n:]


def _of_reference(x):
    """Means, standardized values, standard deviations and variances."""
    mean, variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
    size = np.sqrt(variance + x.dtype.type(EPSILON))
    return mean, (x - mean) / size, size, variance


def _of_others(x, reference):
    """Means, standardized values and standard deviations of other rows; means over
    their pixels, and the differences of these means from those of the reference."""
    n, real = len(reference), x.dtype.type
    mean, _, _, variance = _of_reference(reference)
    a, b = real(n / (n + 1)), real(1 / (n + 1))
    row_mean, within = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    gap = row_mean - mean
    size = np.sqrt(a * variance + b * within + a * b * gap**2 + real(EPSILON))
    middle = a * mean + b * row_mean
    return middle, (x - middle) / size, size, row_mean, gap


def _back(argnums, y, args, kwargs):
    x, gain, _, n = args
    reference, others = _parts(x, gain, n)

    def backward(grad):
        real, grad = x.dtype.type, grad.reshape((len(x), -1, len(gain)))
        mean, normal, size, _ = _of_reference(reference)
        _, normal_others, sizes, row_mean, gap = _of_others(others, reference)
        normal_rows = np.concatenate([normal, normal_others])
        grads = [None, (grad * normal_rows).sum(axis=(0, 1)), grad.sum(axis=(0, 1))]
        if 0 not in argnums:
            return [grads[argnum] for argnum in argnums]
        n_pixels, grad = real(reference.shape[1]), grad * gain
        a, b = real(n / (n + 1)), real(1 / (n + 1))
        # Gradients by the moments of each row, and by those of the reference.
        of_mean = -(grad[n:] / sizes).sum(axis=1, keepdims=True)
        of_variance = (
            -(grad[n:] * normal_others / sizes**2).sum(axis=1, keepdims=True) / 2
        )
        pull = 2 * a * b * gap * of_variance
        back = grad[n:] / sizes + (b * of_mean + pull) / n_pixels
        back += 2 * b * of_variance * (others - row_mean) / n_pixels
        by_mean = (a * of_mean - pull).sum(axis=(0, 1))
        by_variance = (a * of_variance).sum(axis=(0, 1))
        total = real(n) * n_pixels
        first = grad[:n]
        shared = first.mean(axis=(0, 1)) + normal * (first * normal).mean(axis=(0, 1))
        first = (first - shared) / size
        first += (by_mean + 2 * by_variance * (reference - mean)) / total
        grads[0] = np.concatenate([first, back]).reshape(x.shape)
        return [grads[argnum] for argnum in argnums]

    return backward


defvjp_argnums(standardize_virtually, _back)


@primitive
def after(x, n):
    """Rows after the first n."""
    return x[n:]


def _after_back(_, x, n):
    return lambda grad: np.concatenate([np.zeros_like(x[:n]), grad])


defvjp(after, _after_back, None)


def virtual_norm():
    """Virtual batch normalization of units, in a net of :func:`with_reference`."""
    return _virtual(None)[0]


def virtual_map_norm():
    """Block of virtual batch normalization of maps, in a net of
    :func:`with_reference`."""
    return _virtual


def _virtual(shape):
    return Net(partial(_begin, shape), _apply), shape


def _begin(shape, rng, n_inputs, dtype):
    n = n_inputs if shape is None else shape[2]
    return n_inputs, Scales(np.ones(n, dtype), np.zeros(n, dtype)), ()


def _apply(params, statistics, x, rng=None, train=False):
    y = standardize_virtually(x, params.gain, params.shift, REFERENCE)
    return y, statistics


def with_reference(net):
    """Net that prepends reference rows to each batch, so that rows do not depend on
    each other. The reference is the first batch of training, repeated if it is too
    small, and random rows before."""
    return Net(partial(_begin_reference, net), partial(_apply_reference, net))


def _begin_reference(net, rng, n_inputs, dtype):
    n_outputs, params, statistics = net.init(rng, n_inputs, dtype)
    rows = rng.standard_normal((REFERENCE, n_inputs)).astype(dtype)
    return n_outputs, params, (rows, np.zeros(1), statistics)


def _apply_reference(net, params, statistics, x, rng=None, train=False):
    rows, chosen, net_statistics = statistics
    if train and not chosen[0]:
        first = getval(x)
        rows, chosen = np.resize(first, (REFERENCE, first.shape[1])), np.ones(1)
    y, net_statistics = net.apply(
        params, net_statistics, stacked(rows, x), rng=rng, train=train
    )
    return after(y, REFERENCE), (rows, chosen, net_statistics)
