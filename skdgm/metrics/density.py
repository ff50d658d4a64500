r"""Log densities of data under a Pipeline with invertible preprocessing.

.. math:: \log p_X(x) = \log p_T(T(x)) + \log \left|\det \frac{\partial T}{\partial
   x}\right|

The density of a Pipeline is thus in the units of its input: multiplying a column by a
number divides the density by that number. Probabilities of binary rows have no units
and need no correction.
"""

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skdgm.metrics._jacobians import log_abs_det
from skdgm.metrics._models import check_density, density_of


def measure(estimator):
    """Kind of quantity whose logarithm ``score_samples`` returns.

    Parameters
    ----------
    estimator : object
        Estimator, or Pipeline, of which the last step decides; in an outlier detector,
        its density estimator.

    Returns
    -------
    measure : {"probability", "density"}
        "density" if any column is real, and for estimators that do not declare their
        columns. Those with ``column_types="mixed"`` know theirs after a fit.
    """
    last = parts_of(estimator)[1]
    # Before a fit there is no density, but most kinds of columns are known.
    density = density_of(last)
    domain = getattr(density, "domain", getattr(last, "_domain", None))
    facts = getattr(density, "columns", None), domain
    return next((f.measure for f in facts if hasattr(f, "measure")), "density")


def log_density(estimator, X):
    r"""Log-likelihood of each row in the units of the data, in nats.

    .. math:: \log p_X(x) = \log p_T(T(x)) + \log \left|\det \frac{\partial T}{\partial
       x}\right|

    Parameters
    ----------
    estimator : object
        Fitted estimator with ``score_samples``; or a Pipeline that ends with one and
        whose other steps scale columns, apply power transformations, rotate to all
        principal components, or have a method ``log_abs_det_jacobian(X)``; or an
        outlier detector of such.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Missing entries (NaN) are allowed if all steps accept them; the density is then
        that of the known entries. Constant columns, which scalers do not scale, count
        as if scaled by the geometric mean of the others' scales (except those of
        RobustScaler, which cannot be told from columns of scale 1).

    Returns
    -------
    log_p : ndarray of shape (n_samples,)

    Raises
    ------
    NotFittedError
        The estimator is not fitted.
    TypeError
        There is no ``score_samples``, or a step has no known determinant.
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
    check_density(estimator, "log_density")
    last, seen, log_det = unwound(estimator, X)
    return last.score_samples(seen) + log_det


def parts_of(estimator):
    """Preprocessing steps of nested Pipelines and outlier detectors, and the estimator
    inside all of them.

    Returns
    -------
    steps : list of object
        Fitted transformers, in the order in which they are applied.
    last : object
    """
    steps = []
    while True:
        if isinstance(estimator, Pipeline):
            own = [step for _, step in estimator.steps[:-1]]
            steps += [step for step in own if step not in (None, "passthrough")]
            estimator = estimator[-1]
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "_inner_density"):
            estimator = estimator._inner_density
        else:
            return steps, estimator


def unwound(estimator, X):
    """Estimator inside Pipelines, its input, and the log determinant of preprocessing.

    Parameters
    ----------
    estimator, X
        As for :func:`log_density`.

    Returns
    -------
    last : object
        The innermost estimator, as of :func:`parts_of`.
    seen : {array-like, sparse matrix}
        The rows after all preceding steps.
    log_det : float or ndarray of shape (n_samples,)
        Log absolute Jacobian determinant of these steps, to be added to the
        log-likelihood; 0 for probabilities.
    """
    steps, last = parts_of(estimator)
    log_det, discrete = 0.0, measure(last) == "probability"
    for step in steps:
        # Transforming comes first because it validates X.
        transformed = step.transform(X)
        if not discrete:
            log_det = log_det + log_abs_det(step, X)
        X = transformed
    return last, X, log_det
