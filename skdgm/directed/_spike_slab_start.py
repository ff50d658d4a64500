r"""Weights with which learning of spike and slab sparse coding begins.

Independent components are found by the fixed-point iteration [1]_ for white rows z,

.. math:: W \leftarrow \mathrm{polar}\bigl(\mathrm{E}[\tanh(W z) z^\top]
   - \mathrm{diag}(\mathrm{E}[1 - \tanh^2(W z)]) \, W\bigr)

scikit-learn's FastICA would warn that this did not settle, and filters of warnings are
those of all threads: fits run in joblib's, too.

References
----------
.. [1] Hyvärinen (1999). Fast and robust fixed-point algorithms for independent
   component analysis. IEEE Transactions on Neural Networks.
"""

import numpy as np
from scipy.linalg import polar

# Noise of weights that are rows, and largest magnitude of the entries of a row.
_NOISE, _FAR = 0.01, 50.0
# Most iterations, and the change of a cosine at which they end.
_N_ITER, _SETTLED = 100, 1e-3
# Least spread of a direction, relative to that of the widest.
_NARROW = 1e-4


def of_rows(v, rng):
    """Weights W, (n_columns, n_components), that are rows v, with a little noise."""
    return (_near(v) + _NOISE * rng.normal(size=v.shape)).T


def of_directions(W, v, rng):
    """Weights W of which the first are replaced by independent components of rows v,
    each with the sign for which it is skewed to the right, and if there is room also
    with the other sign."""
    x, k = _near(v), W.shape[1]
    u, spread, axes = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    m = min(k, np.count_nonzero(spread > _NARROW * max(spread[0], _NARROW)))
    if not m:
        return W
    size = np.sqrt(len(x))
    z = u[:, :m] * size
    rotation = _independent(z, rng)
    sign = np.where(((z @ rotation.T) ** 3).mean(axis=0) < 0, -1.0, 1.0)
    components = (axes[:m].T * (spread[:m] / size)) @ rotation.T * sign
    room = k - 2 * m
    return np.hstack(
        [components, W[:, m:]] if room < 0 else [components, -components, W[:, 2 * m :]]
    )


def _near(v):
    """Rows with missing entries, NaN, at the mean, and far ones at a limit."""
    return np.nan_to_num(v).clip(-_FAR, _FAR)


def _independent(z, rng):
    """Rotation of white rows z, (n_rows, m), to independent components, (m, m)."""
    rotation = polar(rng.normal(size=(z.shape[1],) * 2))[0]
    for _ in range(_N_ITER):
        y = np.tanh(z @ rotation.T)
        slope = (1 - y**2).mean(axis=0)[:, None]
        new = polar(y.T @ z / len(z) - slope * rotation)[0]
        cosine, rotation = abs((new * rotation).sum(axis=1)), new
        if (cosine > 1 - _SETTLED).all():
            break
    return rotation
