r"""Bits that are flipped with rising probability, and turned back.

.. math:: P(z_t \ne x) = \tfrac12 (1 - \rho_t), \qquad \rho_t = 1 - t

so that at time 1 nothing is left of a row x [1]_. Given a distribution of the row by a
net, the distribution of each bit at an earlier time is known exactly:

.. math:: p(z_s \mid z_t) = \sum_x p(x \mid z_t) \,
   \frac{P(z_t \mid z_s) P(z_s \mid x)}{P(z_t \mid x)}

The net adds to the log odds of a row's bits given each flipped bit by itself,
:math:`\pm \log (2 - t) / t`. The bound on the log-likelihood in continuous time [2]_
compares the ratios S of the probabilities of rows with one bit flipped and as it is,
given x and by the net,

.. math:: -\log p(x) \le \mathbb{E}_{t, z_t} \sum_i \frac{1}{2 (1 - t)} \left[\hat S_i
   - S_i + S_i \log \frac{S_i}{\hat S_i} \right]

and is equal if the net's distributions are exact.

References
----------
.. [1] Sohl-Dickstein, Weiss, Maheswaranathan and Ganguli (2015). Deep unsupervised
   learning using nonequilibrium thermodynamics. ICML.
.. [2] Campbell, Benton, De Bortoli, Rainforth, Deligiannidis and Doucet (2022). A
   continuous time framework for discrete denoising models. NeurIPS.
"""

import numpy as np
from scipy.special import expit

# Times nearer to the ends are moved to here.
_END = 1e-5
# Most bits of which bounds are summed over both values of each.
BOTH = 24


def flipped(x, uniform, time, since=0.0):
    """Bits of rows at a time, (n_rows,) or one, given those at an earlier one; NaN
    where missing."""
    time, since = (np.reshape(t, (-1, 1)) for t in (time, since))
    left = (1 - time) / np.maximum(1 - since, _END)
    other = np.where(np.isnan(x), x, 1 - x)
    return np.where(uniform < 0.5 * (1 - left), other, x).astype(x.dtype)


def offset(z, time):
    """Log odds of bits of rows given each of z, bits at a time, by itself; 0 where
    missing."""
    time = np.reshape(time, (-1, 1)).clip(_END, 1 - _END)
    log_odds = (2 * z - 1) * (np.log(2 - time) - np.log(time))
    return np.where(np.isnan(z), 0.0, log_odds).astype(z.dtype)


def before(log_odds, z, now, after):
    """Probability that each bit is 1 at a time ``after``, earlier than ``now``, given
    bits z at ``now`` and the log odds of the row."""
    kept = (1 - now) / (1 - after)
    p, p_one = expit(log_odds), 0.0
    step = {True: 0.5 * (1 + kept), False: 0.5 * (1 - kept)}
    for x, share in ((0, 1 - p), (1, p)):
        ends = {v: 0.5 * (1 + (1 if v == x else -1) * (1 - after)) for v in (0, 1)}
        ways = {v: np.where(z == v, step[True], step[False]) * ends[v] for v in (0, 1)}
        p_one = p_one + share * ways[1] / np.maximum(ways[0] + ways[1], _END**2)
    return p_one


def bounded(odds_of, z, x, time):
    """Bound of the negative log-likelihood of rows x at uniform times of each,
    (n_rows,), given bits z at these times, and ``odds_of(z, time)``, the log odds of
    rows; NaN where missing.

    A flipped bit, of probability t / 2, has a term that grows as 1 / t. So the terms of
    few bits are summed over both values of each; for many bits, times near 0 are more
    frequent.
    """
    n = x.shape[1]
    if n > BOTH:
        return bound(odds_of(z, time), z, x, time).sum(axis=1)
    share = np.where(z == x, 1 - 0.5 * time[:, None], 0.5 * time[:, None])
    total = (share * bound(odds_of(z, time), z, x, time)).sum(axis=1)
    for j in range(n):
        other = z.copy()
        other[:, j] = 1 - z[:, j]
        each = bound(odds_of(other, time), other, x, time)
        total += (1 - share[:, j]) * each[:, j]
    return total


def spread(time, n):
    """Times for n bits, of uniform ones, and their weights."""
    return (time, 1.0) if n <= BOTH else (time**3, 3 * time**2)


def bound(log_odds, z, x, time):
    """Terms of the bound for each bit, by the arguments of :func:`bounded`."""
    time = time.clip(_END, 1 - _END)[:, None]
    log_ratio = np.log(time) - np.log(2 - time)
    same, p = z == x, expit(np.where(z == 1, log_odds, -log_odds).astype(np.float64))
    ratio = np.exp(np.where(same, log_ratio, -log_ratio))
    expected = p * np.exp(log_ratio) + (1 - p) * np.exp(-log_ratio)
    each = expected - ratio + ratio * (np.log(ratio) - np.log(expected))
    return np.where(np.isnan(x), 0.0, each) / (2 * (1 - time))
