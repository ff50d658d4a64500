"""Whether two estimates of log Z agree, what is taken of them, and what to do."""

import numpy as np

MAX_GAP, MIN_ESS = 1.0, 10.0
# Standard errors.
_SURE = 3.0
# The mean squared z-score of column means above which samples are not like the data,
# and the difference that one of them then has at least. Where learning went well the
# former was at most 4, where it went wrong at least 40.
_UNLIKE, _APART = 10.0, 0.1


def agree(up, down, max_gap=MAX_GAP):
    """Whether both sides tell the same, from enough chains to be believed."""
    gap = abs(up.log_Z - down.log_Z)
    return gap <= max_gap and min(up.ess, down.ess) >= MIN_ESS


def settle(up, down, max_gap=MAX_GAP):
    """Log Z and its standard error from both sides."""
    if abs(up.log_Z - down.log_Z) <= max_gap:
        return (up.log_Z + down.log_Z) / 2, float(np.hypot(up.se, down.se) / 2)
    higher = max(up, down, key=lambda side: side.log_Z)
    return higher.log_Z, higher.se


def complaint(up, down, n_betas, max_gap):
    """What is wrong with two sides, and what to raise."""
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
    """Whether other chains found what both sides have missed.

    That they find less means nothing: they may not have arrived yet.
    """
    return other.log_Z - _SURE * other.se > upper


def missed(way, other, upper):
    """What to do then."""
    return (
        f"{way} chains give log Z {other.log_Z:.2f} ± {other.se:.2f}, above the "
        f"{upper:.2f} that annealed importance sampling gives at most, which so misses "
        "a part of the model, and overestimates likelihoods. Raise n_chains, n_steps."
    )


def unlike(means, known, n_samples):
    """Complaint about samples of a model whose means are not those of the data.

    At a maximum of the likelihood the two are equal, as the biases' gradient is their
    difference.

    Parameters
    ----------
    means : tuple of ndarray of shape (n_units,)
        Of each block, in independent samples of the model.
    known : tuple
        The same in the data, or None where they are not known.
    n_samples : int

    Returns
    -------
    complaint : str or None
    """
    for found, mean in zip(means, known):
        if not isinstance(mean, np.ndarray):
            continue
        apart = np.abs(found - mean)
        variance = np.maximum(mean * (1 - mean), 1 / n_samples) / n_samples
        worst = apart.argmax()
        if (apart**2 / variance).mean() > _UNLIKE and apart[worst] > _APART:
            return (
                f"samples of the model do not have the means of the data: unit {worst} "
                f"has {found[worst]:.2f} instead of {mean[worst]:.2f}. Much of the "
                "model's probability lies where no data are, which neither its "
                "training chains nor its pseudo-likelihood show. Lower learning_rate, "
                "or raise n_chains, n_steps or n_iter."
            )
    return None
