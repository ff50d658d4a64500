r"""Outlier detection with any density estimator.

.. math:: x \text{ is an outlier} \iff s(x) < t, \qquad
   P_\text{train}(s(x) < t) = \text{contamination}

The score s of a row is its log-likelihood, or the score of its least likely entry,

.. math:: s(x) = \min_j \; \log p(x_j \mid x_{\setminus j}) - u_j

relative to the mean :math:`u_j` of its column. The second score does not depend on the
units of columns. A log-likelihood depends on the logarithms of units, so that rows with
large but usual amounts have low scores. The default is a sum of standardized
surprisals, in which no single density and no unit dominates.
"""

from functools import partial
from inspect import signature
from numbers import Real
from typing import Annotated, Any, Literal, Self

import numpy as np
from sklearn.base import OutlierMixin, _fit_context, clone
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skdgm.anomaly.surprisal import Surprisal
from skdgm.base import reads_one_fit
from skdgm.base.frames import in_format_of
from skdgm.base.meta import MetaEstimator, weight_of
from skdgm.base.options import KW_ONLY
from skdgm.typing import ArrayOrFrame, Data, Target
from skdgm.utils.math import shares

__all__ = ["DensityOutlierDetector"]


def _scores_features(detector):
    """Return whether the density estimator has scores of entries."""
    return hasattr(detector.density_estimator, "score_features")


@reads_one_fit
class DensityOutlierDetector(OutlierMixin, MetaEstimator):
    r"""Outlier detector that thresholds the scores of a density estimator.

    .. math:: \hat y(x) = \mathrm{sign}(s(x) - t)

    where s is the log-likelihood of a row, or of its least likely entry. The threshold
    t is the ``contamination`` quantile of the scores of the training rows, weighted by
    their ``sample_weight``; a row exactly at the threshold is an inlier.

    Without an ``estimator``, the score is a sum over entries,

    .. math:: s(x) = -\sum_m \frac{w_m}{\sigma_m}
        \sum_j \bigl(e_{mj}(x) - \bar e_{mj}\bigr)

    of four kinds of surprisal e, relative to their means in each column and the
    standard deviations :math:`\sigma_m` of their sums. They are negative
    log-likelihoods by

    - histograms of ten bins, or of up to fifteen values or all categories, as in [2]_,
      with weight 0.4;
    - a normal distribution of inverse hyperbolic sines of columns, which are scaled by
      their quartiles, with weight 0.2: half the squared Mahalanobis distance;
    - Cauchy distributions of the standardized residuals of each column given all
      others, by the same normal distribution, with weight 0.2;
    - a mixture of at most 20 normal distributions with independent columns, with weight
      0.2.

    The weights, and all other constants, were chosen on twelve tables. Histograms
    detect extreme and rare values, the normal distribution and its residuals wrong
    combinations, and the mixture rows between clusters. Categories of a DataFrame are
    columns of zeros and ones. Missing entries have a score of 0. If there are more than
    20,000 distinct rows, an evenly spaced part is learned. No random numbers are
    involved.

    Parameters
    ----------
    estimator
        Density estimator with ``fit`` and ``score_samples``: a model of skdgm, a
        Pipeline that ends with one, ``KernelDensity`` or ``GaussianMixture``; or a
        fitted estimator wrapped in scikit-learn's ``FrozenEstimator``. If None, the
        small densities above.
    contamination
        Fraction of the training rows that are outliers, in (0, 0.5].
    score_by
        "row": the log-likelihood, or the sum above, which detects rows that are unusual
        as a whole. "column": the score of the least likely entry given all other
        entries of its row, relative to the mean of its column, which detects rows with
        a wrong entry. Models other than :class:`~skdgm.EoNADE` condition on previous
        entries only. "column" requires a model with ``score_features``.

    Attributes
    ----------
    estimator_ : object
        The fitted density estimator.
    offset_ : float
        Threshold: rows with a lower score are outliers. In nats; without an
        ``estimator`` in standard deviations.
    usual_ : ndarray of shape (n_features,)
        Mean score of the entries of each column, in the unit of ``offset_``; only with
        ``score_by="column"``.
    n_features_in_ : int
        Number of columns, if the density estimator has this attribute.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if the density estimator has this attribute.

    See Also
    --------
    skdgm.metrics.anomaly_report : Comparison of detectors.
    sklearn.ensemble.IsolationForest : Detector by random trees.
    sklearn.neighbors.LocalOutlierFactor : Detector by nearest neighbors.

    References
    ----------
    .. [1] Bishop (1994). Novelty detection and neural network validation. IEE
       Proceedings.
    .. [2] Goldstein and Dengel (2012). Histogram-based outlier score (HBOS): a fast
       unsupervised anomaly detection algorithm. KI.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skdgm import DensityOutlierDetector
    >>> X = load_iris().data
    >>> detector = DensityOutlierDetector(contamination=0.02).fit(X)
    >>> detector.predict([[50.0, 1.0, 4.0, 0.2]])
    array([-1])
    >>> detector.score_features([[5.0, 3.5, 1.4, 2.3]]).argmin()
    np.int64(3)
    """

    estimator: Annotated[object, HasMethods(["fit", "score_samples"])] | None = None
    _: KW_ONLY
    contamination: Annotated[float, Interval(Real, 0, 0.5, closed="right")] = 0.1
    score_by: Literal["row", "column"] = "row"

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Data, y: Target = None, **fit_params: Any) -> Self:
        """Fit the density estimator, then set the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : None
            Passed to the density estimator's ``fit``.
        **fit_params
            Arguments of the density estimator's ``fit``, such as ``sample_weight``;
            with metadata routing enabled, the arguments that it requests. Weights, also
            those of a step of a Pipeline (``step__sample_weight``), apply to the
            threshold, too. Integer weights are exactly equivalent to repetitions.

        Returns
        -------
        self : DensityOutlierDetector

        Raises
        ------
        ValueError
            The threshold is not finite, because the density is 0 at more training rows
            than ``contamination`` allows. Or the density estimator has no
            ``score_features``, but ``score_by="column"``.
        """
        return self._fit(X, y, fit_params)

    def _learn(self, X, y, fit_params):
        if self.score_by == "column" and not hasattr(self._model(), "score_features"):
            raise ValueError(
                'score_by="column" is for models with score_features, such as EoNADE '
                f"and NADE, and not for {type(self._model()).__name__}."
            )
        self.estimator_ = clone(self._model()).fit(X, y, **fit_params)
        vars(self).pop("usual_", None)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        if self.score_by == "column":
            entries = self._entries(X)
            weight = weight_of(fit_params, entries)
            share, _ = shares(weight)
            known = np.where(entries != 0, share[:, None], 0)
            seen = np.maximum(known.sum(axis=0), np.finfo(float).tiny)
            total = (known * np.where(known > 0, entries, 0)).sum(axis=0)
            self.usual_ = total / seen
            scores = self._least_usual(entries)
        else:
            scores = self.estimator_.score_samples(X)
            weight = weight_of(fit_params, scores[:, None])
        offset = _quantile(scores, weight, self.contamination)
        if not np.isfinite(offset):
            raise ValueError(
                f"The density is 0 at {np.isneginf(scores).sum()} of {len(scores)} "
                "rows, which leaves no threshold between these and others: take a "
                "smoother density, or a higher contamination."
            )
        self.offset_ = offset

    def _entries(self, X):
        """Log-likelihood of each entry, 0 where missing."""
        score = self.estimator_.score_features
        if "given" in signature(score).parameters:
            score = partial(score, given="others")
        return np.asarray(score(X))

    def _least_usual(self, entries):
        """Minimum over each row of the log-likelihoods of entries relative to the means
        of their columns; 0 if all entries are missing."""
        relative = np.where(entries != 0, entries - self.usual_, np.inf)
        minimum = relative.min(axis=1)
        return np.where(np.isposinf(minimum), 0.0, minimum)

    @available_if(_scores_features)
    def score_features(self, X: Data) -> ArrayOrFrame:
        r"""Score of each entry: low for the columns to blame.

        .. math:: s(x) = \sum_j s_j(x), \qquad s(x) = \min_j s_j(x)

        with ``score_by="row"`` and "column". The sum is exact without an ``estimator``,
        and with models of a single order of the columns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            NaN marks a missing value, whose score is 0.

        Returns
        -------
        scores : ndarray of shape (n_samples, n_features)
            In the unit of ``offset_``. A DataFrame with the index and columns of X if X
            and the training data are DataFrames.

        Raises
        ------
        AttributeError
            The density estimator has no ``score_features``.
        """
        check_is_fitted(self)
        if not hasattr(self, "usual_"):
            return self.estimator_.score_features(X)
        entries = self._entries(X)
        scores = np.where(entries != 0, entries - self.usual_, 0.0)
        return in_format_of(self.estimator_, X, scores)

    def score_samples(self, X: Data) -> np.ndarray:
        """Score of each row: low for outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Log-likelihood, the result of the density estimator's ``score_samples``, in
            nats; the sum of surprisals without an ``estimator``, in standard
            deviations; or the score of the least likely entry, according to
            ``score_by`` in the last fit.
        """
        check_is_fitted(self)
        if hasattr(self, "usual_"):
            return self._least_usual(self._entries(X))
        return self.estimator_.score_samples(X)

    def decision_function(self, X: Data) -> np.ndarray:
        """Score of each row relative to the threshold.

        .. math:: d(x) = s(x) - t

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: Data) -> np.ndarray:
        """Classify rows as inliers (1) or outliers (-1).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of int, of shape (n_samples,)
            1 for inliers, -1 for outliers.
        """
        return np.where(self.decision_function(X) < 0, -1, 1)

    def _default(self):
        return Surprisal()

    @property
    def density_estimator(self) -> Any:
        """The density estimator, fitted if the detector is."""
        return getattr(self, "estimator_", self._model())


def _quantile(values, weight, q):
    """Quantile of values repeated ``weight`` times, as by ``np.quantile``.

    If the smallest weight is below 1, weights are in units of it, so that equal weights
    of up to 1 give the unweighted quantile.
    """
    values, weight = values[weight > 0], weight[weight > 0]
    order = np.argsort(values)
    # Sums of the largest weights must not overflow.
    smallest = max(min(1.0, weight.min()), np.ldexp(weight.max(), -900))
    values, sums = values[order], np.cumsum(weight[order] / smallest)
    position = (sums[-1] - 1) * q
    lower, upper = values[
        np.searchsorted(sums, [position // 1, -(-position // 1)], "right")
    ]
    with np.errstate(invalid="ignore"):
        return float(lower + position % 1 * (upper - lower) if position % 1 else lower)
