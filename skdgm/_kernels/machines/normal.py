r"""Standard normal numbers from random bits, by the inverse distribution function.

.. math:: \Phi^{-1}(u) = \sqrt{2\pi} \, (y + y^3 R_0(y^2)), \quad y = u - \tfrac12

in the middle; in the tails, it is a rational function of :math:`\sqrt{-2 \log u}`.
Coefficients are those of Cephes [1]_, as in ``scipy.special.ndtri``.

References
----------
.. [1] Moshier (1989). Methods and programs for mathematical functions. Prentice Hall.
"""

import numpy as np

from skdgm._kernels.compiler.jit import kernel
from skdgm._kernels.machines.bernoulli import bits, halves

_ROOT = 2.50662827463100050242
_EDGE = 0.13533528323661269189


@kernel
def quantile(u):
    """Quantile of the standard normal distribution, for u from 2^-33 to 1 - 2^-33."""
    y = min(u, 1.0 - u)
    if y > _EDGE:
        y = u - 0.5
        z = y * y
        p = -5.99633501014107895267e1 * z + 9.80010754185999661536e1
        p = (p * z - 5.66762857469070293439e1) * z + 1.39312609387279679503e1
        p = p * z - 1.23916583867381258016e0
        q = (z + 1.95448858338141759834e0) * z + 4.67627912898881538453e0
        q = (q * z + 8.63602421390890590575e1) * z - 2.25462687854119370527e2
        q = (q * z + 2.00260212380060660359e2) * z - 8.20372256168333339912e1
        q = (q * z + 1.59056225126211695515e1) * z - 1.18331621121330003142e0
        return (y + y * (z * p / q)) * _ROOT
    x = np.sqrt(-2.0 * np.log(y))
    z = 1.0 / x
    p = 4.05544892305962419923e0 * z + 3.15251094599893866154e1
    p = (p * z + 5.71628192246421288162e1) * z + 4.40805073893200834700e1
    p = (p * z + 1.46849561928858024014e1) * z + 2.18663306850790267539e0
    p = (p * z - 1.40256079171354495875e-1) * z - 3.50424626827848203418e-2
    p = p * z - 8.57456785154685413611e-4
    q = (z + 1.57799883256466749731e1) * z + 4.53907635128879210584e1
    q = (q * z + 4.13172038254672030440e1) * z + 1.50425385692907503408e1
    q = (q * z + 2.50464946208309415979e0) * z - 1.42182922854787788574e-1
    q = (q * z - 3.80806407691578277194e-2) * z - 9.33259480895457427372e-4
    x = x - np.log(x) * z - z * p / q
    return x if u > 0.5 else -x


@kernel
def add_noise(x, r, left, right, scale, root):
    """Add normal numbers, those of :meth:`skdgm.utils.random.Stream.normal`, times the
    scale of each column, to columns of a row."""
    low, high = halves(np.uint64(r), root)
    for j in range(left, right):
        u = np.float64(bits(j, low, high)) * 2.0**-32 + 2.0**-33
        x[r, j] += x.dtype.type(quantile(u)) * scale[j]
