r"""The logarithm as arithmetic that compilers can vectorize.

.. math:: \log x = e \log 2 + \log(1 + m), \qquad x = 2^e (1 + m), \quad
   \tfrac{1}{\sqrt 2} \le 1 + m < \sqrt 2

The last term is a polynomial (float32) or a rational function (float64) with the
coefficients of Cephes [1]_.

References
----------
.. [1] Moshier (1989). Methods and programs for mathematical functions. Prentice Hall.
"""

import numpy as np
from numba.extending import overload

from skdgm._kernels.compiler.jit import kernel


def log(x):
    """Logarithm of a float32 or float64 scalar, to one or two units in the last place;
    x must be a positive normal number."""
    return _log_32(x) if isinstance(x, np.float32) else _log_64(x)


@overload(log)
def _choose(x):
    chosen = _log_32 if x.bitwidth == 32 else _log_64

    def implementation(x):
        return chosen(x)

    return implementation


@kernel
def _log_32(x):
    bits = np.float32(x).view(np.int32)
    exponent = np.float32((bits >> np.int32(23)) - np.int32(126))
    half = np.int32(bits & np.int32(0x007FFFFF)) | np.int32(0x3F000000)
    m = np.int32(half).view(np.float32)
    is_low = m < np.float32(0.707106781186547524)
    exponent -= np.float32(1.0) if is_low else np.float32(0.0)
    m = m - np.float32(1.0) + (m if is_low else np.float32(0.0))
    z = m * m
    p = np.float32(7.0376836292e-2)
    p = p * m + np.float32(-1.1514610310e-1)
    p = p * m + np.float32(1.1676998740e-1)
    p = p * m + np.float32(-1.2420140846e-1)
    p = p * m + np.float32(1.4249322787e-1)
    p = p * m + np.float32(-1.6668057665e-1)
    p = p * m + np.float32(2.0000714765e-1)
    p = p * m + np.float32(-2.4999993993e-1)
    p = p * m + np.float32(3.3333331174e-1)
    p = p * m * z + exponent * np.float32(-2.12194440e-4) - np.float32(0.5) * z
    return m + p + exponent * np.float32(0.693359375)


@kernel
def _log_64(x):
    bits = np.float64(x).view(np.int64)
    exponent = np.float64((bits >> np.int64(52)) - np.int64(1022))
    half = np.int64(bits & np.int64(0x000FFFFFFFFFFFFF)) | np.int64(0x3FE0000000000000)
    m = np.int64(half).view(np.float64)
    is_low = m < 0.707106781186547524
    exponent -= 1.0 if is_low else 0.0
    m = m - 1.0 + (m if is_low else 0.0)
    z = m * m
    p = 1.01875663804580931796e-4 * m + 4.97494994976747001425e-1
    p = (p * m + 4.70579119878881725854e0) * m + 1.44989225341610930846e1
    p = (p * m + 1.79368678507819816313e1) * m + 7.70838733755885391666e0
    q = (m + 1.12873587189167450590e1) * m + 4.52279145837532221105e1
    q = (q * m + 8.29875266912776603211e1) * m + 7.11544750618563894466e1
    q = q * m + 2.31251620126765340583e1
    p = m * (z * p / q) + exponent * -2.121944400546905827679e-4 - 0.5 * z
    return m + p + exponent * 0.693359375
