r"""The exponential function as arithmetic that compilers can vectorize.

.. math:: e^x = 2^n e^r, \qquad n = \lfloor x / \ln 2 \rceil, \quad
   |r| \le \tfrac12 \ln 2

The last factor is a polynomial (float32) or a rational function (float64) with the
coefficients of Cephes [1]_. Rounding adds a number so large that no binary places are
left; its low bits then are n.

References
----------
.. [1] Moshier (1989). Methods and programs for mathematical functions. Prentice Hall.
"""

import numpy as np
from numba.extending import overload

from skdgm._kernels.compiler.jit import kernel


def exp(x):
    """Exponential of a float32 or float64 scalar, to one or two units in the last
    place; x is clipped to the range of normal numbers."""
    return _exp_32(x) if isinstance(x, np.float32) else _exp_64(x)


@overload(exp)
def _choose(x):
    chosen = _exp_32 if x.bitwidth == 32 else _exp_64

    def implementation(x):
        return chosen(x)

    return implementation


@kernel
def _exp_32(x):
    x = x if x > np.float32(-87.0) else np.float32(-87.0)
    x = x if x < np.float32(88.0) else np.float32(88.0)
    shifted = x * np.float32(1.44269504) + np.float32(12582912.0)
    n = shifted - np.float32(12582912.0)
    r = x - n * np.float32(0.693359375)
    r = r - n * np.float32(-2.12194440e-4)
    p = np.float32(1.9875691500e-4)
    p = p * r + np.float32(1.3981999507e-3)
    p = p * r + np.float32(8.3334519073e-3)
    p = p * r + np.float32(4.1665795894e-2)
    p = p * r + np.float32(1.6666665459e-1)
    p = p * r + np.float32(5.0000001201e-1)
    p = p * r * r + r + np.float32(1.0)
    exponent = np.float32(shifted).view(np.int32) + np.int32(127)
    return p * np.int32(exponent << np.int32(23)).view(np.float32)


@kernel
def _exp_64(x):
    x = x if x > -708.0 else -708.0
    x = x if x < 709.0 else 709.0
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = x - n * 6.93145751953125e-1
    r = r - n * 1.42860682030941723212e-6
    s = r * r
    p = (1.26177193074810590878e-4 * s + 3.02994407707441961300e-2) * s
    p = r * (p + 9.99999999999999999910e-1)
    q = (3.00198505138664455042e-6 * s + 2.52448340349684104192e-3) * s
    q = (q + 2.27265548208155028766e-1) * s + 2.0
    p = 1.0 + 2.0 * p / (q - p)
    exponent = np.float64(shifted).view(np.int64) + np.int64(1023)
    return p * np.int64(exponent << np.int64(52)).view(np.float64)
