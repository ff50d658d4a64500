"""Variances within and between Markov chains, and the mixing diagnostics computed from
them for :mod:`skdgm.metrics.mcmc`."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.utils import check_array

# Minimum number of draws of a chain that is split in halves.
MIN_DRAWS = 4


def checked(chains, min_draws=MIN_DRAWS):
    """Validated chains: finite, of two or three dimensions, and long enough."""
    chains = check_array(chains, dtype=float, allow_nd=True, input_name="chains")
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
    """Diagnostic of 2-D chains, or an array of those of each quantity of 3-D chains."""
    if chains.ndim == 2:
        return figure(chains)
    return np.array([figure(chains[..., k]) for k in range(chains.shape[2])])


def _split(chains):
    """First and second halves of chains, without the middle draw of an odd number."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _normal_scores(chains):
    """Rank-normalised draws: normal quantiles of the pooled ranks."""
    ranks = rankdata(chains).reshape(chains.shape)
    return ndtri((ranks - 0.375) / (chains.size + 0.25))


def _variances(chains):
    """Within-chain variance, and the pooled estimate of the total variance."""
    n = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean()
    between = chains.mean(axis=1).var(ddof=1) if len(chains) > 1 else 0.0
    return within, within * (n - 1) / n + between


def _scale_reduction(chains):
    """R-hat without splitting or rank normalisation; NaN if all draws are equal."""
    if np.ptp(chains) == 0:
        return np.nan
    within, total = _variances(chains)
    with np.errstate(divide="ignore"):
        return float(np.sqrt(total / within))


def _size(chains):
    """Effective sample size without splitting or rank normalisation."""
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
    # The next even lag improves the estimate; of a negative pair only if positive.
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
    """Rank-normalised split R-hat: the larger one of the draws and of their absolute
    deviations from the median."""
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
