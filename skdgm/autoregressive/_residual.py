r"""Chains of real columns that learn the errors of linear regressions.

.. math:: \mu_{tk} = \sum_{i<t} x_i U_{it} + s_t m_{tk}, \qquad
    \log \sigma_{tk} = \log s_t + l_{tk}

with regressions U of each column on the columns before it, whose errors have standard
deviations :math:`s_t`, and outputs m and l of a net. Training thus begins near the
normal distribution, and its steps are in units of these errors. Regressions are those
of a covariance

.. math:: C_r = \frac{C + r \, 1}{1 + r}

of standardised columns, with a ridge r that is cross-validated by the likelihood of a
normal distribution: infinite, for independent columns, where rows are too few.
"""

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular

from skdgm.autoregressive.net_chains import TiedChain
from skdgm.autoregressive.normal_moments import NormalMoments, expected_moments
from skdgm.nets import moved
from skdgm.utils.threading.threads import one_blas_thread

# Least initial scale, in units of the least of all.
_LEAST = 1.1
# Steps of expectation maximisation, and rows in these, where entries are missing.
_STEPS, _FEW = 4, 300
# Most columns, whose covariance is decomposed once for each fold; folds; ridges.
_MOST, _FOLDS, _RIDGES = 1000, 4, (1e-4, 1e-3, 1e-2, 0.1, 1.0, np.inf)


class ResidualChain(TiedChain):
    """Tied chain with a learned factor for each column, and regressions of the
    ``covariance`` of its layer."""

    def __init__(self, conditionals, start, order, layer):
        super().__init__(conditionals, start, order, layer)
        self.U, errors = regressions(layer.covariance[np.ix_(order, order)])
        # Outputs of a column: log weights, then means, then log scales.
        mixture = conditionals.mixture
        self.n_each = 3 * mixture.n_components
        kinds = np.repeat(np.arange(3), mixture.n_components)
        kinds, errors = np.tile(kinds, self.n_columns), np.repeat(errors, self.n_each)
        self.is_mean = kinds == 1
        self.factor = np.where(self.is_mean, errors, 1.0)
        # Gradients by means are multiplied by scales, and have no unit then.
        self.slope = np.ones_like(errors) if mixture.rescaled else self.factor
        scales = mixture.raw_scale(np.maximum(errors, _LEAST * mixture.floor))
        self.scales = np.where(kinds == 2, scales, 0.0)

    def apply(self, params, x):
        """Outputs of all columns, of shape (n_rows, n_outputs)."""
        out, means = super().apply(params, x), x @ self.U.astype(x.dtype)
        return self._moved(out, means, slice(None))

    def begin(self, params, n_rows):
        """State before the first column: pre-activations, and means of all columns."""
        (pre,) = super().begin(params, n_rows)
        return [pre, np.zeros((n_rows, self.n_columns), pre.dtype)]

    def output(self, params, state, t):
        """Outputs of column t, of shape (n_rows, n_outputs of it)."""
        out = super().output(params, state, t)
        return self._moved(out, state[1][:, [t]], self.outputs[t])

    def absorb(self, params, state, t, x):
        """Add the contributions of column t to pre-activations and means."""
        super().absorb(params, state, t, x)
        state[1] += x * self.U[t].astype(x.dtype)

    def _moved(self, out, means, which):
        """Outputs of these numbers, relative to the means by regressions."""
        shift = np.repeat(means, self.n_each, axis=1) * self.is_mean[which]
        shift = shift + self.scales[which]
        return moved(out, self.factor[which], shift, self.slope[which])


def regressions(covariance):
    """Weights of regressions of each column on the columns before it, (n_columns,
    n_columns), zero but above the diagonal, and standard deviations of their errors."""
    root = cholesky(covariance, lower=True)
    inverse = solve_triangular(root, np.eye(len(root)), lower=True)
    errors = np.diag(root)
    return np.triu(-(inverse * errors[:, None]).T, 1), errors


def steady_covariance(table):
    """Covariance of standardised columns, (n_columns, n_columns); None with too many
    columns, or very few rows."""
    n_columns = table.rows.shape[1]
    if n_columns > _MOST or len(table.index) < 2 * _FOLDS:
        return None
    # Many small matrices are decomposed, for which threads take longer.
    with one_blas_thread():
        return _steady(table, n_columns)


def _steady(table, n_columns):
    rows, joint = table.rows, (np.zeros(n_columns), np.eye(n_columns))
    which = slice(None if rows.complete else _FEW)
    index, weight = table.index[which], table.weight[which]
    for _ in range(0 if rows.complete else _STEPS):
        _, *joint = expected_moments(rows, index, weight, lambda joint=joint: joint)
    folds = [
        expected_moments(rows, index[k::_FOLDS], weight[k::_FOLDS], lambda: joint)
        for k in range(_FOLDS)
    ]
    losses = np.zeros(len(_RIDGES))
    for held_out in folds:
        rest = NormalMoments.union([fold for fold in folds if fold is not held_out])
        gap = held_out.mean - rest.mean
        variances, axes = eigh(rest.covariance)
        along = ((held_out.covariance + np.outer(gap, gap)) @ axes * axes).sum(axis=0)
        for number, ridge in enumerate(_RIDGES):
            size = _with_ridge(variances.clip(0), 1.0, ridge)
            losses[number] += held_out.weight[0] * (np.log(size) + along / size).sum()
    whole, best = NormalMoments.union(folds).covariance, _RIDGES[losses.argmin()]
    return _with_ridge(whole, np.eye(n_columns), best)


def _with_ridge(covariance, one, ridge):
    share = 1 / (1 + ridge)
    return share * covariance + (1 - share) * one
