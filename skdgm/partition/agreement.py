"""Agreement of two estimates of log Z, their combination, and texts of warnings."""

import numpy as np

MAX_GAP, MIN_ESS = 1.0, 10.0
# Number of standard errors.
_SURE = 3.0
# Samples differ from the data above this mean squared z-score of column means, if one
# of these differs by at least so much. The score was at most 4 where learning
# succeeded, and at least 40 where it failed.
_UNLIKE, _APART = 10.0, 0.1


def agree(up, down, max_gap=MAX_GAP):
    """Return whether both sides differ by at most ``max_gap`` nats, and each has an
    effective sample size of at least ``MIN_ESS``.

    Parameters
    ----------
    up, down : Estimate
        By forward and by reverse annealed importance sampling.
    max_gap : float, default=1.0

    Returns
    -------
    agrees : bool
    """
    gap = abs(up.log_Z - down.log_Z)
    return gap <= max_gap and min(up.ess, down.ess) >= MIN_ESS


def settle(up, down, max_gap=MAX_GAP):
    """Combine both sides: their mean, or the higher one if they are too far apart.

    Parameters
    ----------
    up, down, max_gap
        As for :func:`agree`.

    Returns
    -------
    log_Z : float
    se : float
        Its standard error.
    """
    if abs(up.log_Z - down.log_Z) <= max_gap:
        return (up.log_Z + down.log_Z) / 2, float(np.hypot(up.se, down.se) / 2)
    higher = max(up, down, key=lambda side: side.log_Z)
    return higher.log_Z, higher.se


def complaint(up, down, n_betas, max_gap):
    """Text of a warning about two sides that disagree, with the options to raise."""
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


def exceeds(other, upper):
    """Return whether other chains found a part of the model that both sides missed.

    True if their log Z less three standard errors is above ``upper``, the upper end of
    the bracket. A lower one means nothing: the chains may not have arrived yet.
    """
    return other.log_Z - _SURE * other.se > upper


def missed(way, other, upper):
    """Text of a warning for that case, with the options to raise."""
    return (
        f"{way} chains give log Z {other.log_Z:.2f} ± {other.se:.2f}, above the "
        f"{upper:.2f} that annealed importance sampling gives at most, which so misses "
        "a part of the model, and overestimates likelihoods. Raise n_chains, n_steps."
    )


def unlike(found, mean, n_samples):
    """Text of a warning about samples whose means are not those of the data.

    At a maximum of the likelihood the two are equal, as their difference is the
    gradient of the biases.

    Parameters
    ----------
    found : ndarray of shape (n_columns,)
        Means of independent samples of the model.
    mean : ndarray of shape (n_columns,)
        Means of the training rows; NaN where nothing was observed.
    n_samples : int

    Returns
    -------
    complaint : str or None
        None if the means are similar.
    """
    mean = np.where(np.isnan(mean), found, mean)
    apart = np.abs(found - mean)
    variance = np.maximum(mean * (1 - mean), 1 / n_samples) / n_samples
    worst = apart.argmax()
    if (apart**2 / variance).mean() <= _UNLIKE or apart[worst] <= _APART:
        return None
    return (
        f"samples of the model do not have the means of the data: column {worst} has "
        f"{found[worst]:.2f} instead of {mean[worst]:.2f}. Much of the model's "
        "probability lies where no data are, which neither its training chains nor "
        "its pseudo-likelihood show. Lower learning_rate, or raise n_chains, n_steps "
        "or n_iter."
    )
