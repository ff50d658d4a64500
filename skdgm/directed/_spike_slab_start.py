r"""Initial weights of spike-and-slab sparse coding.

Independent components are found by the fixed-point iteration [1]_ for whitened rows z,

.. math:: W \leftarrow \mathrm{polar}\bigl(\mathrm{E}[\tanh(W z) z^\top]
   - \mathrm{diag}(\mathrm{E}[1 - \tanh^2(W z)]) \, W\bigr)

scikit-learn's FastICA is not used because it warns if it does not converge. Suppressing
its warnings is not thread-safe, and fits also run in joblib's threads.

References
----------
.. [1] Hyvärinen (1999). Fast and robust fixed-point algorithms for independent
   component analysis. IEEE Transactions on Neural Networks.
"""

import numpy as np
from scipy.linalg import polar

# Noise of weights that are rows, and the maximum magnitude of their entries.
_NOISE, _MAX_MAGNITUDE = 0.01, 50.0
# Maximum number of iterations, and the tolerance of cosines.
_N_ITER, _TOLERANCE = 100, 1e-3
# Minimum spread of a direction, relative to the widest direction.
_MIN_SPREAD = 1e-4


def of_rows(v, rng):
    """Weights W, (n_columns, n_components): the rows v with a little noise."""
    return (_near(v) + _NOISE * rng.normal(size=v.shape)).T


def of_directions(W, v, rng):
    """Weights W whose first columns are replaced by independent components of rows v.
    Signs are chosen for positive skewness; if there is room, negated components are
    added."""
    x, k = _near(v), W.shape[1]
    u, spread, axes = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    m = min(k, np.count_nonzero(spread > _MIN_SPREAD * max(spread[0], _MIN_SPREAD)))
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
    """Rows with missing entries (NaN) at the mean, and clipped entries."""
    return np.nan_to_num(v).clip(-_MAX_MAGNITUDE, _MAX_MAGNITUDE)


def _independent(z, rng):
    """Rotation of whitened rows z, (n_rows, m), to independent components, (m, m)."""
    rotation = polar(rng.normal(size=(z.shape[1],) * 2))[0]
    for _ in range(_N_ITER):
        y = np.tanh(z @ rotation.T)
        slope = (1 - y**2).mean(axis=0)[:, None]
        new = polar(y.T @ z / len(z) - slope * rotation)[0]
        cosine, rotation = abs((new * rotation).sum(axis=1)), new
        if (cosine > 1 - _TOLERANCE).all():
            break
    return rotation
