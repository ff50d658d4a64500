r"""Energy of real units and hidden units that are products of a bit and a real number.

.. math:: E(v, h, s) = \tfrac12 g^\top \Bigl( \mathrm{diag}(\lambda) + \sum_i h_i
   \mathrm{diag}(\Phi_i) \Bigr) g - \sum_i \bigl( W_i^\top g \, s_i h_i + c_i h_i \bigr)
   + \tfrac12 \sum_i \alpha_i \bigl( s_i^2 - 2 \mu_i s_i h_i + \mu_i^2 h_i \bigr),
   \qquad g = v - b

with spikes h and slabs s [1]_, whose means are :math:`\mu` [2]_. Given the spikes, rows
are normal with the precision matrix :math:`\mathrm{diag}(\lambda + \Phi h) - W
\mathrm{diag}(h / \alpha) W^\top`. A spike that is on increases the variance along its
column of W. The matrix is kept positive definite with all spikes on. It is then
positive definite for all h, and the density is normalizable.

References
----------
.. [1] Courville, Bergstra and Bengio (2011). A spike and slab restricted Boltzmann
   machine. AISTATS.
.. [2] Courville, Bergstra and Bengio (2011). Unsupervised models of images by
   spike-and-slab RBMs. ICML.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, softmax

from skdgm.distributions import Gaussian, Normal
from skdgm.energies.potential import Potential
from skdgm.utils.math import limit_norms, sigmoid, softplus
from skdgm.utils.tree import tree_map

# Limit of the fraction of the precisions that spikes remove, aim of projection steps,
# and fraction above which gradients are projected; maximum number of projection steps.
_MAX_FRACTION, _AIM, _NEAR, _TRIES = 0.99, 0.9995 * 0.99, 0.999 * 0.99, 8
# Maximum number of spikes whose states are enumerated, and maximum number of entries of
# the precision matrices of all states.
_MAX_ENUMERATED, _MAX_ENTRIES = 10, 2**14
# Limits of the initial biases of spikes, which grow with their number per column.
_OFF, _ON = -1.0, 3.0


class SpikeSlabParams(NamedTuple):
    """Parameters of :class:`SpikeSlab`, or a gradient with respect to them: b and log
    lambda of shape (n_visible,), W and nonnegative Phi of shape (n_visible,
    n_components), and c, mu and log alpha of shape (n_components,)."""

    visible: Normal
    W: np.ndarray
    Phi: np.ndarray
    c: np.ndarray
    mu: np.ndarray
    log_alpha: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """Data type of the arrays."""
        return self.c.dtype


class Patterns(NamedTuple):
    """All states of the spikes, in float64."""

    # Spikes, (n_patterns, n_components).
    H: np.ndarray
    # Logs of the integrals of exp(-E) over rows and slabs, whose exponentials sum to Z.
    log_w: np.ndarray
    # Means of v - b, (n_patterns, n_visible), and covariances of v, given the spikes.
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def p(self) -> np.ndarray:
        """Probabilities of the states, (n_patterns,)."""
        return softmax(self.log_w)


class SpikeSlab(Potential):
    """Free energy of real rows with spikes and slabs; a state x is a tuple of one
    block."""

    def __init__(self, n_visible):
        self.units = (Gaussian(n_visible),)

    def value(self, params, x):
        (v,), half = x, x[0].dtype.type(0.5)
        gap, _, field, slab = self._inputs(params, v)
        precision = np.exp(params.visible.log_precision)
        energy = half * (precision * np.square(gap)).sum(axis=1, dtype=float)
        energy -= softplus(field).sum(axis=1, dtype=float)
        return energy, self._slope(params, gap, sigmoid(field), slab)

    def _inputs(self, params, v):
        """v - b, its product with W, log odds of the spikes, and means of slabs that
        are on."""
        gap, half = v - params.visible.mean, v.dtype.type(0.5)
        pulled = gap @ params.W
        slab = params.mu + pulled / np.exp(params.log_alpha)
        field = params.c - half * np.square(gap) @ params.Phi
        field += half * (params.mu + slab) * pulled
        return gap, pulled, field, slab

    def _slope(self, params, gap, on, slab):
        """Gradient of the free energy with respect to rows, given means of spikes and
        slabs."""
        precision = np.exp(params.visible.log_precision) + on @ params.Phi.T
        return precision * gap - (on * slab) @ params.W.T

    def hidden(self, params, v):
        """Means of the spikes, (n_rows, n_components), in a tuple."""
        return (sigmoid(self.slabs(params, v)[0]),)

    def n_hidden(self, params):
        """Number of spikes."""
        return len(params.c)

    def slabs(self, params, v):
        """Log odds of the spikes, and means of the slabs of spikes that are on."""
        return self._inputs(params, v)[2:]

    def gradient(self, params, v):
        r"""Mean over rows of :math:`-\partial F / \partial \theta`, a
        SpikeSlabParams."""
        gap, pulled, field, slab = self._inputs(params, v)
        on, half, square = sigmoid(field), v.dtype.type(0.5), np.square(gap)
        precision, mean = np.exp(params.visible.log_precision), v.dtype.type(1 / len(v))
        return SpikeSlabParams(
            Normal(
                mean * self._slope(params, gap, on, slab).sum(axis=0),
                -mean * half * precision * square.sum(axis=0),
            ),
            mean * (gap.T @ (on * slab)),
            -mean * half * (square.T @ on),
            mean * on.sum(axis=0),
            mean * (on * pulled).sum(axis=0),
            -mean * half * (on * pulled * (slab - params.mu)).sum(axis=0),
        )

    def enumerable(self, params):
        """Return whether all states of the spikes can be enumerated."""
        n, k = params.W.shape
        return k <= _MAX_ENUMERATED and 2**k * n**2 <= _MAX_ENTRIES

    def log_marginal(self, params, v):
        """Log of the integral of exp(-E) over missing entries (NaN) and hidden units,
        (n_rows,). The spikes are enumerated."""
        patterns, log_marginals = self.patterns(params), np.empty(len(v))
        center = patterns.mean + params.visible.mean
        for i, row in enumerate(v):
            known = np.flatnonzero(~np.isnan(row))
            root = np.linalg.cholesky(patterns.covariance[:, known[:, None], known])
            gap = (row[known] - center[:, known])[..., None]
            log_p = -0.5 * np.square(np.linalg.solve(root, gap)).sum(axis=(1, 2))
            log_p -= np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
            log_p -= 0.5 * len(known) * np.log(2 * np.pi)
            log_marginals[i] = logsumexp(patterns.log_w + log_p)
        return log_marginals

    def patterns(self, params):
        """All states of the spikes, a :class:`Patterns`."""
        params = tree_map(lambda a: a.astype(float), params)
        n, k = params.W.shape
        H = (np.arange(2**k)[:, None] >> np.arange(k) & 1).astype(float)
        P, pull = self.precisions(params, H), (H * params.mu) @ params.W.T
        covariance = np.linalg.inv(P)
        mean = np.einsum("rij,rj->ri", covariance, pull)
        log_w = H @ params.c + 0.5 * (mean * pull).sum(axis=1)
        log_w += 0.5 * (n * np.log(2 * np.pi) - np.linalg.slogdet(P)[1])
        return Patterns(H, log_w, mean, covariance)

    def expected(self, params):
        """Expectation of :meth:`gradient` under the model, by enumeration of the
        spikes."""
        H, _, mean, covariance = patterns = self.patterns(params)
        p, visible, W = patterns.p, params.visible, params.W
        alpha, weighted = np.exp(params.log_alpha), H * patterns.p[:, None]
        second = covariance + mean[:, :, None] * mean[:, None]
        square = np.einsum("rii->ri", second)
        first = weighted.T @ mean
        # Expectations of h_i g g^T W_i, transposed.
        spread = np.tensordot(weighted, second, axes=(0, 0)) @ W.T[:, :, None]
        spread = spread[:, :, 0]
        grad = SpikeSlabParams(
            Normal(
                0 * visible.mean, -0.5 * np.exp(visible.log_precision) * (p @ square)
            ),
            (params.mu[:, None] * first + spread / alpha[:, None]).T,
            -0.5 * square.T @ weighted,
            weighted.sum(axis=0),
            (first * W.T).sum(axis=1),
            -0.5 * (spread * W.T).sum(axis=1) / alpha,
        )
        return tree_map(lambda a: a.astype(params.dtype), grad)

    def precisions(self, params, H):
        """Precision matrices given spikes H, of shape (n_rows, n_visible,
        n_visible)."""
        weight, column = H / np.exp(params.log_alpha), np.arange(len(params.W))
        P = (params.W * -weight[:, None]) @ params.W.T
        P[:, column, column] += np.exp(params.visible.log_precision) + H @ params.Phi.T
        return P

    def mean(self, params, H):
        """Means of the visible units given spikes H, (n_rows, n_visible)."""
        pull = (H * params.mu) @ params.W.T
        gap = np.linalg.solve(self.precisions(params, H), pull[..., None])[..., 0]
        return params.visible.mean + gap

    def along(self, params, v, column, shift):
        """Negative free energies along one column of each row; see
        :meth:`Covariance.along`."""
        rows, gap = np.arange(len(v)), v - params.visible.mean
        gap_of_column, alpha = gap[rows, column][:, None], np.exp(params.log_alpha)
        pulled = (gap @ params.W)[:, None]
        pulled = pulled + shift[..., None] * params.W[column][:, None]
        field = params.c - 0.5 * (np.square(gap) @ params.Phi)[:, None]
        gain = np.square(gap_of_column + shift) - np.square(gap_of_column)
        field = field - 0.5 * gain[..., None] * params.Phi[column][:, None]
        field += pulled * (params.mu + 0.5 * pulled / alpha)
        precision = np.exp(params.visible.log_precision[column])[:, None]
        return softplus(field).sum(axis=-1) - 0.5 * precision * np.square(
            gap_of_column + shift
        )

    def initial(self, rng, n_components):
        """Small random weights, in float64. With many spikes for each column, spikes
        are initially on: they share the limit of the removed precision, and rows could
        otherwise not have a large variance."""
        (unit,) = self.units
        n, k = unit.size, n_components
        bias = np.clip(2 * np.log2(k / n) - 4, _OFF, _ON)
        small = 0.5 / (np.sqrt(n) + np.sqrt(k))
        return SpikeSlabParams(
            Normal(np.zeros(n), np.zeros(n)),
            small * rng.normal(size=(n, k)),
            np.zeros((n, k)),
            np.full(k, bias),
            np.ones(k),
            np.zeros(k),
        )

    def constrain(self, params, kept, max_norm):
        """Limit norms of weights, keep Phi nonnegative and precisions positive
        definite, in place."""
        np.maximum(params.Phi, 0, out=params.Phi)
        limit_norms(params.W, max_norm)
        for _ in range(_TRIES):
            shares, below, above, scale = self._removed(params)
            if not (shares > _MAX_FRACTION).any():
                return
            excess = np.log(shares / _AIM).clip(0)
            # A step for each direction beyond the limit, along the gradient of the log
            # of its fraction: these gradients are nearly orthogonal.
            squares = np.square(below), np.square(above)
            squared_norm = sum(np.square(part).sum(axis=0) for part in squares)
            squared_norm += (squares[0] * (np.square(scale) @ squares[1])).sum(
                axis=0
            ) * (4 / shares)
            step = excess / squared_norm
            params.W[...] -= (2 * step / np.sqrt(shares) * below) @ above.T * scale
            params.visible.log_precision[...] += squares[0] @ step
            params.log_alpha[...] += squares[1] @ step
        share = self._removed(params)[0].max(initial=0)
        if share > _MAX_FRACTION:
            params.W[...] *= np.sqrt(_MAX_FRACTION / share)

    def tangent(self, params, grad):
        """Gradient without its component that leads beyond the limit, if this is
        reached."""
        shares, below, above, scale = self._removed(params)
        if not len(shares):
            return grad
        # The gradient of the log of the largest fraction.
        below, above = below[:, -1], above[:, -1]
        slope = (
            2 / np.sqrt(shares[-1]) * np.multiply.outer(below, above) * scale,
            -np.square(below),
            -np.square(above),
        )
        slope = tuple(part.astype(params.dtype) for part in slope)
        parts = grad.W, grad.visible.log_precision, grad.log_alpha
        outward = sum(
            (part * slope_of_part).sum(dtype=float)
            for part, slope_of_part in zip(parts, slope)
        )
        if outward > 0:
            outward /= sum(
                np.square(slope_of_part).sum(dtype=float) for slope_of_part in slope
            )
            for part, slope_of_part in zip(parts, slope):
                part -= part.dtype.type(outward) * slope_of_part
        return grad

    def _removed(self, params):
        """Fractions of precisions that spikes remove, if they are near the limit, in
        ascending order, and their directions in the spaces of columns and of spikes.
        They are squared singular values of W times the scale, which is the last
        result."""
        log_scale = np.add.outer(params.visible.log_precision, params.log_alpha)
        scale = np.exp(-0.5 * log_scale.astype(float))
        return *largest(params.W * scale), scale

    def kept(self, params):
        """None: :meth:`constrain` preserves no quantity."""
        return None


def largest(A):
    """Eigenvalues of A A^T near the limit or beyond it, in ascending order, and left
    and right singular vectors of A, of shapes (n_rows, n_found) and (n_columns,
    n_found)."""
    bound = np.abs(A).sum(axis=0).max() * np.abs(A).sum(axis=1).max()
    if not bound > _NEAR or not np.isfinite(bound):
        return np.empty(0), A[:, :0], A[:0].T
    tall = len(A) >= A.shape[1]
    shares, vectors = np.linalg.eigh(A.T @ A if tall else A @ A.T)
    vectors, shares = vectors[:, shares > _NEAR], shares[shares > _NEAR]
    others = (A if tall else A.T) @ vectors / np.sqrt(shares)
    return (shares, others, vectors) if tall else (shares, vectors, others)
