r"""Proposals of latent units that adapt to rows, by population Monte Carlo.

.. math:: g_t = \text{moments of draws } z_k \text{ with weights } w_k^{\beta_t}, \qquad
   w_k = \frac{p(x_\text{seen}, z_k)}{\sum_{s < t} n_s \, g_s(z_k)}

Draws of all rounds are weighted as those of one mixture [1]_. The power :math:`\beta_t`
is the greatest for which enough of them count; it rises to 1 as proposals come nearer.

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

# Most rounds; effective number of draws by which a round's proposal is learned; by how
# much its variance is more; least variance, and least share of either value of a bit.
_ROUNDS, _COUNT, _WIDER, _LEAST, _RARE = 24, 12, 1.2, 1e-4, 0.05
# Most units whose correlations are learned; steps in search of a power.
_CORRELATED, _HALVINGS = 64, 20
# Log weight of draws that have none.
NONE = -1e300


class Proposal(ABC):
    """Distribution of all latent units of each row, by moments of weighted draws.

    ``fitted`` makes one of draws, (n_rows, n_draws, n_units), and weights that sum to 1
    for each row; ``take`` returns that of some rows.
    """

    @classmethod
    @abstractmethod
    def fitted(cls, z, w):
        """Proposal with the moments of weighted draws."""

    @abstractmethod
    def draw(self, rng, n_each):
        """Draws, (n_rows, n_each, n_units), with a stream for each row."""

    @abstractmethod
    def log_prob(self, z):
        """Log density or probability of values, (n_rows, n_draws)."""

    def take(self, index):
        """Proposal of the rows at an index."""
        return self._make(part[index] for part in self)


class _Normal(NamedTuple):
    mean: np.ndarray
    factor: np.ndarray
    inverse: np.ndarray


class NormalProposal(_Normal, Proposal):
    """Normal distribution, with correlations of up to 64 units, which are shrunk where
    few draws count; ``factor`` is triangular, or has deviations, (n_rows, 1, n_units).
    """

    __slots__ = ()

    @classmethod
    def fitted(cls, z, w):
        mean, n = np.einsum("rk,rki->ri", w, z), z.shape[2]
        gap = z - mean[:, None]
        if n > _CORRELATED:
            S = np.einsum("rk,rki->ri", w, gap**2)[:, None]
            factor = np.sqrt(_WIDER * S + _LEAST)
            return cls(mean, factor, 1 / factor)
        S = (w[:, :, None] * gap).swapaxes(1, 2) @ gap
        kept = 1 / (1 + 0.5 * n * (w**2).sum(axis=1))
        S *= np.where(np.eye(n, dtype=bool), 1, kept[:, None, None])
        factor = np.linalg.cholesky(_WIDER * S + _LEAST * np.eye(n))
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
        scale = np.log(diagonal).sum(axis=2) - 0.5 * n * np.log(2 * np.pi)
        return scale - 0.5 * (noise**2).sum(axis=2)


def _times(noise, factor):
    """Products of rows and triangular factors, or with deviations."""
    if factor.shape[1] == 1:
        return noise * factor
    return noise @ factor.swapaxes(1, 2)


class _Bits(NamedTuple):
    odds: np.ndarray


class BitProposal(_Bits, Proposal):
    """Independent bits, by their log odds."""

    __slots__ = ()

    @classmethod
    def fitted(cls, z, w):
        p = np.einsum("rk,rki->ri", w, z)
        return cls(logit(p.clip(_RARE, 1 - _RARE)))

    def draw(self, rng, n_each):
        noise = rng.uniform(n_each * self.odds.shape[1])
        noise = noise.reshape(len(self.odds), n_each, -1)
        return (noise < expit(self.odds)[:, None]).astype(float)

    def log_prob(self, z):
        by_bit = (z @ self.odds[:, :, None])[..., 0]
        return by_bit - softplus(self.odds).sum(axis=1)[:, None]


class Pool(NamedTuple):
    """Draws of latent units of rows, (n_rows, n_draws, n_units), with log p(x, z), log
    densities of the mixture that they are drawn from, and numbers of draws,
    (n_rows,)."""

    z: np.ndarray
    log_p: np.ndarray
    log_mix: np.ndarray
    number: np.ndarray

    def joined(self, other, most):
        """Draws of two pools, of which those of most weight are kept."""
        z, log_p, log_mix = (
            np.concatenate(pair, axis=1) for pair in zip(self[:3], other[:3])
        )
        if z.shape[1] > most:
            order = np.argsort(log_mix - log_p, axis=1, kind="stable")[:, :most]
            each = np.arange(len(order))[:, None]
            z, log_p, log_mix = (part[each, order] for part in (z, log_p, log_mix))
        return Pool(z, log_p, log_mix, self.number + other.number)

    def take(self, index):
        """Draws of the rows at an index."""
        return Pool._make(part[index] for part in self)


def adapted(kind, pool, draw, n_each, least):
    """Proposal of a ``kind`` for each row of a pool, learned in rounds of ``n_each``
    draws until the effective number of all is ``least``.

    ``draw(index, proposal, number)`` returns ``n_each`` draws of latent units for each
    of the rows at an index in a round of some number, and log p(x, z) of these.
    """
    index, finished, proposals = np.arange(len(pool.z)), [], []
    z, log_p = pool.z, pool.log_p
    # Logs of the sum of the densities of all proposals, each times its number of draws.
    log_base = np.log(pool.number)
    log_mix = pool.log_mix + log_base[:, None]
    for number in range(_ROUNDS):
        log_w = weights_of(log_p - log_mix)
        if number:
            goes = effective_number(log_w) < least
            finished.append((index[~goes], proposals[-1].take(~goes)))
            proposals = [proposal.take(goes) for proposal in proposals]
            parts = index, z, log_p, log_mix, log_w, log_base
            index, z, log_p, log_mix, log_w, log_base = (part[goes] for part in parts)
            if not index.size:
                break
        beta = _power(log_w, min(_COUNT, n_each / 4))
        w = np.exp(beta[:, None] * (log_w - log_w.max(axis=1, keepdims=True)))
        proposals.append(kind.fitted(z, w / w.sum(axis=1, keepdims=True)))
        new, log_new = draw(index, proposals[-1], number)
        log_each = np.log(n_each)
        log_mix = np.logaddexp(log_mix, proposals[-1].log_prob(z) + log_each)
        of_new = [proposal.log_prob(new) + log_each for proposal in proposals]
        z, log_p = np.concatenate([z, new], axis=1), np.concatenate([log_p, log_new], 1)
        log_mix = np.concatenate([log_mix, logsumexp(of_new, axis=0)], axis=1)
    if index.size:
        finished.append((index, proposals[-1]))
    indices, proposals = zip(*finished)
    order = np.argsort(np.concatenate(indices))
    return kind._make(np.concatenate(part)[order] for part in zip(*proposals))


def weights_of(log_w):
    """Log weights, those without weight or value as very low ones."""
    return np.nan_to_num(log_w, nan=NONE, neginf=NONE)


def effective_number(log_w):
    """Effective number of draws of each row, by log weights, (n_rows, n_draws)."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w.sum(axis=1) ** 2 / (w**2).sum(axis=1)


def _power(log_w, least):
    """Greatest power of the weights of each row, up to 1, by which the effective number
    of draws is not below a number."""
    low, high = np.zeros(len(log_w)), np.ones(len(log_w))
    whole = effective_number(log_w) >= least
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        enough = effective_number(middle[:, None] * log_w) >= least
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return np.where(whole, 1.0, low)
