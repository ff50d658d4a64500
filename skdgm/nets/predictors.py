r"""Predictors of each unit of a code from all other units.

Hidden layers are trained by gradients; output layers are solutions of least squares,

.. math:: \hat h_k = \bar h_k + w_k^\top (z_k - \bar z_k), \qquad
   w_k = (C_{zz} + \lambda D)^{-1} C_{zh_k}

with features :math:`z_k` of all other units, covariances C and the variances D of
features. Without hidden layers the features are the units, and all weights follow from
the inverse P of a single covariance matrix: :math:`w_{jk} = -P_{jk} / P_{kk}`.
"""

from typing import NamedTuple

import numpy as np
from autograd.extend import defvjp
from sklearn.model_selection import KFold

from skdgm.nets.layers import serial
from skdgm.nets.masks import masked_dense
from skdgm.nets.tape import primitive
from skdgm.utils.tree import copy

# Ridge penalty of least squares, a share of the variance of each feature, for units and
# for hidden units; and its minimum. Codes learn to exploit a large penalty of units.
# With a small penalty of hidden units, predictors would read one bit in the last digits
# of the others.
_RIDGE, _RIDGE_HIDDEN, _MIN_RIDGE = 1e-7, 1e-3, 1e-12
# Minimum window of running moments, in updates and in rows for each feature.
_UPDATES, _ROWS = 10, 10
_FOLDS = 5


class PredictorMoments(NamedTuple):
    """Running means of features and units, and of their products, in float64, and the
    number of updates."""

    n_updates: np.ndarray
    mean: np.ndarray
    product: np.ndarray

    def followed(self, moments, n_rows):
        """Update the running means by the moments of a batch of ``n_rows``."""
        t, n_features = self.n_updates + 1, self.mean.shape[-1]
        window = max(_UPDATES, _ROWS * n_features / n_rows)
        decay = 1 - 1 / min(t[0], window)
        mean, product = (
            decay * a + (1 - decay) * b
            for a, b in zip((self.mean, self.product), moments)
        )
        return PredictorMoments(t, mean, product)


class UnitPredictors:
    """Net that predicts each of ``n_units`` numbers from all others. Each number has
    its own net, with hidden layers of the given ``sizes``. An optimizer trains hidden
    layers; :meth:`solve` sets the output layer."""

    def __init__(self, n_units, sizes=(), activation="tanh", init="glorot_uniform"):
        units, below, layers = np.arange(n_units), np.arange(n_units), []
        for number, size in enumerate((*sizes, 1)):
            above = np.repeat(units, size)
            mask = below[:, None] == above if number else below[:, None] != above
            name = activation if number < len(sizes) else "identity"
            layers.append(masked_dense(mask, name, init))
            below = above
        self.n_units, self.deep = n_units, bool(sizes)
        self.n_features = sizes[-1] if sizes else n_units
        self._net, self._hidden = serial(*layers), serial(*layers[:-1])

    def init(self, rng, dtype):
        """Draw parameters and statistics; also return the moments of no rows."""
        _, params, statistics = self._net.init(rng, self.n_units, dtype)
        shape = (self.n_units, self.n_features + 1) if self.deep else (self.n_units,)
        product = np.zeros((*shape, shape[-1]))
        moments = PredictorMoments(np.zeros(1), np.zeros(shape), product)
        return params, statistics, moments

    def apply(self, params, statistics, h):
        """Predictions of codes h, (n_rows, n_units)."""
        return self._net.apply(params, statistics, h)[0]

    def moments(self, params, statistics, h):
        """Means of features and units, and of their products, for codes h."""
        z = h.astype(np.float64)
        if not self.deep:
            return z.mean(axis=0), z.T @ z / len(z)
        hidden = self._hidden.apply(params[:-1], statistics[:-1], h)[0]
        hidden = hidden.reshape(len(h), self.n_units, self.n_features)
        z = np.concatenate([hidden, z[:, :, None]], axis=2).transpose(1, 0, 2)
        return z.mean(axis=1), z.transpose(0, 2, 1) @ z / len(h)

    def solve(self, params, mean, product):
        """Set the output layer, in place, to the least-squares solution."""
        C = product - mean[..., :, None] * mean[..., None, :]
        units = np.arange(self.n_units)
        spread = np.einsum("...ii->...i", C)
        ridge = _RIDGE_HIDDEN if self.deep else _RIDGE
        C = C + (ridge * spread + _MIN_RIDGE)[..., None] * np.eye(C.shape[-1])
        W, b = params[-1]
        W[:] = 0
        if self.deep:
            weights = np.linalg.solve(C[:, :-1, :-1], C[:, :-1, -1:])[..., 0]
            W.reshape(self.n_units, self.n_features, -1)[units, :, units] = weights
            b[:] = mean[:, -1] - (weights * mean[:, :-1]).sum(axis=1)
        else:
            P = np.linalg.inv(C)
            weights = -P / np.diag(P)
            weights[units, units] = 0
            W[:] = weights
            b[:] = mean - mean @ weights

    def held_out(self, params, statistics, h):
        """Cross-validated predictions of codes h, (n_rows, n_units). The output layer
        is fitted to the other folds; a single row is predicted by ``params``."""
        if len(h) < 2:
            return self.apply(params, statistics, h)
        params, predictions = copy(params), np.empty_like(h)
        for train, test in folds(len(h)).split(h):
            mean, product = self.moments(params, statistics, h[train])
            self.solve(params, mean, product)
            predictions[test] = self.apply(params, statistics, h[test])
        return predictions


def folds(n_rows):
    """Folds of a cross-validation of shuffled rows."""
    return KFold(min(_FOLDS, n_rows), shuffle=True, random_state=0)


@primitive
def squared_gap(predictions, h):
    """Squared distance between each row of a code and its prediction, (n_rows,)."""
    return ((predictions - h) ** 2).sum(axis=1)


defvjp(
    squared_gap,
    lambda _, predictions, h: lambda grad: 2 * grad[:, None] * (predictions - h),
    lambda _, predictions, h: lambda grad: 2 * grad[:, None] * (h - predictions),
)
