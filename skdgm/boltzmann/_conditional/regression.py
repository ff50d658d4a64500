r"""Initial weights of the conditions, by a ridge regression for each column.

.. math:: \hat\beta = (X^\top X + \alpha I)^{-1} X^\top Y

X are the conditions, with mean 0, and Y the centered columns. Generalized
cross-validation chooses the same alpha for all columns [1]_.

References
----------
.. [1] Golub, Heath and Wahba (1979). Generalized cross-validation as a method for
   choosing a good ridge parameter. Technometrics.
"""

from typing import Any

import numpy as np

from skdgm.distributions import Normal
from skdgm.energies import plain

# Maximum number of conditions for regressions; values of alpha, as fractions of the
# total weight of rows.
_MAX_CONDITIONS, _ALPHAS = 2000, 10.0 ** np.arange(-6, 2, 0.5)
# Number of standard deviations at which values of y are clipped.
_MAX_DEVIATION = 10.0


def regressed(objective, params):
    """Parameters whose weights from conditions to real columns, and precisions of real
    columns, come from regressions."""
    units, couplings = plain(params)
    units, couplings = list(units), list(couplings)
    energy, n = objective.energy, len(objective.layout.units)
    real_blocks = [block for block in range(n) if energy.units[block].form == "normal"]
    if not real_blocks or energy.units[-1].size > _MAX_CONDITIONS:
        return params
    total, XX, Y, XY = _moments(objective, real_blocks)
    beta, error = _ridge(total, XX, Y, XY)
    stops = np.cumsum([energy.units[block].size for block in real_blocks])[:-1]
    weights, errors = np.split(beta, stops, axis=1), np.split(error, stops)
    for block, weights_of_block, mse in zip(real_blocks, weights, errors):
        dtype = couplings[n + block].dtype
        if energy.units[block].precision != "fixed":
            min_variance = max(energy.units[block].min_variance, 1e-3)
            mse = mse if energy.units[block].precision == "diagonal" else mse.mean()
            mean = units[block].mean
            variance = np.broadcast_to(mse.clip(min_variance, 1), mean.shape)
            units[block] = Normal(mean, -np.log(variance).astype(dtype))
        couplings[n + block] = np.ascontiguousarray(weights_of_block.T).astype(dtype)
    return params._replace(units=tuple(units), couplings=tuple(couplings))


def _moments(objective, which):
    """Total weight of the rows; weighted sums of products of conditions, of squared
    columns, and of products of both; in float64."""
    # Not table.rows: with early stopping, these are conditions.
    table, rows, total, Y, XY = objective.table, objective.rows, 0.0, 0.0, 0.0
    XX = np.zeros((objective.energy.units[-1].size,) * 2)
    fills = np.concatenate([objective.layout.fills[block] for block in which])
    for batch in rows.blocks(len(table.index)):
        index, weight = table.index[batch], table.weight[batch]
        blocks = objective.layout.split(rows.take(index))
        y = np.concatenate([np.asarray(blocks[b], np.float64) for b in which], axis=1)
        y = np.nan_to_num(y - fills).clip(-_MAX_DEVIATION, _MAX_DEVIATION)
        x = np.asarray(rows.accompanying(index), np.float64)
        total, weighted = total + weight.sum(), x * weight[:, None]
        XX += weighted.T @ x
        XY, Y = XY + weighted.T @ y, Y + weight @ y**2
    return total, XX, Y, XY


def _ridge(total, XX, Y, XY):
    """Weights, and the cross-validated mean squared error of each column."""
    eigenvalues, U = np.linalg.eigh(XX)
    eigenvalues, P = eigenvalues.clip(0), U.T @ XY
    best: Any = None
    for alpha in _ALPHAS * total:
        shrunk = P / (eigenvalues + alpha)[:, None]
        rss = Y - 2 * (shrunk * P).sum(axis=0) + (eigenvalues @ shrunk**2)
        residual_share = 1 - (eigenvalues / (eigenvalues + alpha)).sum() / max(
            total, 1.0
        )
        error = rss.clip(0) / total / max(residual_share, 1e-3) ** 2
        score = (error / np.maximum(Y / total, 1e-12)).mean()
        if best is None or score < best[0]:
            best = score, U @ shrunk, error
    return best[1:]
