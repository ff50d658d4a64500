r"""Proposals of latent units that adapt to each row, by population Monte Carlo.

.. math:: g_t = \text{moments of draws } z_k \text{ with weights } w_k^{\beta_t}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}{\sum_{s < t} n_s \, g_s(z_k)}

The draws of all rounds are weighted as draws of their mixture [1]_. The power
:math:`\beta_t` is the largest for which the effective number of draws is sufficient; it
rises to 1 as proposals improve.

References
----------
.. [1] Cornuet, Marin, Mira and Robert (2012). Adaptive multiple importance sampling.
   Scandinavian Journal of Statistics.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit, logsumexp

from skdgm.utils.math import softplus

# Most rounds; effective number of draws that determines the power; inflation and floor
# of variances; smallest probability of either value of a bit.
_ROUNDS = 24
_POWER_ESS = 12
_INFLATION = 1.2
_MIN_VARIANCE = 1e-4
_MIN_PROBABILITY = 0.05
# Largest number of units with learned correlations; bisection steps for the power.
_CORRELATED, _HALVINGS = 64, 20
# Log-weight in place of minus infinity.
NONE = -1e300


class Proposal(ABC):
    """Distribution of all latent units of each row, fitted to weighted draws."""

    @classmethod
    @abstractmethod
    def fitted(cls, z, w):
        """Proposal with the moments of draws z, (n_rows, n_draws, n_units), with
        weights w that sum to 1 in each row."""

    @abstractmethod
    def draw(self, rng, n_each):
        """Draw latent units, (n_rows, n_each, n_units), with a random stream for each
        row."""

    @abstractmethod
    def log_prob(self, z):
        """Log-density or log-probability of z, (n_rows, n_draws)."""

    def take(self, index):
        """Proposal of the rows at an index."""
        return self._make(array[index] for array in self)


class _Normal(NamedTuple):
    mean: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray


class NormalProposal(_Normal, Proposal):
    """Normal distribution; correlations of up to 64 units are shrunk if the effective
    number of draws is small. ``factor`` is triangular, or has standard deviations,
    (n_rows, 1, n_units)."""

    __slots__ = ()

    @classmethod
    def fitted(cls, z, w):
        mean, n = np.einsum("rk,rki->ri", w, z), z.shape[2]
        gap = z - mean[:, None]
        if n > _CORRELATED:
            S = np.einsum("rk,rki->ri", w, gap**2)[:, None]
            factor = np.sqrt(_INFLATION * S + _MIN_VARIANCE)
            return cls(mean, factor, 1 / factor)
        S = (w[:, :, None] * gap).swapaxes(1, 2) @ gap
        shrinkage = 1 / (1 + 0.5 * n * (w**2).sum(axis=1))
        S *= np.where(np.eye(n, dtype=bool), 1, shrinkage[:, None, None])
        factor = np.linalg.cholesky(_INFLATION * S + _MIN_VARIANCE * np.eye(n))
        return cls(mean, factor, np.linalg.inv(factor))

    def draw(self, rng, n_each):
        noise = rng.normal(n_each * self.mean.shape[1])
        noise = noise.reshape(len(self.mean), n_each, -1)
        return self.mean[:, None] + _times(noise, self.factor)

    def log_prob(self, z):
        noise, n = _times(z - self.mean[:, None], self.inverse), z.shape[2]
        diagonal = self.inverse
        if diagonal.shape[1] > 1:
            diagonal = np.diagonal(diagonal, axis1=1, axis2=2)[:, None]
        log_scale = np.log(diagonal).sum(axis=2) - 0.5 * n * np.log(2 * np.pi)
        return log_scale - 0.5 * (noise**2).sum(axis=2)


def _times(noise, factor):
    """Multiply noise by triangular factors or by standard deviations."""
    if factor.shape[1] == 1:
        return noise * factor
    return noise @ factor.swapaxes(1, 2)


class _Bits(NamedTuple):
    odds: np.ndarray


class BitProposal(_Bits, Proposal):
    """Independent bits with log-odds ``odds``, (n_rows, n_units)."""

    __slots__ = ()

    @classmethod
    def fitted(cls, z, w):
        p = np.einsum("rk,rki->ri", w, z)
        return cls(logit(p.clip(_MIN_PROBABILITY, 1 - _MIN_PROBABILITY)))

    def draw(self, rng, n_each):
        noise = rng.uniform(n_each * self.odds.shape[1])
        noise = noise.reshape(len(self.odds), n_each, -1)
        return (noise < expit(self.odds)[:, None]).astype(float)

    def log_prob(self, z):
        by_bit = (z @ self.odds[:, :, None])[..., 0]
        return by_bit - softplus(self.odds).sum(axis=1)[:, None]


class Pool(NamedTuple):
    """Draws of latent units, (n_rows, n_draws, n_units), log p(x, z) and log-densities
    of their proposal mixture, (n_rows, n_draws), and total numbers of draws, (n_rows,).
    """

    z: np.ndarray
    log_p: np.ndarray
    log_mix: np.ndarray
    number: np.ndarray

    def joined(self, other, max_draws):
        """Union of two pools, reduced to the ``max_draws`` draws of the largest
        weight."""
        z, log_p, log_mix = (
            np.concatenate(pair, axis=1) for pair in zip(self[:3], other[:3])
        )
        if z.shape[1] > max_draws:
            order = np.argsort(log_mix - log_p, axis=1, kind="stable")[:, :max_draws]
            rows = np.arange(len(order))[:, None]
            z, log_p, log_mix = (array[rows, order] for array in (z, log_p, log_mix))
        return Pool(z, log_p, log_mix, self.number + other.number)

    def take(self, index):
        """Pool of the rows at an index."""
        return Pool._make(array[index] for array in self)


def adapted(kind, pool, draw, n_each, min_ess):
    """Proposal of a ``kind`` for each row of a pool, adapted in rounds of ``n_each``
    draws until the effective number of draws reaches ``min_ess``. ``draw(index,
    proposal, number)`` returns ``n_each`` draws for each row at an index, and their log
    p(x, z).
    """
    index, finished, proposals = np.arange(len(pool.z)), [], []
    z, log_p = pool.z, pool.log_p
    # Log of the sum over proposals of density times number of draws.
    log_base = np.log(pool.number)
    log_mix = pool.log_mix + log_base[:, None]
    for number in range(_ROUNDS):
        log_w = weights_of(log_p - log_mix)
        if number:
            active = effective_number(log_w) < min_ess
            finished.append((index[~active], proposals[-1].take(~active)))
            proposals = [proposal.take(active) for proposal in proposals]
            arrays = index, z, log_p, log_mix, log_w, log_base
            index, z, log_p, log_mix, log_w, log_base = (
                array[active] for array in arrays
            )
            if not index.size:
                break
        beta = _power(log_w, min(_POWER_ESS, n_each / 4))
        w = np.exp(beta[:, None] * (log_w - log_w.max(axis=1, keepdims=True)))
        proposals.append(kind.fitted(z, w / w.sum(axis=1, keepdims=True)))
        new, log_new = draw(index, proposals[-1], number)
        log_each = np.log(n_each)
        log_mix = np.logaddexp(log_mix, proposals[-1].log_prob(z) + log_each)
        log_proposals = [proposal.log_prob(new) + log_each for proposal in proposals]
        z, log_p = np.concatenate([z, new], axis=1), np.concatenate([log_p, log_new], 1)
        log_mix = np.concatenate([log_mix, logsumexp(log_proposals, axis=0)], axis=1)
    if index.size:
        finished.append((index, proposals[-1]))
    indices, proposals = zip(*finished)
    order = np.argsort(np.concatenate(indices))
    return kind._make(np.concatenate(array)[order] for array in zip(*proposals))


def weights_of(log_w):
    """Log-weights with NaN and minus infinity replaced by a very low value."""
    return np.nan_to_num(log_w, nan=NONE, neginf=NONE)


def effective_number(log_w):
    """Effective number of draws of each row, given log-weights, (n_rows, n_draws)."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w.sum(axis=1) ** 2 / (w**2).sum(axis=1)


def _power(log_w, min_ess):
    """Largest power of the weights of each row, up to 1, with an effective number of
    draws of at least ``min_ess``."""
    low, high = np.zeros(len(log_w)), np.ones(len(log_w))
    full_power = effective_number(log_w) >= min_ess
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        enough = effective_number(middle[:, None] * log_w) >= min_ess
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.where(full_power, 1.0, low)
