"""Counts: log factorials, and draws by inverting the distribution function.

What is common, small numbers, is done by kernels; SciPy does the rest, but for Poisson
counts of high rates, which it cannot invert in a time that does not rise with them.
"""

import numpy as np
from scipy.special import bdtr, bdtrik, gammaln, ndtri, pdtr, pdtrik

from skdgm._kernels.machines import counts as kernels
from skdgm.utils.threading.parallel import run

# Logs of the factorials of 0, 1, 2, …; others are computed one by one.
_TABLE = gammaln(np.arange(1.0, 257.0))
# Counts up to this n, and of rates up to this, are summed up from 0 on.
_MOST = 500.0
# Poisson counts of rates above this are inverted by a Cornish-Fisher expansion.
_HIGH = 1e5
# Half the spacing of uniform numbers of 32 bits, which start at 0.
_HALF = 2.0**-33
# Multiply-adds that an entry is worth.
_WORK = 20


def log_factorials(x):
    """log Γ(x + 1) of counts, or fractions between them, in float64 and the shape of
    x."""
    x = np.asarray(x, np.float64)
    out, work = np.empty(x.size), _WORK * x.size
    run(kernels.log_factorials, x.ravel(), _TABLE, out, n=x.size, work=work)
    return out.reshape(x.shape)


def draw_binomial(p, n, uniform):
    """Numbers of bits that are on, of n bits each, (size,), with probabilities p,
    (n_rows, size): counts rise with uniform numbers in [0, 1). All are float64."""
    x, work = np.empty(uniform.shape), _WORK * uniform.size
    many = n > _MOST
    few = np.where(many, 0.0, n)
    run(kernels.draw_binomial, p, few, uniform, x, n=len(x), work=work)
    if many.any():
        n, u, p = n[many], uniform[:, many], np.clip(p[:, many], 1e-300, 1 - 1e-16)
        found = np.ceil(bdtrik(u, n, p)).clip(0, n)
        less = (found > 0) & (bdtr(found - 1, n.astype(int), p) >= u)
        x[:, many] = found - less
    return x


def draw_poisson(rate, uniform):
    """Poisson counts of given rates, (n_rows, size), which rise with uniform numbers in
    [0, 1). All are float64."""
    x, work = np.empty(rate.shape), _WORK * rate.size
    # NaN, which is above nothing, would not end the loops of kernels.
    many, high = ~(rate <= _MOST), rate > _HIGH
    few = np.where(many, 0.0, rate)
    run(kernels.draw_poisson, few, uniform, x, n=len(x), work=work)
    if many.any():
        own, u = rate[many & ~high], uniform[many & ~high]
        found = np.ceil(pdtrik(u, own)).clip(0)
        # Rounding: the count below may do already.
        x[many & ~high] = (found - (pdtr(found - 1, own) >= u)).clip(0)
        x[high] = _expanded(rate[high], uniform[high])
    return x


def _expanded(rate, uniform):
    """Poisson counts by their first four cumulants, those of counts and a uniform
    number; at the least rate one count in 5,000 is off, by one."""
    z, deviation = ndtri(uniform + _HALF), np.sqrt(rate + 1 / 12)
    skew = (z**2 - 1) / 6 + (z - z**3) / (72 * deviation)
    return np.rint(rate + deviation * z + skew)
