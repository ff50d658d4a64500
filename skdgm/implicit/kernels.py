r"""Kernels around draws, for columns of any type, and their bandwidths.

.. math:: \log \hat p(x) = \log \frac1m \sum_{i=1}^m \prod_j k_j(x_j, s_{ij})

for draws :math:`s_i` [1]_. Real columns have normal kernels of a common bandwidth, in
units of the model, which are truncated to [0, 1] in columns of probabilities,

.. math:: k(x, s) = \frac{\mathcal{N}(x; s, \sigma^2)}
   {\Phi((1 - s) / \sigma) - \Phi(-s / \sigma)},

and bits and columns of K categories have the kernels [2]_

.. math:: k(x, s) = \begin{cases} 1 - \lambda & x = s \\ \lambda / (K - 1) & \text{else}
   \end{cases}

Bandwidths maximize the leave-one-out likelihood of draws.

References
----------
.. [1] Parzen (1962). On estimation of a probability density function and mode. Annals
   of Mathematical Statistics.
.. [2] Aitchison and Aitken (1976). Multivariate binary discrimination by the kernel
   method. Biometrika.
"""

from hashlib import sha256

import numpy as np
from scipy.special import logsumexp, ndtr, ndtri

from skdgm.nets.discrepancy import squared_distances

# Number of draws for the choice of bandwidths.
_N_BANDWIDTH_DRAWS = 1000
# Candidate bandwidths, relative to the median distance to the nearest other draw; the
# smallest bandwidth; candidate probabilities of another category.
_WIDTHS, _MIN_WIDTH = np.logspace(-1.0, 0.75, 15), 1e-3
_LAMBDAS = np.logspace(-3, -0.4, 12)
# Cache of bandwidths by a digest of the draws, which are the same in each call.
_CACHE, _MAX_CACHED = {}, 64


class Kernels:
    """Kernels around draws, the ``centers``, (n_draws, n_inputs) in float64; ``width``
    is the bandwidth of real columns, and 0 selects it by leave-one-out likelihood."""

    def __init__(self, emission, centers, width=0.0):
        self.emission, self.centers = emission, centers
        self.real = np.flatnonzero(emission.continuous)
        self.gray = np.isin(self.real, emission.gray)
        # Log of the number of other categories, for each input of a categorical column.
        log_n_others = np.log(np.maximum(emission.sizes - 1, 1))
        single = emission.sizes > 1
        self.others = np.repeat(log_n_others, emission.sizes)
        self.single = np.repeat(single, emission.sizes)
        sample = np.ascontiguousarray(centers[:_N_BANDWIDTH_DRAWS])
        columns = (emission.kinds.tolist(), emission.choice.tolist())
        fields = repr((width, sample.shape, sample.dtype.str, *columns)).encode()
        key = sha256(fields + sample.tobytes()).digest()
        widths = _CACHE.get(key)
        if widths is None:
            widths = self._widths(sample, width)
            while len(_CACHE) >= _MAX_CACHED:
                # Another thread may have removed the same entry.
                _CACHE.pop(next(iter(tuple(_CACHE)), None), None)
            _CACHE[key] = widths
        self.width, self.share = widths

    def _widths(self, few, width):
        """Bandwidths with the highest leave-one-out likelihood of a few draws."""
        share, terms = 0.1, self._parts(few, None, few)
        if not width and len(self.real):
            width = self._best_width(terms, share)
        if self.emission.is_random:
            scores = [self._left_out(terms, width, s) for s in _LAMBDAS]
            share = float(_LAMBDAS[int(np.argmax(scores))])
        return width, share

    def _best_width(self, parts, share):
        gaps = parts[0].copy()
        gaps[np.diag_indices(len(gaps))] = np.inf
        nearest = gaps.min(axis=1) / max(1, len(self.real))
        scale = max(np.sqrt(np.median(nearest)) if len(gaps) > 1 else 1.0, _MIN_WIDTH)
        candidates = np.maximum(scale * _WIDTHS, _MIN_WIDTH)
        scores = [self._left_out(parts, width, share) for width in candidates]
        return float(candidates[int(np.argmax(scores))])

    def _left_out(self, parts, width, share):
        """Mean leave-one-out log-density of draws."""
        log_k = self._log_kernels(parts, width, share)
        if len(log_k) == 1:
            return float(log_k[0, 0])
        log_k[np.diag_indices(len(log_k))] = -np.inf
        # In place, which is much faster than SciPy; distances may be infinite.
        top = np.maximum(log_k.max(axis=1), np.finfo(float).min)
        log_k -= top[:, None]
        with np.errstate(divide="ignore"):
            log_sum = np.log(np.exp(log_k, out=log_k).sum(axis=1))
        return float((top + log_sum).mean())

    def _parts(self, x, known, centers):
        """Terms of the log-kernels of each pair: squared distances, numbers of
        differences, and log-numbers of categories that could differ. Then numbers of
        real and other entries of rows, and columns of probabilities with a mask of
        them, or None."""
        emission, real = self.emission, self.real
        is_complete = known is None
        known = np.ones_like(x) if is_complete else known
        effective_mask = known.copy()
        effective_mask[:, emission.scores] *= x[:, emission.none]
        x = x * effective_mask
        real_mask = effective_mask[:, real]
        real_centers = centers[:, real]
        if effective_mask.all():
            gaps = squared_distances(x[:, real], real_centers)
        else:
            gaps = (x[:, real] ** 2).sum(axis=1)[:, None] + real_mask @ (
                real_centers**2
            ).T
            gaps = np.maximum(gaps - 2 * x[:, real] @ real_centers.T, 0)
        bits, chosen = emission.bits, emission.chosen
        x_bits, center_bits = x[:, bits], centers[:, bits]
        n_different = (
            x_bits.sum(axis=1)[:, None]
            + known[:, bits] @ center_bits.T
            - 2 * x_bits @ center_bits.T
        )
        n_bits = known[:, bits].sum(axis=1)
        x_chosen, center_chosen = x[:, chosen] * self.single, centers[:, chosen]
        n_chosen = x_chosen.sum(axis=1)
        n_different = n_different + n_chosen[:, None] - x_chosen @ center_chosen.T
        x_chosen = x_chosen * self.others
        log_n_others = x_chosen.sum(axis=1)[:, None] - x_chosen @ center_chosen.T
        gray_centers = (
            real_centers[:, self.gray],
            None if effective_mask.all() else real_mask[:, self.gray],
        )
        return (
            gaps,
            n_different,
            log_n_others,
            real_mask.sum(axis=1),
            n_bits + n_chosen,
            gray_centers,
        )

    def _log_kernels(self, parts, width, share):
        gaps, differ, log_n_others, n_real, n_other, (gray, seen) = parts
        log_p = differ * (np.log(share) - np.log1p(-share)) - log_n_others
        log_p += (n_other * np.log1p(-share))[:, None]
        if len(self.real):
            log_p -= gaps / (2 * width**2)
            log_p -= (n_real * np.log(np.sqrt(2 * np.pi) * width))[:, None]
        if gray.size:
            low, high = within(gray, width)
            log_mass = np.log(np.maximum(high - low, np.finfo(float).tiny))
            log_p -= log_mass.sum(axis=1) if seen is None else seen @ log_mass.T
        return log_p

    def log_weights(self, x, known=None):
        """Log-kernel of each row and each draw, (n_rows, n_draws)."""
        terms = self._parts(x, known, self.centers)
        return self._log_kernels(terms, self.width, self.share)

    def log_prob(self, x, known=None):
        """Log-density of rows, (n_rows,), in nats."""
        log_k = self.log_weights(x, known)
        return logsumexp(log_k, axis=1) - np.log(log_k.shape[1])


def noisy(x, emission, size, rng):
    """Rows x, inputs of a discriminator, with noise of standard deviation ``size`` in
    real columns, truncated to [0, 1] in columns of probabilities."""
    gray, spread = emission.gray, size * emission.continuous
    rows = x + rng.normal(x.shape[1], x.dtype.type) * spread.astype(x.dtype)
    levels = x[:, gray].astype(float)
    low, high = within(levels, size)
    share = rng.uniform(x.shape[1])[:, gray]
    truncated = levels + size * ndtri(low + share * (high - low))
    rows[:, gray] = truncated.clip(0, 1)
    return rows


def within(centers, width):
    """Normal distribution functions around ``centers``, at 0 and at 1."""
    return ndtr(-centers / width), ndtr((1 - centers) / width)
