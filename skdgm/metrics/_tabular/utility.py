r"""Scores of predictors trained on synthetic rows, and on real ones.

Classifiers are compared by the area under the ROC curve of held-out rows, the mean over
classes of that of one class against the rest; regressors by

.. math:: R^2 = 1 - \sum_i (y_i - \hat y_i)^2 / \sum_i (y_i - \bar y)^2.

Standard errors of differences are those of the mean of what each held-out row
contributes to them, given the two predictors [1]_.

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

from skdgm.metrics._tabular.encodings import coded, filled


def train_and_test(columns, target, estimator, random_state):
    """Fit predictors of a column to real and to synthetic rows, by default gradient-
    boosted trees, and score both on held-out rows; rows without its value are left out.

    Returns a dict of "target", "metric", "real", "synthetic", "difference" of the
    scores (real minus synthetic) and its standard error "se", and "n_fitted", the
    number of rows of each fit.
    """
    wanted = columns[target]
    kept = [np.flatnonzero(~np.isnan(part)) for part in wanted.parts]
    if not all(map(len, kept)):
        raise ValueError(f"target {wanted.name!r} has no values in one of the tables.")
    n = min(len(kept[0]), len(kept[1]))
    kept[:2] = (random_state.permutation(own)[:n] for own in kept[:2])
    columns = [column.take(kept) for column in columns]
    y = columns.pop(target).parts
    if estimator is None:
        classes = wanted.is_discrete or len(np.unique(np.concatenate(y))) <= 2
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
        "target": wanted.name,
        "metric": "roc_auc" if classes else "r2",
        "real": float(real),
        "synthetic": float(synthetic),
        "difference": float(real) - float(synthetic),
        "se": float(se),
        "n_fitted": n,
    }


def _predicted(estimator, X, y, tested, classes):
    """Predictions for tested rows; of classes a dict of scores by class."""
    known = np.unique(y)
    if classes and len(known) == 1:
        return {known[0]: np.ones(len(tested))}
    fitted = clone(estimator).fit(X, y.astype(int) if classes else y)
    if not classes:
        return fitted.predict(tested)
    way = getattr(fitted, "predict_proba", None) or fitted.decision_function
    found = way(tested)
    if found.ndim == 1:
        found = np.column_stack([-found, found])
    return dict(zip(known, found.T))


def _auc(found, y):
    """Mean area under the ROC curve, and what each row adds to it."""
    scores, parts = [], []
    for label in np.unique(y):
        chosen = y == label
        if chosen.all():
            continue
        given = found.get(label, np.zeros(len(y)))
        # Shares of the rows of the other kind that each row is on the right side of.
        right, ranks = np.empty(len(y)), rankdata(given)
        for own, sign in ((chosen, 1), (~chosen, -1)):
            below = (ranks[own] - rankdata(given[own])) / (~own).sum()
            right[own] = below if sign > 0 else 1 - below
        area = right[chosen].mean()
        scores.append(area)
        parts.append(
            (right - area) / np.where(chosen, chosen.mean(), 1 - chosen.mean())
        )
    if not scores:
        return np.nan, np.full(len(y), np.nan)
    return np.mean(scores), np.mean(parts, axis=0)


def _r2(found, y):
    """Coefficient of determination, and what each row subtracts from it."""
    total, errors = ((y - y.mean()) ** 2).mean(), (y - found) ** 2
    if not total:
        return np.nan, np.full(len(y), np.nan)
    return 1 - errors.mean() / total, (errors.mean() - errors) / total
