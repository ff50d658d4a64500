r"""Importance-sampling estimates of log Z, and checks of their reliability.

.. math:: \log \hat Z = \log \frac1n \sum_k w_k, \qquad
   \mathrm{ESS} = \frac{(\sum_k w_k)^2}{\sum_k w_k^2}
"""

from typing import NamedTuple

import numpy as np

from skdgm.utils.math import log_mean_exp

N_BOOTSTRAPS = 1000
MAX_GAP, MIN_ESS = 1.0, 10.0
# Maximum standard error of log Z, in nats, at which a brief run may suffice.
MAX_SE = 0.07
# Number of standard errors of a significant difference.
_SURE = 3.0
# Samples differ from the data if the mean squared z-score of column means exceeds the
# first number, and the maximum difference the second. The score was at most 4 where
# learning succeeded, and at least 40 where it failed.
_MAX_SCORE, _MAX_DIFFERENCE = 10.0, 0.1


class Estimate(NamedTuple):
    """Estimate of log Z.

    Parameters
    ----------
    log_Z : float
    se : float
        Standard error, by the delta method.
    ess : float
        Effective sample size of the weights.
    log_w : ndarray of shape (n_chains,)
        Log Z by each chain: the base model's log Z plus the log weight, or minus the
        log weight for reverse annealing.
    """

    log_Z: float
    se: float
    ess: float
    log_w: np.ndarray


def of_weights(log_w, log_Z_0, sign=1.0):
    """Estimate log Z from log weights and the log Z_0 of the base model. The mean
    weight estimates Z / Z_0, or Z_0 / Z if ``sign`` is -1."""
    mean, se = log_mean_exp(log_w)
    ess = len(log_w) ** 2 / (np.exp(log_w - mean) ** 2).sum()
    log_Z = log_Z_0 + sign * mean
    return Estimate(float(log_Z), float(se), float(ess), log_Z_0 + sign * log_w)


def interval(log_w, rng, confidence, sign=1.0):
    """Bootstrap interval of log Z, a pair, from the ``log_w`` of an :class:`Estimate`;
    ``sign`` is as for :func:`of_weights`."""
    highest = (sign * log_w).max()
    # Weights of a bootstrap sample without the heaviest chains may underflow.
    w = np.maximum(np.exp(sign * log_w - highest), np.finfo(np.float64).tiny)
    drawn = rng.multinomial(len(w), np.full(len(w), 1 / len(w)), N_BOOTSTRAPS)
    log_Z = sign * (np.log(drawn @ w / len(w)) + highest)
    tail = (1.0 - confidence) / 2
    return tuple(np.quantile(log_Z, [tail, 1 - tail]).tolist())


def agree(up, down, max_gap=MAX_GAP):
    """Return whether forward and reverse estimates differ by at most ``max_gap`` nats,
    and both have an effective sample size of at least ``MIN_ESS``."""
    gap = abs(up.log_Z - down.log_Z)
    return gap <= max_gap and min(up.ess, down.ess) >= MIN_ESS


def consistent(one, other):
    """Return whether two estimates differ by at most three standard errors."""
    se = np.hypot(one.se, other.se)
    return bool(abs(one.log_Z - other.log_Z) <= _SURE * se)


def combined(up, down, max_gap=MAX_GAP):
    """Combine forward and reverse estimates into log Z and its standard error: their
    mean, or the higher estimate if they differ by more than ``max_gap`` nats."""
    if abs(up.log_Z - down.log_Z) <= max_gap:
        return (up.log_Z + down.log_Z) / 2, float(np.hypot(up.se, down.se) / 2)
    higher = max(up, down, key=lambda side: side.log_Z)
    return higher.log_Z, higher.se


def complaint(up, down, n_betas, max_gap):
    """Warning text for estimates that disagree, with the options to increase."""
    gap = down.log_Z - up.log_Z
    text = (
        f"forward and reverse annealed importance sampling give log Z {up.log_Z:.1f} "
        f"and {down.log_Z:.1f}, which differ by {abs(gap):.1f} nats, with "
        f"{up.ess:.0f} and {down.ess:.0f} of {len(up.log_w)} chains that count."
    )
    if gap < -max_gap:
        return (
            f"{text} The reverse side is the lower one: the model mixes badly, and "
            "chains do not reach all of it. The higher one is taken, so that "
            "likelihoods are not overestimated. Raise burn_in and n_steps."
        )
    enough = 100 * int(np.ceil(n_betas * min(10.0, max(2.0, gap / max_gap)) / 100))
    taken = " The higher one is taken." if gap > max_gap else ""
    return f"{text}{taken} Raise n_betas, to {enough} say, or n_chains."


def exceeds(other, upper, n_errors=_SURE):
    """Return whether log Z of other chains, less ``n_errors`` standard errors, exceeds
    ``upper``, the upper end of the bracket. A lower log Z is not evidence, since the
    chains may not have converged."""
    return other.log_Z - n_errors * other.se > upper


def missed(way, other, upper):
    """Warning text for other chains that exceed the bracket, with advice."""
    return (
        f"{way} chains give log Z {other.log_Z:.2f} ± {other.se:.2f}, above the "
        f"{upper:.2f} that annealed importance sampling gives at most, which so misses "
        "a part of the model, and overestimates likelihoods. Raise n_chains, n_steps."
    )


def elsewhere(log_Z, other):
    """Warning text for a log Z from the most probable states that exceeds log Z from
    the training chains."""
    return (
        f"chains from the most probable states give log Z {other:.1f}, those from the "
        f"training chains {log_Z:.1f}: most of the probability lies where the latter "
        "never are. The higher one is taken, so that likelihoods are not too high. Fit "
        "with a lower learning_rate, or more n_temperatures or n_steps."
    )


def below(floor, upper):
    """Warning text for a sum over states that exceeds the estimate."""
    return (
        f"log Z is at least {floor:.1f} by the states that were found, above the "
        f"{upper:.1f} that annealed importance sampling gives at most. The bound is "
        "taken, and likelihoods may be lower still. Fit with a lower learning_rate, or "
        "more n_temperatures or n_steps."
    )


def unlike(found, mean, n_samples):
    """Warning text for samples whose means differ from those of the data, which are NaN
    where nothing was observed; None if they are similar.

    At a maximum of the likelihood the means are equal, since their difference is the
    gradient with respect to the biases.
    """
    mean = np.where(np.isnan(mean), found, mean)
    apart = np.abs(found - mean)
    variance = np.maximum(mean * (1 - mean), 1 / n_samples) / n_samples
    worst = apart.argmax()
    if (apart**2 / variance).mean() <= _MAX_SCORE or apart[worst] <= _MAX_DIFFERENCE:
        return None
    return (
        f"samples of the model do not have the means of the data: column {worst} has "
        f"{found[worst]:.2f} instead of {mean[worst]:.2f}. Much of the model's "
        "probability lies where no data are, which neither its training chains nor "
        "its pseudo-likelihood show. Lower learning_rate, or raise n_chains, n_steps "
        "or n_iter."
    )
