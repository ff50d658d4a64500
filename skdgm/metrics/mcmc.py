r"""Mixing diagnostics of Markov chains.

For m chains of n draws, with within-chain variance W, between-chain variance B and
:math:`\widehat{\mathrm{var}}^+ = \frac{n-1}{n} W + \frac{1}{n} B`,

.. math:: \hat R = \sqrt{\frac{\widehat{\mathrm{var}}^+}{W}}, \qquad
   \hat\rho_t = 1 - \frac{W - \frac1m \sum_j s_j^2 \hat\rho_{t,j}}
   {\widehat{\mathrm{var}}^+}, \qquad
   \mathrm{ESS} = \frac{m n}{-1 + 2 \sum_t (\hat\rho_{2t} + \hat\rho_{2t+1})}

The last sum is truncated before its first negative term and made monotone [1]_. Chains
are split in halves and draws are rank-normalized, so that both diagnostics are defined
for any distribution [2]_.

References
----------
.. [1] Geyer (1992). Practical Markov chain Monte Carlo. Statistical Science.
.. [2] Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization,
   folding, and localization: an improved R-hat. Bayesian Analysis.
"""

from typing import Literal

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri
from scipy.stats import rankdata

from skdgm.typing import ArrayLike
from skdgm.utils.counts import check_choice
from skdgm.utils.domains import as_numbers, refuse_huge

_WHO = "the diagnosis of chains"
# Minimum number of draws of a chain that is split in halves.
MIN_DRAWS = 4


def autocorrelation(chains: ArrayLike) -> np.ndarray:
    r"""Autocorrelation of each chain at every lag.

    .. math:: \hat\rho_t = \frac{\sum_s (x_s - \bar x)(x_{s+t} - \bar x)}
       {\sum_s (x_s - \bar x)^2}

    Parameters
    ----------
    chains : array-like, (n_chains, n_draws) or (n_chains, n_draws, n_quantities)
        A single chain may be given as (n_draws,).

    Returns
    -------
    rho : ndarray of the same shape
        The same as in ArviZ, except for a constant chain: 1 at every lag, where ArviZ
        returns NaN.

    Raises
    ------
    ValueError
        A draw is not finite.

    Examples
    --------
    >>> from skdgm.metrics import autocorrelation
    >>> autocorrelation([1.0, -1.0, 1.0, -1.0]).round(2)
    array([ 1.  , -0.75,  0.5 , -0.25])
    """
    options = {"allow_nd": True, "ensure_2d": False, "ensure_min_samples": 0}
    chains = as_numbers(chains, "chains", _WHO, **options)
    rows = checked(np.atleast_2d(chains), min_draws=1)
    covariance = autocovariance(rows)
    covariance = np.where(still(rows)[:, None], 1.0, covariance)
    return (covariance / covariance[:, :1]).reshape(np.shape(chains))


def effective_sample_size(
    chains: ArrayLike, *, method: Literal["bulk", "tail", "mean"] = "bulk"
) -> float | np.ndarray:
    r"""Effective sample size: the equivalent number of independent draws.

    .. math:: \mathrm{ESS} = \frac{m n}{-1 + 2 \sum_t
       (\hat\rho_{2t} + \hat\rho_{2t+1})}

    Parameters
    ----------
    chains : array-like, (n_chains, n_draws) or (n_chains, n_draws, n_quantities)
    method : {"bulk", "tail", "mean"}, default="bulk"
        "bulk" is the size for rank-normalized draws, "tail" the smaller of the sizes
        for the 5 % and 95 % quantiles, and "mean" the size for the mean of the draws
        without normalization.

    Returns
    -------
    ess : float or ndarray of shape (n_quantities,)
        The same as in ArviZ, up to rounding of quantiles in the tails. The number of
        draws if all are equal.

    Raises
    ------
    ValueError
        There are fewer than four draws, one is not finite, or the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.metrics import effective_sample_size
    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(3000 < effective_sample_size(x) < 5000)
    True
    """
    check_choice("method", method, SIZES)
    return each(SIZES[method], checked(chains))


def r_hat(chains: ArrayLike) -> float | np.ndarray:
    r"""Potential scale reduction factor, which is near 1 if all chains have mixed.

    .. math:: \hat R = \sqrt{\widehat{\mathrm{var}}^+ / W}

    The result is the larger of two values: for rank-normalized draws, and for
    rank-normalized absolute deviations from the median.

    Parameters
    ----------
    chains : array-like, (n_chains, n_draws) or (n_chains, n_draws, n_quantities)

    Returns
    -------
    r_hat : float or ndarray of shape (n_quantities,)
        The same as in ArviZ. The chains have not mixed if it is above 1.01. For a
        single chain it compares its halves. NaN if all draws are equal.

    Raises
    ------
    ValueError
        There are fewer than four draws, or one is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.metrics import r_hat
    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(r_hat(x) < 1.01)
    True
    >>> x[0] += 3
    >>> bool(r_hat(x) > 1.2)
    True
    """
    return each(reduction, checked(chains))


def checked(chains, min_draws=MIN_DRAWS):
    """Validated chains: finite, two- or three-dimensional, and long enough."""
    chains = as_numbers(chains, "chains", _WHO, allow_nd=True)
    refuse_huge(chains, "chains")
    if chains.ndim > 3:
        raise ValueError(
            "chains must have the shape (n_chains, n_draws) or (n_chains, n_draws, "
            f"n_quantities); got {chains.shape}."
        )
    if chains.shape[1] < min_draws:
        raise ValueError(
            f"chains have {chains.shape[1]} draws each, but at least {min_draws} are "
            "needed."
        )
    return chains


def each(figure, chains):
    """Apply a diagnostic to 2-D chains, or to each quantity of 3-D chains."""
    if chains.ndim == 2:
        return figure(chains)
    return np.array([figure(chains[..., k]) for k in range(chains.shape[2])])


def _split(chains):
    """First and second halves of chains, without the middle of an odd number."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _normal_scores(chains):
    """Rank-normalized draws: normal quantiles of the pooled ranks."""
    ranks = rankdata(chains).reshape(chains.shape)
    return ndtri((ranks - 0.375) / (chains.size + 0.25))


def _variances(chains):
    """Within-chain variance, and the pooled estimate of the total variance."""
    n = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean()
    between = chains.mean(axis=1).var(ddof=1) if len(chains) > 1 else 0.0
    return within, within * (n - 1) / n + between


def _scale_reduction(chains):
    """R-hat without splitting or rank normalization; NaN if all draws are equal."""
    if np.ptp(chains) == 0:
        return np.nan
    within, total = _variances(chains)
    with np.errstate(divide="ignore"):
        return float(np.sqrt(total / within))


def _size(chains):
    """Effective sample size without splitting or rank normalization."""
    if np.ptp(chains) < np.finfo(float).resolution:
        return float(chains.size)
    n = chains.shape[1]
    covariance = autocovariance(chains).mean(axis=0)
    within, total = _variances(chains)
    rho = 1.0 - (within - covariance) / total
    rho[0] = 1.0
    last = max(0, -(-(n - 4) // 2))
    # Sums of adjacent autocorrelations of a reversible chain are positive and fall.
    pairs = rho[: 2 * last + 2].reshape(-1, 2).sum(axis=1)
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else last
    # The next even lag improves the estimate; after a negative pair only if positive.
    extra = rho[2 * end] if pairs[end] >= 0 else max(rho[2 * end], 0.0)
    time = 2.0 * np.minimum.accumulate(pairs[:end]).sum() + extra - 1.0
    return float(chains.size / max(time, 1.0 / np.log10(chains.size)))


def autocovariance(chains):
    """Autocovariance of each chain at every lag, by fast Fourier transforms."""
    n = chains.shape[1]
    size = next_fast_len(2 * n, real=True)
    spectrum = rfft(chains - chains.mean(axis=1, keepdims=True), size, axis=1)
    return irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n] / n


def still(chains):
    """Mask of the chains whose draws are all equal."""
    return np.ptp(chains, axis=1) == 0


def reduction(chains):
    """Rank-normalized split R-hat: the maximum for draws and for absolute deviations
    from the median."""
    halves = _split(chains)
    folded = np.abs(halves - np.median(halves))
    bulk, tails = (_scale_reduction(_normal_scores(part)) for part in (halves, folded))
    return float(np.fmax(bulk, tails))


def _in_bulk(chains):
    return _size(_normal_scores(_split(chains)))


def _in_tails(chains):
    ends = np.quantile(chains, [0.05, 0.95])
    return min(_size(_split(chains <= end).astype(float)) for end in ends)


def _of_mean(chains):
    return _size(_split(chains))


# Effective sample sizes by ``method``.
SIZES = {"bulk": _in_bulk, "tail": _in_tails, "mean": _of_mean}
