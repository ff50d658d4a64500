r"""Kernels around draws, of columns of any kind, and their widths.

.. math:: \log \hat p(x) = \log \frac1m \sum_{i=1}^m \prod_j k_j(x_j, s_{ij})

for draws :math:`s_i` [1]_, with normal kernels of one bandwidth for real columns, in
units of the model, which are cut off beyond [0, 1] in grey columns,

.. math:: k(x, s) = \frac{\mathcal{N}(x; s, \sigma^2)}
   {\Phi((1 - s) / \sigma) - \Phi(-s / \sigma)},

and for bits and columns of K categories the kernels [2]_

.. math:: k(x, s) = \begin{cases} 1 - \lambda & x = s \\ \lambda / (K - 1) & \text{else}
   \end{cases}

Both widths maximise the likelihood of each draw given the others.

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

# Draws among which widths are chosen.
_AMONG = 1000
# Candidate bandwidths, in units of the median distance to the nearest other draw, the
# least one, and candidate probabilities of another category.
_WIDTHS, _LEAST = np.logspace(-1.0, 0.75, 15), 1e-3
_LAMBDAS = np.logspace(-3, -0.4, 12)
# Last widths, by a digest of their data: each call has the same draws.
_FOUND, _KEPT = {}, 64


class Kernels:
    """Kernels around draws, the ``centres``, (n_draws, n_inputs) in float64; ``width``
    is the bandwidth of real columns, 0 for the one by which each draw is most probable
    given the others."""

    def __init__(self, emission, centres, width=0.0):
        self.emission, self.centres = emission, centres
        self.real = np.flatnonzero(emission.continuous)
        self.grey = np.isin(self.real, emission.grey)
        # Log of the number of other categories, of each input of a choice.
        others = np.log(np.maximum(emission.sizes - 1, 1))
        single = emission.sizes > 1
        self.others = np.repeat(others, emission.sizes)
        self.single = np.repeat(single, emission.sizes)
        few = np.ascontiguousarray(centres[:_AMONG])
        columns = (emission.kinds.tolist(), emission.choice.tolist())
        parts = repr((width, few.shape, few.dtype.str, *columns)).encode()
        key = sha256(parts + few.tobytes()).digest()
        kept = _FOUND.get(key)
        if kept is None:
            kept = self._widths(few, width)
            while len(_FOUND) >= _KEPT:
                # Another thread may have been first.
                _FOUND.pop(next(iter(tuple(_FOUND)), None), None)
            _FOUND[key] = kept
        self.width, self.share = kept

    def _widths(self, few, width):
        """Widths by which each of a few draws is most probable given the others."""
        share, parts = 0.1, self._parts(few, None, few)
        if not width and len(self.real):
            width = self._best_width(parts, share)
        if self.emission.is_random:
            scores = [self._left_out(parts, width, s) for s in _LAMBDAS]
            share = float(_LAMBDAS[int(np.argmax(scores))])
        return width, share

    def _best_width(self, parts, share):
        gaps = parts[0].copy()
        gaps[np.diag_indices(len(gaps))] = np.inf
        near = gaps.min(axis=1) / max(1, len(self.real))
        unit = max(np.sqrt(np.median(near)) if len(gaps) > 1 else 1.0, _LEAST)
        tried = np.maximum(unit * _WIDTHS, _LEAST)
        scores = [self._left_out(parts, width, share) for width in tried]
        return float(tried[int(np.argmax(scores))])

    def _left_out(self, parts, width, share):
        """Mean log density of each draw given the others."""
        log_k = self._log_kernels(parts, width, share)
        if len(log_k) == 1:
            return float(log_k[0, 0])
        log_k[np.diag_indices(len(log_k))] = -np.inf
        # In place, which is a fraction of SciPy's time; draws may be infinitely far.
        top = np.maximum(log_k.max(axis=1), np.finfo(float).min)
        log_k -= top[:, None]
        with np.errstate(divide="ignore"):
            total = np.log(np.exp(log_k, out=log_k).sum(axis=1))
        return float((top + total).mean())

    def _parts(self, x, known, centres):
        """Squared distances, numbers of differences, and log numbers of categories
        that could differ, of each pair; numbers of real and other entries of rows; grey
        values of centres, and which of them rows have, None for all."""
        emission, real = self.emission, self.real
        whole = known is None
        known = np.ones_like(x) if whole else known
        seen = known.copy()
        seen[:, emission.scores] *= x[:, emission.none]
        x, part, real_centres = x * seen, seen[:, real], centres[:, real]
        if seen.all():
            gaps = squared_distances(x[:, real], real_centres)
        else:
            gaps = (x[:, real] ** 2).sum(axis=1)[:, None] + part @ (real_centres**2).T
            gaps = np.maximum(gaps - 2 * x[:, real] @ real_centres.T, 0)
        bits, chosen = emission.bits, emission.chosen
        b, c = x[:, bits], centres[:, bits]
        differ = b.sum(axis=1)[:, None] + known[:, bits] @ c.T - 2 * b @ c.T
        n = known[:, bits].sum(axis=1)
        one, two = x[:, chosen] * self.single, centres[:, chosen]
        count = one.sum(axis=1)
        differ = differ + count[:, None] - one @ two.T
        one = one * self.others
        rest = one.sum(axis=1)[:, None] - one @ two.T
        inside = real_centres[:, self.grey], None if seen.all() else part[:, self.grey]
        return gaps, differ, rest, part.sum(axis=1), n + count, inside

    def _log_kernels(self, parts, width, share):
        gaps, differ, rest, n_real, n_other, (grey, seen) = parts
        log_p = differ * (np.log(share) - np.log1p(-share)) - rest
        log_p += (n_other * np.log1p(-share))[:, None]
        if len(self.real):
            log_p -= gaps / (2 * width**2)
            log_p -= (n_real * np.log(np.sqrt(2 * np.pi) * width))[:, None]
        if grey.size:
            low, high = within(grey, width)
            log_mass = np.log(np.maximum(high - low, np.finfo(float).tiny))
            log_p -= log_mass.sum(axis=1) if seen is None else seen @ log_mass.T
        return log_p

    def log_weights(self, x, known=None):
        """Log kernel of each row around each draw, of shape (n_rows, n_draws)."""
        parts = self._parts(x, known, self.centres)
        return self._log_kernels(parts, self.width, self.share)

    def log_prob(self, x, known=None):
        """Log density of rows, of shape (n_rows,)."""
        log_k = self.log_weights(x, known)
        return logsumexp(log_k, axis=1) - np.log(log_k.shape[1])


def noisy(x, emission, size, rng):
    """Rows x, inputs of a discriminator, with noise of a standard deviation ``size`` of
    real columns, cut off beyond [0, 1] of grey ones, by a stream for each row."""
    grey, spread = emission.grey, size * emission.continuous
    rows = x + rng.normal(x.shape[1], x.dtype.type) * spread.astype(x.dtype)
    levels = x[:, grey].astype(float)
    low, high = within(levels, size)
    share = rng.uniform(x.shape[1])[:, grey]
    moved = levels + size * ndtri(low + share * (high - low))
    rows[:, grey] = moved.clip(0, 1)
    return rows


def within(centres, width):
    """Normal distribution functions at 0 and at 1 around centres."""
    return ndtr(-centres / width), ndtr((1 - centres) / width)
