r"""Any density as an outlier detector.

.. math:: x \text{ is an outlier} \iff \log p(x) < t, \qquad
   P_\text{train}(\log p(x) < t) = \text{contamination}
"""

from numbers import Real

import numpy as np
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    MetaEstimatorMixin,
    OutlierMixin,
    _fit_context,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.validation import check_is_fitted

from skdgm.boltzmann import GaussianRBM


class DensityOutlierDetector(OutlierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Call the least likely rows outliers.

    .. math:: \hat y(x) = \mathrm{sign}(\log p(x) - t)

    with the quantile t of the training rows' log-likelihoods.

    Parameters
    ----------
    estimator : object, default=None
        With ``fit`` and ``score_samples``: a model of skdgm, a Pipeline that ends with
        one, ``KernelDensity``, ``GaussianMixture``; or such a one, fitted, in
        scikit-learn's ``FrozenEstimator``. By default a :class:`~skdgm.GaussianRBM`.
    contamination : float, default=0.1
        The share of training rows that are outliers.

    Attributes
    ----------
    estimator_ : object
        The fitted density.
    offset_ : float
        The log-likelihood below which rows are outliers, in nats.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)

    References
    ----------
    Bishop (1994). Novelty detection and neural network validation. IEE Proceedings.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skdgm.anomaly import DensityOutlierDetector
    >>> X = load_iris().data
    >>> detector = DensityOutlierDetector(contamination=0.02).fit(X)
    >>> detector.predict([[50.0, 1.0, 4.0, 0.2]])
    array([-1])
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "score_samples"]), None],
        "contamination": [Interval(Real, 0, 0.5, closed="right")],
    }

    def __init__(self, estimator=None, *, contamination=0.1):
        self.estimator = estimator
        self.contamination = contamination

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **fit_params):
        """Learn the density, and what is unlikely.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Ignored.
        **fit_params
            For the density's ``fit``, as ``sample_weight``; what it requests of them,
            if metadata routing is enabled.

        Returns
        -------
        self : DensityOutlierDetector

        Raises
        ------
        ValueError
            The density is 0 at as many rows as are to be outliers.
        """
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        self.estimator_ = clone(self._density()).fit(X, y, **fit_params)
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        scores = self.estimator_.score_samples(X)
        with np.errstate(invalid="ignore"):
            offset = float(np.percentile(scores, 100 * self.contamination))
        if not np.isfinite(offset):
            raise ValueError(
                f"The density is 0 at {np.isneginf(scores).sum()} of {len(scores)} "
                "rows, which leaves no threshold between these and others: take a "
                "smoother density, or a higher contamination."
            )
        self.offset_ = offset
        return self

    def score_samples(self, X):
        """Log-likelihoods of rows, in nats.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self.estimator_.score_samples(X)

    def decision_function(self, X):
        """By how many nats rows are likelier than the least likely that are inliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X):
        """1 for inliers, -1 for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def get_metadata_routing(self):
        """What is handed to the density's ``fit``.

        Returns
        -------
        routing : MetadataRouter
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self)
        return router.add(estimator=self._density(), method_mapping=mapping)

    def _density(self):
        return GaussianRBM(random_state=0) if self.estimator is None else self.estimator

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self._density()).input_tags
        tags.input_tags.sparse = inner.sparse
        tags.input_tags.allow_nan = inner.allow_nan
        tags.input_tags.positive_only = inner.positive_only
        return tags
