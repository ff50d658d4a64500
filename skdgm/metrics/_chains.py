"""Variances along and between Markov chains, of which :mod:`skdgm.metrics.mcmc` makes
its figures."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.utils import check_array

# The fewest draws of a chain of which halves tell anything.
MIN_DRAWS = 4


def checked(chains, min_draws=MIN_DRAWS):
    """Chains that are long enough, and finite."""
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
    """A figure of chains, or of each of the quantities that they are of."""
    if chains.ndim == 2:
        return figure(chains)
    return np.array([figure(chains[..., k]) for k in range(chains.shape[2])])


def _split(chains):
    """Halves of chains, without the one in the middle."""
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, -half:]])


def _normal_scores(chains):
    """Draws replaced by normal scores of their ranks."""
    ranks = rankdata(chains).reshape(chains.shape)
    return ndtri((ranks - 0.375) / (chains.size + 0.25))


def _variances(chains):
    """Within chains, and of all draws."""
    n = chains.shape[1]
    within = chains.var(axis=1, ddof=1).mean()
    between = chains.mean(axis=1).var(ddof=1) if len(chains) > 1 else 0.0
    return within, within * (n - 1) / n + between


def _scale_reduction(chains):
    """R-hat of chains as they are."""
    if np.ptp(chains) == 0:
        return np.nan
    within, total = _variances(chains)
    with np.errstate(divide="ignore"):
        return float(np.sqrt(total / within))


def _size(chains):
    """Effective sample size of chains as they are."""
    if np.ptp(chains) < np.finfo(float).resolution:
        return float(chains.size)
    n = chains.shape[1]
    covariance = autocovariance(chains).mean(axis=0)
    within, total = _variances(chains)
    rho = 1.0 - (within - covariance) / total
    rho[0] = 1.0
    last = max(0, -(-(n - 4) // 2))
    # Of a reversible chain the sums of neighbours are positive, and fall.
    pairs = rho[: 2 * last + 2].reshape(-1, 2).sum(axis=1)
    end = int(np.argmax(pairs <= 0)) if (pairs <= 0).any() else last
    # One more term makes it more accurate, where it is not that of a negative sum.
    extra = rho[2 * end] if pairs[end] >= 0 else max(rho[2 * end], 0.0)
    time = 2.0 * np.minimum.accumulate(pairs[:end]).sum() + extra - 1.0
    return float(chains.size / max(time, 1.0 / np.log10(chains.size)))


def autocovariance(chains):
    """At each lag, by Fourier transforms."""
    n = chains.shape[1]
    size = next_fast_len(2 * n, real=True)
    spectrum = rfft(chains - chains.mean(axis=1, keepdims=True), size, axis=1)
    return irfft(np.abs(spectrum) ** 2, size, axis=1)[:, :n] / n


def still(chains):
    """Which chains do not move."""
    return np.ptp(chains, axis=1) == 0


def reduction(chains):
    """R-hat by ranks: of the draws, or of their distances from the median."""
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


# Effective sample sizes, by what they are for.
SIZES = {"bulk": _in_bulk, "tail": _in_tails, "mean": _of_mean}
