r"""Log densities of data under a Pipeline with invertible preprocessing.

.. math:: \log p_X(x) = \log p_T(T(x)) + \log \left|\det \frac{\partial T}{\partial
   x}\right|

Probabilities of binary rows have no units and need no correction. The log-determinant
of a fitted transformer is

.. math:: \log \left|\det \frac{\partial T}{\partial x}\right| =
   \sum_i \log \frac{\partial T_i}{\partial x_i}

for scalers and power transformations [1]_, which act on each column separately. It is
:math:`-\tfrac12 \sum_i \log \lambda_i` for whitening by all principal components with
variances :math:`\lambda_i`, and zero for a rotation without whitening.

References
----------
.. [1] Yeo and Johnson (2000). A new family of power transformations to improve
   normality or symmetry. Biometrika.
"""

from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

from skdgm.metrics.models import check_can
from skdgm.typing import Data
from skdgm.utils.wrapped import density_of

KNOWN = (
    "StandardScaler, RobustScaler, MinMaxScaler and MaxAbsScaler (not clipping), "
    "PowerTransformer, PCA with all components"
)
# Columns are linearly dependent if a variance is below the number of columns times
# this many rounding errors of the largest variance.
_NOISE = 10


def measure(estimator: object) -> Literal["probability", "density"]:
    """Kind of quantity whose logarithm ``score_samples`` returns.

    Parameters
    ----------
    estimator : object
        Estimator, Pipeline with an estimator as last step, or outlier detector.

    Returns
    -------
    measure : {"probability", "density"}
        "density" if any column is real, or if the estimator does not declare its
        columns. Estimators that infer columns from data declare them after ``fit``.
    """
    last = parts_of(estimator)[1]
    # Most types of columns are known before a fit.
    density = density_of(last)
    domain = getattr(density, "domain", getattr(last, "_domain", None))
    facts: Any = getattr(density, "columns", None), domain
    return next((f.measure for f in facts if hasattr(f, "measure")), "density")


def log_density(estimator: object, X: Data) -> np.ndarray | list:
    r"""Log-likelihood of each row in the units of the data, in nats.

    .. math:: \log p_X(x) = \log p_T(T(x)) + \log \left|\det \frac{\partial T}{\partial
       x}\right|

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``score_samples``, an outlier detector with one, or a
        Pipeline that ends with one. Other steps of the Pipeline scale columns, apply
        power transformations, rotate to all principal components, or have a method
        ``log_abs_det_jacobian(X)``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Missing entries (NaN) are allowed if all steps accept them; the density is then
        that of the known entries. Scalers do not scale constant columns, which count as
        if scaled by the geometric mean of the scales of other columns. RobustScaler is
        an exception, as its constant columns cannot be distinguished from columns of
        scale 1.

    Returns
    -------
    log_p : ndarray of shape (n_samples,)

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        The estimator has no ``score_samples``, or a step has no known Jacobian
        determinant.
    ValueError
        Whitened columns are linearly dependent.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdgm import GaussianRBM
    >>> from skdgm.metrics import log_density
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(8, n_iter=20, random_state=0)
    >>> pipe = make_pipeline(StandardScaler(), rbm)
    >>> inches = log_density(pipe.fit(X / 4), X / 4).mean()
    >>> quarters = log_density(pipe.fit(X), X).mean()
    >>> bool(np.isclose(inches - quarters, 4 * np.log(4)))
    True
    """
    check_can("log_prob", estimator, "log_density")
    last, seen, log_det = apply_preprocessing(estimator, X)
    log_p = last.score_samples(seen)
    # Estimators of sequences return a list.
    if isinstance(log_p, list):
        return [part + log_det for part in log_p]
    return log_p + log_det


def parts_of(estimator):
    """Preprocessing steps of nested Pipelines, searches and outlier detectors, in the
    order of their application, and the innermost estimator."""
    steps = []
    while True:
        if isinstance(estimator, Pipeline):
            inner = [step for _, step in estimator.steps[:-1]]
            steps += [step for step in inner if step not in (None, "passthrough")]
            estimator = estimator[-1]
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "density_estimator"):
            estimator = estimator.density_estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return steps, estimator


def apply_preprocessing(estimator, X):
    """Innermost estimator, rows after all preprocessing steps, and log absolute
    Jacobian determinant of the steps, to be added to the log-likelihood; 0 for
    probabilities."""
    steps, last = parts_of(estimator)
    log_det, discrete = 0.0, measure(last) == "probability"
    for step in steps:
        # Transforming comes first because it validates X.
        transformed = step.transform(X)
        if not discrete:
            log_det = log_det + log_abs_det(step, X)
        X = transformed
    return last, X, log_det


def log_abs_det(step, X):
    """Log absolute Jacobian determinant of a fitted transformer at each row.

    A method ``log_abs_det_jacobian(X)`` of the transformer is used if it exists.
    Missing entries contribute nothing. TypeError if the determinant is unknown;
    ValueError if a whitened direction has no variance.
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
    """Log scale factor of each column or principal direction; None if unknown."""
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
    """Log scale factors of the principal directions; zeros without whitening."""
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
    """Log scale factors; those of constant columns are the mean of the others."""
    return np.where(varies, logs, logs[varies].mean() if varies.any() else 0.0)


def _log_powers(step, X):
    """Log derivative of a power transformation at each entry."""
    exponents = step.lambdas_ - 1
    if step.method == "box-cox":
        logs = exponents * np.log(X)
    else:
        logs = exponents * np.sign(X) * np.log1p(np.abs(X))
    return logs + _log_slopes(step._scaler) if step.standardize else logs
