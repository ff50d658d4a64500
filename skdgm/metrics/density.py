r"""Densities of data behind invertible preprocessing.

.. math:: \log p_X(x) = \log p_T(T(x)) + \log \left|\det \frac{\partial T}{\partial
   x}\right|

so that the density of a Pipeline is in the units of what is put into it: data that are
multiplied by a number get a density that is divided by it, column by column, and
nothing else changes. A probability of binary rows has no units, and no correction.
"""

from sklearn.pipeline import Pipeline

from skdgm.metrics._jacobians import log_abs_det
from skdgm.metrics._models import check_density


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
        that scale columns, transform them to powers, rotate them to all their principal
        components, or have a method ``log_abs_det_jacobian(X)``.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        NaN is missing, where all steps can; the density is then of what is there.
        Constant columns, which scalers leave as they are, count as if their scale was
        the others' geometric mean (but for RobustScaler's, which does not tell them
        from those of scale 1).

    Returns
    -------
    log_p : ndarray of shape (n_samples,)

    Raises
    ------
    TypeError
        There is no ``score_samples``, or a step has no known determinant.
    ValueError
        Columns that were whitened are linearly dependent.

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


def unwound(estimator, X):
    """What stands behind all preprocessing, and what it sees of rows.

    Parameters
    ----------
    estimator, X
        As of :func:`log_density`.

    Returns
    -------
    last : object
        The estimator, or a Pipeline's last step.
    seen : {array-like, sparse matrix}
        The rows as it sees them.
    log_det : float or ndarray of shape (n_samples,)
        What is added to its log-likelihood of these.
    """
    if not isinstance(estimator, Pipeline):
        return estimator, X, 0.0
    log_det, discrete = 0.0, measure(estimator) == "probability"
    for _, step in estimator.steps[:-1]:
        if step is None or step == "passthrough":
            continue
        # First, as it refuses what it cannot take.
        transformed = step.transform(X)
        if not discrete:
            log_det = log_det + log_abs_det(step, X)
        X = transformed
    return estimator[-1], X, log_det
