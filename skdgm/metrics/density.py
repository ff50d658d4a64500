r"""Densities of data behind invertible preprocessing.

.. math:: \log p_X(x) = \log p_T(T(x)) + \log \left|\det \frac{\partial T}{\partial
   x}\right|

so that the density of a Pipeline is in the units of what is put into it: data that are
multiplied by a number get a density that is divided by it, column by column, and
nothing else changes. A probability of binary rows has no units, and no correction.
"""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skdgm.metrics._models import check_density

_SCALERS = "StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler"


def measure(estimator):
    """What an estimator's ``score_samples`` is the logarithm of.

    Parameters
    ----------
    estimator : object
        Of a Pipeline the last step counts.

    Returns
    -------
    measure : {"probability", "density"}
    """
    if isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return getattr(getattr(estimator, "_domain", None), "measure", "density")


def log_density(estimator, X):
    """Log-likelihoods of rows in their own units, in nats.

    Parameters
    ----------
    estimator : object
        Fitted, with ``score_samples``; or a Pipeline with such a last step, and others
        that scale columns, or have a method ``log_abs_det_jacobian(X)``.
    X : array-like of shape (n_samples, n_features)
        NaN is missing, where all steps can; the density is then of what is there.
        Constant columns, which scalers leave as they are, count as if their scale was
        the others' geometric mean.

    Returns
    -------
    log_p : ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        There is no ``score_samples``, or a step has no known determinant.

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
    check_density(estimator, "log_density")
    if not isinstance(estimator, Pipeline):
        return estimator.score_samples(X)
    log_det, discrete = 0.0, measure(estimator) == "probability"
    for _, step in estimator.steps[:-1]:
        if step is None or step == "passthrough":
            continue
        if not discrete:
            log_det = log_det + log_abs_det(step, X)
        X = step.transform(X)
    return estimator[-1].score_samples(X) + log_det


def log_abs_det(step, X):
    """Log of the absolute value of a fitted transformer's Jacobian determinant.

    Parameters
    ----------
    step : object
    X : array-like of shape (n_samples, n_features)
        What is put into it.

    Returns
    -------
    log_det : ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        It is not known.
    """
    if hasattr(step, "log_abs_det_jacobian"):
        return step.log_abs_det_jacobian(X)
    slopes = _slopes(step)
    if slopes is None:
        raise TypeError(
            f"log_density knows no determinant of {type(step).__name__}: a density has "
            f"one behind {_SCALERS} (not clipping), and transformers with a method "
            "log_abs_det_jacobian(X)."
        )
    seen = ~np.isnan(np.asarray(X, dtype=float))
    return seen @ np.broadcast_to(np.log(slopes), seen.shape[1])


def _slopes(step):
    """By what a scaler multiplies each column; None if it is none."""
    if isinstance(step, MinMaxScaler):
        return None if step.clip else _known(step.scale_, step.data_range_ > 0)
    if isinstance(step, MaxAbsScaler):
        return _known(1.0 / step.scale_, step.max_abs_ > 0)
    if isinstance(step, StandardScaler):
        if step.scale_ is None:
            return 1.0
        return _known(1.0 / step.scale_, step.var_ > 0)
    if isinstance(step, RobustScaler):
        return 1.0 if step.scale_ is None else 1.0 / step.scale_
    return None


def _known(slopes, varies):
    """Slopes, of constant columns the others' geometric mean."""
    if not varies.any():
        return np.ones_like(slopes)
    return np.where(varies, slopes, np.exp(np.log(slopes[varies]).mean()))
