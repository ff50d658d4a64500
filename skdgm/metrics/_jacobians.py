r"""Log determinants of the Jacobians of fitted transformers.

.. math:: \log \left|\det \frac{\partial T}{\partial x}\right| =
   \sum_i \log \frac{\partial T_i}{\partial x_i}

for scalers and power transformations [1]_, which act on each column separately. It is
:math:`-\tfrac12 \sum_i \log \lambda_i` for whitening by all principal components, of
variances :math:`\lambda_i`, and zero for a rotation without whitening.

References
----------
.. [1] Yeo and Johnson (2000). A new family of power transformations to improve
   normality or symmetry. Biometrika.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

KNOWN = (
    "StandardScaler, RobustScaler, MinMaxScaler and MaxAbsScaler (not clipping), "
    "PowerTransformer, PCA with all components"
)

# Variances below this many rounding errors of the largest one, times the number of
# columns, are those of linearly dependent columns.
_NOISE = 10


def log_abs_det(step, X):
    """Log absolute Jacobian determinant of a fitted transformer at each row.

    Parameters
    ----------
    step : object
        Fitted transformer. Its own ``log_abs_det_jacobian(X)`` is used if it has one.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Input of the transformer. Missing entries (NaN) contribute nothing.

    Returns
    -------
    log_det : ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        The determinant of this transformer is not known.
    ValueError
        A whitened direction has no variance, so that there is no density.
    """
    if hasattr(step, "log_abs_det_jacobian"):
        return step.log_abs_det_jacobian(X)
    if isinstance(step, PowerTransformer):
        return np.nansum(_log_powers(step, np.asarray(X, dtype=float)), axis=1)
    logs = _log_slopes(step)
    if logs is None:
        raise TypeError(
            f"log_density knows no determinant of {type(step).__name__}, as it is set: "
            f"a density has one behind {KNOWN}, and transformers with a method "
            "log_abs_det_jacobian(X)."
        )
    if sp.issparse(X):
        missing = X.tocsr(copy=True)
        missing.data = np.isnan(missing.data).astype(float)
        return logs.sum() - missing @ logs
    return ~np.isnan(np.asarray(X, dtype=float)) @ logs


def _log_slopes(step):
    """Log scale factor of each column or principal direction; None if the transformer
    does not scale, or is unknown."""
    if isinstance(step, StandardScaler) and step.scale_ is None:
        return np.zeros(step.n_features_in_)
    if isinstance(step, StandardScaler):
        # The scale of a column whose variance is only rounding error is set to 1.
        return _filled(-np.log(step.scale_), np.isclose(step.scale_**2, step.var_))
    if isinstance(step, MinMaxScaler) and not step.clip:
        return _filled(np.log(step.scale_), step.data_range_ > 0)
    if isinstance(step, MaxAbsScaler) and not step.clip:
        return _filled(-np.log(step.scale_), step.max_abs_ > 0)
    if isinstance(step, RobustScaler):
        scale = step.scale_
        return np.zeros(step.n_features_in_) if scale is None else -np.log(scale)
    if isinstance(step, PCA) and step.n_components_ == step.n_features_in_:
        return _log_whitening(step)
    return None


def _log_whitening(pca):
    """Log scale factors of the principal directions, zeros without whitening."""
    variance = pca.explained_variance_
    if not pca.whiten:
        return np.zeros(len(variance))
    rounding = np.finfo(variance.dtype).eps * variance.max()
    if variance.min() <= _NOISE * len(variance) * rounding:
        raise ValueError(
            "Columns that PCA(whiten=True) was fitted to are constant or linearly "
            "dependent, so there is no density behind it. Drop such columns."
        )
    return -0.5 * np.log(variance)


def _filled(logs, varies):
    """Log scale factors, with those of constant columns set to the others' mean."""
    return np.where(varies, logs, logs[varies].mean() if varies.any() else 0.0)


def _log_powers(step, X):
    """Log derivative of a power transformation at each entry."""
    exponents = step.lambdas_ - 1
    if step.method == "box-cox":
        logs = exponents * np.log(X)
    else:
        logs = exponents * np.sign(X) * np.log1p(np.abs(X))
    return logs + _log_slopes(step._scaler) if step.standardize else logs
