r"""Discrete diffusion of bits, which flip with rising probability.

.. math:: P(z_t \ne x) = \tfrac12 (1 - \rho_t), \qquad \rho_t = 1 - t

At time 1 the bits z are independent of the row x [1]_. Given the net's distribution of
the row, each bit at an earlier time s has a known distribution:

.. math:: p(z_s \mid z_t) = \sum_x p(x \mid z_t) \,
   \frac{P(z_t \mid z_s) P(z_s \mid x)}{P(z_t \mid x)}

The net's outputs are added to the log-odds of each bit of x given the same bit of z,
:math:`\pm \log (2 - t) / t`. The bound on the log-likelihood in continuous time [2]_
compares the ratio :math:`S_i` of the probabilities of z with bit i flipped and of z
itself, given x, with the net's ratio :math:`\hat S_i`:

.. math:: -\log p(x) \le \mathbb{E}_{t, z_t} \sum_i \frac{1}{2 (1 - t)} \left[\hat S_i
   - S_i + S_i \log \frac{S_i}{\hat S_i} \right]

The bound is tight if the net's distributions are exact.

References
----------
.. [1] Sohl-Dickstein, Weiss, Maheswaranathan and Ganguli (2015). Deep unsupervised
   learning using nonequilibrium thermodynamics. ICML.
.. [2] Campbell, Benton, De Bortoli, Rainforth, Deligiannidis and Doucet (2022). A
   continuous time framework for discrete denoising models. NeurIPS.
"""

from itertools import pairwise

import numpy as np

from skdgm.utils import addresses
from skdgm.utils.math import sigmoid

# Smallest distance of times from 0 and 1.
_END = 1e-5
# Largest number of bits whose bounds sum over both values of each bit.
BOTH = 24
# Random streams of initial bits and of sampling steps.
_START, _STEP = addresses.DIFFUSION[0], addresses.DIFFUSION[2]


def flipped(x, uniform, time, since=0.0):
    """Flip bits x of the time ``since`` to a later time, a scalar or (n_rows,), given
    uniform random numbers; NaN where missing."""
    time, since = (np.reshape(t, (-1, 1)) for t in (time, since))
    decay = (1 - time) / np.maximum(1 - since, _END)
    other = np.where(np.isnan(x), x, 1 - x)
    return np.where(uniform < 0.5 * (1 - decay), other, x).astype(x.dtype)


def offset(z, time):
    """Log-odds of each bit of a row given only the same bit of z at a time; 0 where
    missing."""
    time = np.reshape(time, (-1, 1)).clip(_END, 1 - _END)
    log_odds = (2 * z - 1) * (np.log(2 - time) - np.log(time))
    return np.where(np.isnan(z), 0.0, log_odds).astype(z.dtype)


def reverse_probability(log_odds, z, time, next_time):
    """Probability that each bit is 1 at the earlier time ``next_time``, given bits z at
    time ``time`` and the log-odds of the bits of the row."""
    decay = (1 - time) / (1 - next_time)
    p, p_one = sigmoid(log_odds), 0.0
    step = {True: 0.5 * (1 + decay), False: 0.5 * (1 - decay)}
    for x, share in ((0, 1 - p), (1, p)):
        p_of = {v: 0.5 * (1 + (1 if v == x else -1) * (1 - next_time)) for v in (0, 1)}
        ways = {v: np.where(z == v, step[True], step[False]) * p_of[v] for v in (0, 1)}
        p_one = p_one + share * ways[1] / np.maximum(ways[0] + ways[1], _END**2)
    return p_one


def draw_by_reversal(log_odds_of, v, times, rng, n_resamplings):
    """Rows v with missing bits drawn by reversing the flips from the first of the
    decreasing ``times`` to the last. ``log_odds_of(z, time)`` returns the log-odds of
    the bits of rows. Known bits get the noise of each time, and steps are repeated
    ``n_resamplings`` times if there are any."""
    n, known = v.shape[1], ~np.isnan(v)
    z = (rng.fold(_START).uniform(n) < 0.5).astype(v.dtype)
    n_repeats = n_resamplings if known.any() else 1
    for k, (time, next_time) in enumerate(pairwise(times)):
        for repeat in range(n_repeats):
            streams = rng.fold(_STEP, k, repeat)
            p = reverse_probability(log_odds_of(z, time), z, time, next_time)
            drawn = streams.uniform(n) < p
            clamped = flipped(v, streams.fold(0).uniform(n), next_time)
            z = np.where(known, clamped, drawn).astype(v.dtype)
            if repeat + 1 < n_repeats:
                z = flipped(z, streams.fold(1).uniform(n), time, next_time)
    return np.where(known, v, z)


def bound_of_rows(odds_of, z, x, time):
    """Upper bound on the negative log-likelihood of rows x, given bits z at uniform
    times, (n_rows,); ``odds_of(z, time)`` returns the log-odds of the bits of rows. A
    flipped bit, of probability t / 2, has a term of order 1 / t. The terms of few bits
    are therefore summed over both values of each; with many bits, small times are
    sampled more often."""
    n = x.shape[1]
    if n > BOTH:
        return bound(odds_of(z, time), z, x, time).sum(axis=1)
    probability = np.where(z == x, 1 - 0.5 * time[:, None], 0.5 * time[:, None])
    total = (probability * bound(odds_of(z, time), z, x, time)).sum(axis=1)
    for j in range(n):
        flipped_z = z.copy()
        flipped_z[:, j] = 1 - z[:, j]
        flipped_bound = bound(odds_of(flipped_z, time), flipped_z, x, time)
        total += (1 - probability[:, j]) * flipped_bound[:, j]
    return total


def spread(time, n):
    """Times for n bits, from uniform times, and their importance weights."""
    return (time, 1.0) if n <= BOTH else (time**3, 3 * time**2)


def bound(log_odds, z, x, time):
    """Bound of each bit, (n_rows, n_bits); arguments as in :func:`bounded`."""
    time = time.clip(_END, 1 - _END)[:, None]
    log_ratio = np.log(time) - np.log(2 - time)
    same, p = z == x, sigmoid(np.where(z == 1, log_odds, -log_odds).astype(np.float64))
    ratio = np.exp(np.where(same, log_ratio, -log_ratio))
    expected = p * np.exp(log_ratio) + (1 - p) * np.exp(-log_ratio)
    each = expected - ratio + ratio * (np.log(ratio) - np.log(expected))
    return np.where(np.isnan(x), 0.0, each) / (2 * (1 - time))
