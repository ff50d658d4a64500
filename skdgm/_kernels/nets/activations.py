r"""Gradients of activation functions, from their outputs, and their sums over rows.

.. math:: \delta = \bar y \odot f'(z), \qquad \bar b = \sum_r \delta_r

in one pass, with slopes :math:`y (1 - y)` of the logistic function, :math:`1 - y^2` of
the hyperbolic tangent, and :math:`[y > 0]` of rectifiers.
"""

from skdgm._kernels.compiler.jit import exact

# Numbers of the functions.
NUMBERS = {"identity": 0, "logistic": 1, "tanh": 2, "relu": 3, "leaky_relu": 4}


@exact
def pull_back(number, leak, y, grad, delta, total, start, stop):
    """Write columns ``start`` to ``stop`` of the gradient by pre-activations to
    ``delta``, and add their sums to ``total``, given outputs y and the gradient by
    them. ``leak`` is the slope of "leaky_relu" for negative numbers."""
    one, sums = y.dtype.type(1), total[start:stop]
    for r in range(y.shape[0]):
        value, slope = y[r, start:stop], grad[r, start:stop]
        out = delta[r, start:stop]
        if number == 0:
            for j in range(len(sums)):
                out[j] = slope[j]
        elif number == 1:
            for j in range(len(sums)):
                out[j] = slope[j] * (value[j] * (one - value[j]))
        elif number == 2:
            for j in range(len(sums)):
                out[j] = slope[j] * (one - value[j] * value[j])
        else:
            below = leak if number == 4 else 0 * leak
            for j in range(len(sums)):
                out[j] = slope[j] * (one if value[j] > 0 else below)
        for j in range(len(sums)):
            sums[j] += out[j]
