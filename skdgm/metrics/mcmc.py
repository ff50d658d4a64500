r"""How well Markov chains mix.

Of m chains of n draws, with within-chain variance W and
:math:`\widehat{\mathrm{var}}^+ = \frac{n-1}{n} W + \frac{1}{n} B`,

.. math:: \hat R = \sqrt{\frac{\widehat{\mathrm{var}}^+}{W}}, \qquad
   \hat\rho_t = 1 - \frac{W - \frac1m \sum_j s_j^2 \hat\rho_{t,j}}
   {\widehat{\mathrm{var}}^+}, \qquad
   \mathrm{ESS} = \frac{m n}{-1 + 2 \sum_t (\hat\rho_{2t} + \hat\rho_{2t+1})}

the last sum running while its terms are positive, and made monotone [1]_. Chains are
split in halves, and draws replaced by normal scores of their ranks, so that both
figures exist for any distribution [2]_.

References
----------
.. [1] Geyer (1992). Practical Markov chain Monte Carlo. Statistical Science.
.. [2] Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021). Rank-normalization,
   folding, and localization: an improved R-hat. Bayesian Analysis.
"""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.utils import check_array

# The fewest draws of a chain of which halves tell anything.
MIN_DRAWS = 4


def autocorrelation(chains):
    r"""Autocorrelation of each chain at every lag.

    .. math:: \hat\rho_t = \frac{\sum_s (x_s - \bar x)(x_{s+t} - \bar x)}
       {\sum_s (x_s - \bar x)^2}

    Parameters
    ----------
    chains : array-like of shape (n_chains, n_draws) or (n_draws,)

    Returns
    -------
    rho : ndarray of the same shape
        NaN of a chain that does not move.
    """
    chains = np.asarray(chains, dtype=float)
    rows = check_array(np.atleast_2d(chains), input_name="chains")
    covariance = _autocovariance(rows)
    variance = np.where(_still(rows), np.nan, covariance[:, 0])
    return (covariance / variance[:, None]).reshape(chains.shape)


def effective_sample_size(chains, *, method="bulk"):
    r"""How many independent draws are worth as much.

    Parameters
    ----------
    chains : array-like of shape (n_chains, n_draws)
    method : {"bulk", "tail", "mean"}, default="bulk"
        For the bulk of the distribution, by ranks; for its tails, the lower of the
        5 % and the 95 % quantiles; or for the mean of the draws as they are.

    Returns
    -------
    ess : float
        Equal to that of ArviZ. If nothing moves, the number of draws.

    Raises
    ------
    ValueError
        There are fewer than four draws, or one is not finite; or the method is
        unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skdgm.metrics import effective_sample_size
    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(3000 < effective_sample_size(x) < 5000)
    True
    """
    chains = _checked(chains)
    if method == "bulk":
        return _ess(_normal_scores(_split(chains)))
    if method == "mean":
        return _ess(_split(chains))
    if method == "tail":
        ends = np.quantile(chains, [0.05, 0.95])
        return min(_ess(_split(chains <= end).astype(float)) for end in ends)
    raise ValueError(f"method must be 'bulk', 'tail' or 'mean', not {method!r}.")


def r_hat(chains):
    r"""Potential scale reduction: near 1 where all chains tell the same.

    The larger one of the draws' ranks and of those of their distances from the median.

    Parameters
    ----------
    chains : array-like of shape (n_chains, n_draws)

    Returns
    -------
    r_hat : float
        Equal to that of ArviZ; above 1.01 chains have not mixed. Of a single chain,
        that of its halves. NaN if nothing moves.

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
    >>> bool(r_hat(x) > 1.5)
    True
    """
    halves = _split(_checked(chains))
    folded = np.abs(halves - np.median(halves))
    bulk, tails = (_r_hat(_normal_scores(part)) for part in (halves, folded))
    return float(np.fmax(bulk, tails))


def _checked(chains):
    chains = check_array(chains, dtype=float, input_name="chains")
    if chains.shape[1] < MIN_DRAWS:
        raise ValueError(
            f"chains have {chains.shape[1]} draws each, but at least {MIN_DRAWS} are "
            "needed."
        )
    return chains


def _split(chains):
    """Halves of chains, without the one in the middle."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _normal_scores(chains):
    ranks = rankdata(chains).reshape(chains.shape)
    return ndtri((ranks - 0.375) / (chains.size + 0.25))


def _variances(chains):
    """Within chains, and of all draws."""
    n = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean()
    between = chains.mean(axis=1).var(ddof=1) if len(chains) > 1 else 0.0
    return within, within * (n - 1) / n + between


def _r_hat(chains):
    if np.ptp(chains) == 0:
        return np.nan
    within, total = _variances(chains)
    with np.errstate(divide="ignore"):
        return float(np.sqrt(total / within))


def _ess(chains):
    if np.ptp(chains) < np.finfo(float).resolution:
        return float(chains.size)
    n = chains.shape[1]
    covariance = _autocovariance(chains).mean(axis=0)
    within, total = _variances(chains)
    rho = 1.0 - (within - covariance) / total
    rho[0] = 1.0
    last = max(0, -(-(n - 4) // 2))
    # Of a reversible chain the sums of neighbours are positive, and fall.
    pairs = rho[: 2 * last + 2].reshape(-1, 2).sum(axis=1)
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else last
    time = 2.0 * np.minimum.accumulate(pairs[:end]).sum() + max(rho[2 * end], 0.0) - 1.0
    return float(chains.size / max(time, 1.0 / np.log10(chains.size)))


def _autocovariance(chains):
    """At each lag, by Fourier transforms."""
    n = chains.shape[1]
    size = next_fast_len(2 * n, real=True)
    spectrum = rfft(chains - chains.mean(axis=1, keepdims=True), size, axis=1)
    return irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n] / n


def _still(chains):
    """Which chains do not move."""
    return np.ptp(chains, axis=1) == 0
