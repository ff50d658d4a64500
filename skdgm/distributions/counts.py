"""Log factorials, and draws of counts by inversion of the distribution function.

Kernels handle small counts. SciPy inverts the others, except Poisson counts with high
rates, for which the time of inversion grows with the rate.
"""

import numpy as np
from scipy.special import bdtr, bdtrik, gammaln, ndtri, pdtr, pdtrik

from skdgm._kernels.machines import counts as kernels
from skdgm.utils.threading.parallel import run

# Log factorials of 0, 1, 2, …; those of larger numbers are computed when needed.
_TABLE = gammaln(np.arange(1.0, 257.0))
# Maximum n, or rate, for inversion by summation from 0.
_MAX_LOG_MEAN = 500.0
# Poisson counts of rates above this are inverted by a Cornish-Fisher expansion.
_HIGH = 1e5
# Half the spacing of uniform numbers of 32 bits, which start at 0.
_HALF = 2.0**-33
# Cost of an entry, in multiply-adds.
_WORK = 20


def log_factorials(x):
    """log Γ(x + 1) of counts or fractional counts, float64, in the shape of x."""
    x = np.asarray(x, np.float64)
    out, work = np.empty(x.size), _WORK * x.size
    run(kernels.log_factorials, x.ravel(), _TABLE, out, n=x.size, work=work)
    return out.reshape(x.shape)


def draw_binomial(p, n, uniform):
    """Draw binomial counts of n, (size,), trials with probabilities p, (n_rows, size).
    Counts increase with the uniform numbers in [0, 1). All arrays are float64."""
    x, work = np.empty(uniform.shape), _WORK * uniform.size
    large = n > _MAX_LOG_MEAN
    small_n = np.where(large, 0.0, n)
    run(kernels.draw_binomial, p, small_n, uniform, x, n=len(x), work=work)
    if large.any():
        n, u, p = (n[large], uniform[:, large], np.clip(p[:, large], 1e-300, 1 - 1e-16))
        counts = np.ceil(bdtrik(u, n, p)).clip(0, n)
        is_too_high = (counts > 0) & (bdtr(counts - 1, n.astype(int), p) >= u)
        x[:, large] = counts - is_too_high
    return x


def draw_poisson(rate, uniform):
    """Draw Poisson counts with given rates, (n_rows, size). Counts increase with the
    uniform numbers in [0, 1). All arrays are float64."""
    x, work = np.empty(rate.shape), _WORK * rate.size
    # NaN, which is above nothing, would not end the loops of kernels.
    large, huge = ~(rate <= _MAX_LOG_MEAN), rate > _HIGH
    small = np.where(large, 0.0, rate)
    run(kernels.draw_poisson, small, uniform, x, n=len(x), work=work)
    if large.any():
        medium, u = rate[large & ~huge], uniform[large & ~huge]
        counts = np.ceil(pdtrik(u, medium)).clip(0)
        # Because of rounding, the next lower count may already suffice.
        x[large & ~huge] = (counts - (pdtr(counts - 1, medium) >= u)).clip(0)
        x[huge] = _expanded(rate[huge], uniform[huge])
    return x


def _expanded(rate, uniform):
    """Poisson counts by a Cornish-Fisher expansion with four cumulants, including those
    of a uniform rounding error. At the lowest rate used, one in 5,000 counts is off by
    one."""
    z, deviation = ndtri(uniform + _HALF), np.sqrt(rate + 1 / 12)
    skew = (z**2 - 1) / 6 + (z - z**3) / (72 * deviation)
    return np.rint(rate + deviation * z + skew)
