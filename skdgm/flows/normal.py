r"""Initial normal distribution of a flow, which also draws missing entries.

.. math:: \Sigma_\lambda = (1 - \lambda) \hat\Sigma + \lambda I

is the covariance of standardized columns, with cross-validated shrinkage to the
identity [1]_. Missing entries are normal conditional on the observed entries.

References
----------
.. [1] Friedman (1989). Regularized discriminant analysis. JASA.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import log_softmax, logsumexp

from skdgm.autoregressive.normal_moments import (
    QUICK,
    jitter,
    regular_root,
    shrunk_normal,
)
from skdgm.nets import Layer
from skdgm.utils import addresses
from skdgm.utils.math import LOG_2PI, rows_by_gaps

_CHOICE = addresses.FLOW_COMPONENT
# Limit on cached patterns times squared columns.
_MAX_CACHED = 2**20


class JointNormal:
    """Normal distribution of standardized columns."""

    def __init__(self, mean, covariance, shrinkage=0.0):
        self.mean, self.covariance = mean, covariance
        self.shrinkage, self._patterns = shrinkage, {}

    @classmethod
    def of_whitening(cls, layer):
        """Distribution that a :class:`Layer` whitens."""
        W, b = (array.astype(np.float64) for array in layer)
        root = solve_triangular(W, np.eye(len(b)))
        return cls(-b @ root, root.T @ root)

    def whitening(self, dtype, n_given=0):
        """Triangular :class:`Layer` that whitens the columns conditional on the first
        ``n_given`` columns, which it leaves unchanged."""
        root = cholesky(self.covariance, lower=True)
        W = solve_triangular(root, np.eye(len(root)), lower=True).T
        b = -self.mean @ W
        W[:n_given, :n_given], b[:n_given] = np.eye(n_given), 0
        return Layer(W.astype(dtype), b.astype(dtype))

    def given(self, v, groups=None):
        """Conditional distributions of the missing entries of rows v; ``groups`` are
        their missingness patterns, if known."""
        return ConditionalNormals(self, v, groups)

    def pattern(self, missing):
        """:class:`Pattern` of a mask of missing columns, cached."""
        key = missing.tobytes()
        if key in self._patterns:
            return self._patterns[key]
        pattern = Pattern.of(self, missing)
        if (len(self._patterns) + 1) * missing.size**2 <= _MAX_CACHED:
            self._patterns[key] = pattern
        return pattern


class Independent:
    """Standard normal distribution of independent columns."""

    def given(self, v):
        """Distributions of the missing entries of rows v."""
        return StandardNormals(v)


class StandardNormals(NamedTuple):
    """Rows v with standard normal missing entries."""

    v: np.ndarray

    def completed(self, rng, spread=1.0):
        """Completed rows and log-densities of the draws."""
        noise, missing = rng.normal(self.v.shape[1]), np.isnan(self.v)
        log_q = -0.5 * (noise**2 + LOG_2PI) - np.log(spread)
        v = np.where(missing, spread * noise, self.v).astype(self.v.dtype)
        return v, np.where(missing, log_q, 0).sum(axis=1)


class JointMixture:
    """Mixture of the :class:`JointNormal` distributions in ``parts``."""

    def __init__(self, log_weight, parts):
        self.log_weight, self.parts = log_weight, parts

    def given(self, v):
        """Conditional distributions of the missing entries of rows v."""
        groups = list(rows_by_gaps(v))
        conditionals = [component.given(v, groups) for component in self.parts]
        return ConditionalMixtures(self.log_weight, conditionals)


def initial_distribution(statistics, whitening_index):
    """Initial distribution of a flow, from the ``statistics`` of its layers and its
    base. ``whitening_index`` is the index of the whitening layer; None means
    independent columns.
    """
    layers, base = statistics[:2]
    if whitening_index is None:
        return Independent()
    if not base:
        return JointNormal.of_whitening(layers[whitening_index])
    W, b = (array.astype(np.float64) for array in layers[whitening_index])
    n_given, components = len(b) - base.mean.shape[1], []
    for mean, root in zip(base.mean, base.root):
        scale = np.eye(len(b))
        scale[n_given:, n_given:] = root
        shift = np.concatenate([np.zeros(n_given), mean])
        layer = Layer(W @ scale, (b - shift) @ scale)
        components.append(JointNormal.of_whitening(layer))
    return JointMixture(base.log_weight.astype(np.float64), components)


class Pattern(NamedTuple):
    """Conditional normal distribution for a missingness pattern. ``missing`` and
    ``seen`` are masks of columns, ``weights`` the regression weights of the mean,
    ``root`` and ``back`` the Cholesky factor of the covariance and its inverse;
    ``white`` whitens the observed columns, and ``log_det`` is its log-determinant."""

    missing: np.ndarray
    seen: np.ndarray
    weights: np.ndarray
    root: np.ndarray
    back: np.ndarray
    white: np.ndarray
    log_det: float

    @classmethod
    def of(cls, normal, missing):
        """Pattern of a :class:`JointNormal` and a mask of missing columns."""
        seen, covariance = ~missing, normal.covariance
        observed_root = regular_root(covariance[np.ix_(seen, seen)])
        white = solve_triangular(observed_root, np.eye(len(observed_root)), **QUICK).T
        projected = white.T @ covariance[np.ix_(seen, missing)]
        weights = white @ projected
        conditional = covariance[np.ix_(missing, missing)] - projected.T @ projected
        root = cholesky(conditional + np.diag(jitter(conditional)), **QUICK)
        root_inverse = solve_triangular(root, np.eye(len(root)), **QUICK).T
        log_det = np.log(np.diag(observed_root)).sum()
        return cls(missing, seen, weights, root, root_inverse, white, log_det)


class ConditionalNormals:
    """Normal distributions of the missing entries of rows v given the observed entries,
    whose log-densities are ``log_seen``."""

    def __init__(self, normal, v, groups=None):
        self.v, self.groups, self.log_seen = v, [], np.zeros(len(v))
        for rows, missing in rows_by_gaps(v) if groups is None else groups:
            if not missing.any():
                continue
            pattern = normal.pattern(missing)
            gap = v[rows][:, ~missing].astype(np.float64) - normal.mean[~missing]
            white = ((gap @ pattern.white) ** 2 + LOG_2PI).sum(axis=1)
            self.log_seen[rows] = -0.5 * white - pattern.log_det
            center = normal.mean[missing] + gap @ pattern.weights
            self.groups.append((rows, pattern, center))

    def completed(self, rng, spread=1.0):
        """Rows with missing entries drawn, at ``spread`` times the standard deviation,
        and the log-densities of the draws."""
        v = self.drawn(rng.normal(self.v.shape[1]), spread)
        return v, self.log_q(v, spread)

    def drawn(self, noise, spread=1.0):
        """Rows with missing entries computed from standard normal ``noise``."""
        v = self.v.copy()
        for rows, pattern, center in self.groups:
            place = np.ix_(rows, pattern.missing)
            v[place] = center + spread * noise[place] @ pattern.root.T
        return v

    def log_q(self, whole, spread=1.0):
        """Log-densities of the missing entries with their values in ``whole``."""
        log_q = np.zeros(len(whole))
        for rows, pattern, center in self.groups:
            gap = whole[np.ix_(rows, pattern.missing)] - center
            noise = gap @ pattern.back / spread
            log_q[rows] = -0.5 * (noise**2 + LOG_2PI).sum(axis=1)
            log_q[rows] -= np.log(spread * np.diag(pattern.root)).sum()
        return log_q


class ConditionalMixtures:
    """Mixtures of :class:`ConditionalNormals` with prior log-weights."""

    def __init__(self, log_weight, parts):
        self.v, self.parts = parts[0].v, parts
        log_p = log_weight[:, None] + np.stack([c.log_seen for c in parts])
        self.log_p = log_softmax(log_p, axis=0)

    def completed(self, rng, spread=1.0):
        """As :meth:`ConditionalNormals.completed`."""
        noisy = self.log_p + rng.fold(_CHOICE).gumbel(len(self.parts)).T
        component, v = noisy.argmax(axis=0), self.v.copy()
        noise = rng.normal(self.v.shape[1])
        for k, component_k in enumerate(self.parts):
            chosen = component == k
            v[chosen] = component_k.drawn(noise, spread)[chosen]
        return v, self.log_q(v, spread)

    def log_q(self, whole, spread=1.0):
        """As :meth:`ConditionalNormals.log_q`."""
        log_q = np.stack([component.log_q(whole, spread) for component in self.parts])
        return logsumexp(self.log_p + log_q, axis=0)


def fit_normal(table, n_given=0):
    """:class:`JointNormal` of the rows of a table. The shrinkage maximizes the held-out
    log-likelihood of the other columns conditional on the first ``n_given``."""
    mean, covariance, shrinkage = shrunk_normal(table, n_given)
    return JointNormal(mean, covariance, shrinkage)
