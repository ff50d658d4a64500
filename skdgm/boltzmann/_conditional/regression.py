r"""Initial weights of conditions, by a regression for each column.

.. math:: \hat\beta = (X^\top X + \alpha I)^{-1} X^\top Y

for conditions X, of mean 0, and columns Y less their means; alpha is what generalised
cross-validation chooses for all columns together [1]_.

References
----------
.. [1] Golub, Heath and Wahba (1979). Generalized cross-validation as a method for
   choosing a good ridge parameter. Technometrics.
"""

import numpy as np

from skdgm.distributions import Normal
from skdgm.energies import plain

# Most conditions for a regression; values of alpha, in shares of the
# total weight of rows.
_MOST, _ALPHAS = 2000, 10.0 ** np.arange(-6, 2, 0.5)
# Standard deviations beyond which a value of y counts no more.
_FAR = 10.0


def regressed(objective, params):
    """Parameters with weights from conditions to real columns, and precisions of these,
    by regressions."""
    units, couplings = plain(params)
    units, couplings = list(units), list(couplings)
    energy, n = objective.energy, len(objective.layout.units)
    which = [block for block in range(n) if energy.units[block].form == "normal"]
    if not which or energy.units[-1].size > _MOST:
        return params
    total, XX, Y, XY = _moments(objective, which)
    beta, error = _ridge(total, XX, Y, XY)
    stops = np.cumsum([energy.units[block].size for block in which])[:-1]
    weights, errors = np.split(beta, stops, axis=1), np.split(error, stops)
    for block, weights_of_block, left in zip(which, weights, errors):
        dtype = couplings[n + block].dtype
        if energy.units[block].precision != "fixed":
            least = max(energy.units[block].min_variance, 1e-3)
            left = left if energy.units[block].precision == "diagonal" else left.mean()
            mean = units[block].mean
            variance = np.broadcast_to(left.clip(least, 1), mean.shape)
            units[block] = Normal(mean, -np.log(variance).astype(dtype))
        couplings[n + block] = np.ascontiguousarray(weights_of_block.T).astype(dtype)
    return params._replace(units=tuple(units), couplings=tuple(couplings))


def _moments(objective, which):
    """Total weight, and weighted sums of products of conditions, squares of columns,
    and products of both, in float64."""
    # With early stopping the table is that of the conditions.
    table, rows, total, Y, XY = objective.table, objective.rows, 0.0, 0.0, 0.0
    XX = np.zeros((objective.energy.units[-1].size,) * 2)
    fills = np.concatenate([objective.layout.fills[block] for block in which])
    for part in rows.blocks(len(table.index)):
        index, weight = table.index[part], table.weight[part]
        blocks = objective.layout.split(rows.take(index))
        y = np.concatenate([np.asarray(blocks[b], np.float64) for b in which], axis=1)
        y = np.nan_to_num(y - fills).clip(-_FAR, _FAR)
        x = np.asarray(rows.beside(index), np.float64)
        total, weighted = total + weight.sum(), x * weight[:, None]
        XX += weighted.T @ x
        XY, Y = XY + weighted.T @ y, Y + weight @ y**2
    return total, XX, Y, XY


def _ridge(total, XX, Y, XY):
    """Weights, and mean squared errors of the columns as cross-validation expects
    them."""
    values, U = np.linalg.eigh(XX)
    values, P = values.clip(0), U.T @ XY
    best = None
    for alpha in _ALPHAS * total:
        shrunk = P / (values + alpha)[:, None]
        left = Y - 2 * (shrunk * P).sum(axis=0) + (values @ shrunk**2)
        free = 1 - (values / (values + alpha)).sum() / max(total, 1.0)
        error = left.clip(0) / total / max(free, 1e-3) ** 2
        score = (error / np.maximum(Y / total, 1e-12)).mean()
        if best is None or score < best[0]:
            best = score, U @ shrunk, error
    return best[1:]
