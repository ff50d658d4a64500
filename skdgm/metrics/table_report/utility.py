r"""Scores of predictors trained on synthetic and on real rows.

Classifiers are compared by the area under the ROC curve on held-out rows, one-vs-rest
and averaged over classes; regressors by

.. math:: R^2 = 1 - \sum_i (y_i - \hat y_i)^2 / \sum_i (y_i - \bar y)^2.

The standard error of a difference is that of the mean over held-out rows of their
contributions, given the two predictors [1]_.

References
----------
.. [1] DeLong, DeLong and Clarke-Pearson (1988). Comparing the areas under two or more
   correlated receiver operating characteristic curves. Biometrics.
"""

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)

from skdgm.metrics.table_report.encodings import coded, filled


def train_and_test(columns, target, estimator, random_state):
    """Fit predictors of a column to real and to synthetic rows, and score both on
    held-out rows. Rows without the target value are dropped. The default is
    gradient-boosted trees.

    Returns a dict of "target", "metric", the scores "real" and "synthetic", their
    "difference" with its standard error "se", and the number of rows of each fit,
    "n_fitted".
    """
    column_y = columns[target]
    rows = [np.flatnonzero(~np.isnan(part)) for part in column_y.parts]
    if not all(map(len, rows)):
        raise ValueError(
            f"target {column_y.name!r} has no values in one of the tables."
        )
    n = min(len(rows[0]), len(rows[1]))
    rows[:2] = (random_state.permutation(table_rows)[:n] for table_rows in rows[:2])
    columns = [column.take(rows) for column in columns]
    y = columns.pop(target).parts
    if estimator is None:
        classes = column_y.is_discrete or len(np.unique(np.concatenate(y))) <= 2
        tables, discrete = coded(columns)
        kind = HistGradientBoostingRegressor
        kind = HistGradientBoostingClassifier if classes else kind
        seed = random_state.randint(2**31 - 1)
        estimator = kind(categorical_features=discrete, random_state=seed)
    else:
        known = hasattr(estimator, "fit")
        if not known or not (is_classifier(estimator) or is_regressor(estimator)):
            raise TypeError(
                f"estimator must be a classifier or a regressor, not {estimator!r}."
            )
        classes, tables = is_classifier(estimator), filled(columns)
    figures = _auc if classes else _r2
    (real, of_real), (synthetic, of_synthetic) = (
        figures(_predicted(estimator, X, target, tables[2], classes), y[2])
        for X, target in zip(tables[:2], y)
    )
    se = (of_real - of_synthetic).std() / np.sqrt(len(y[2]))
    return {
        "target": column_y.name,
        "metric": "roc_auc" if classes else "r2",
        "real": float(real),
        "synthetic": float(synthetic),
        "difference": float(real) - float(synthetic),
        "se": float(se),
        "n_fitted": n,
    }


def _predicted(estimator, X, y, tested, classes):
    """Predictions for tested rows; for classifiers a dict of scores by class."""
    labels = np.unique(y)
    if classes and len(labels) == 1:
        return {labels[0]: np.ones(len(tested))}
    fitted = clone(estimator).fit(X, y.astype(int) if classes else y)
    if not classes:
        return fitted.predict(tested)
    score = getattr(fitted, "predict_proba", None) or fitted.decision_function
    scores = score(tested)
    if scores.ndim == 1:
        scores = np.column_stack([-scores, scores])
    return dict(zip(labels, scores.T))


def _auc(predicted, y):
    """Mean area under the ROC curve, and the contribution of each row."""
    scores, parts = [], []
    for label in np.unique(y):
        chosen = y == label
        if chosen.all():
            continue
        scored = predicted.get(label, np.zeros(len(y)))
        # Share of the rows of the other kind that a row is ranked correctly against.
        correct_share, ranks = np.empty(len(y)), rankdata(scored)
        for members, sign in ((chosen, 1), (~chosen, -1)):
            below = (ranks[members] - rankdata(scored[members])) / (~members).sum()
            correct_share[members] = below if sign > 0 else 1 - below
        area = correct_share[chosen].mean()
        scores.append(area)
        parts.append(
            (correct_share - area) / np.where(chosen, chosen.mean(), 1 - chosen.mean())
        )
    if not scores:
        return np.nan, np.full(len(y), np.nan)
    return np.mean(scores), np.mean(parts, axis=0)


def _r2(predicted, y):
    """Coefficient of determination, and the contribution of each row."""
    total, errors = ((y - y.mean()) ** 2).mean(), (y - predicted) ** 2
    if not total:
        return np.nan, np.full(len(y), np.nan)
    return 1 - errors.mean() / total, (errors.mean() - errors) / total
