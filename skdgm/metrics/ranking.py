"""Quality of a ranking of anomalies by log-likelihood.

Anomalies are rows with a low log-likelihood.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.utils import check_consistent_length, column_or_1d

from skdgm.typing import ArrayLike
from skdgm.utils.counts import count
from skdgm.utils.domains import as_numbers


class AnomalyReport(NamedTuple):
    """Result of :func:`anomaly_report`.

    Parameters
    ----------
    roc_auc : float
        Area under the ROC curve.
    average_precision : float
        Area under the precision-recall curve.
    precision_at_k : float
        Share of anomalies among the k least likely rows.
    k : int
        Number of inspected rows.

    See Also
    --------
    anomaly_report : Function that returns the result.
    skdgm.DensityOutlierDetector : Outlier detector of a density.
    """

    roc_auc: float
    average_precision: float
    precision_at_k: float
    k: int


def anomaly_report(
    y_true: ArrayLike, log_likelihood: ArrayLike, *, k: int | None = None
) -> AnomalyReport:
    """Compute ROC AUC, average precision and precision at k of a likelihood ranking.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        1 (or True) for anomalies and 0 for other rows; or, as in scikit-learn's outlier
        detectors, -1 for anomalies and 1 for other rows.
    log_likelihood : array-like of shape (n_samples,)
        Output of ``score_samples``, which is low for anomalies.
    k : int, default=None
        Number of rows to inspect; by default the number of anomalies.

    Returns
    -------
    report : AnomalyReport

    Raises
    ------
    ValueError
        Only one class is present, labels are unknown, or k is out of range.

    Examples
    --------
    >>> from skdgm.metrics import anomaly_report
    >>> anomaly_report([0, 0, 1, 1], [-1.0, -3.0, -2.0, -9.0])
    AnomalyReport(roc_auc=0.75, average_precision=0.8333333333333333, \
precision_at_k=0.5, k=2)
    """
    y_true = column_or_1d(y_true)
    name, options = "log_likelihood", {"ensure_2d": False, "ensure_all_finite": False}
    scores = as_numbers(log_likelihood, name, "anomaly_report", **options)
    scores = column_or_1d(scores)
    check_consistent_length(y_true, scores)
    if np.isnan(scores).any():
        raise ValueError("log_likelihood has NaN, which has no rank.")
    # Ranks exist for minus infinity, the log-likelihood of impossible rows.
    scores = rankdata(scores, "dense")
    kinds = set(y_true.tolist())
    if kinds == {-1, 1}:
        anomalous = y_true == -1
    elif kinds == {0, 1}:
        anomalous = y_true == 1
    else:
        raise ValueError(
            "y_true must have anomalies and others, as 1 and 0, or as -1 and 1; it has "
            f"{sorted(kinds, key=repr)}."
        )
    k = int(anomalous.sum()) if k is None else k
    count(k, "k", 1, len(scores))
    first = np.argsort(scores, kind="stable")[:k]
    return AnomalyReport(
        float(roc_auc_score(anomalous, -scores)),
        float(average_precision_score(anomalous, -scores)),
        float(anomalous[first].mean()),
        k,
    )
