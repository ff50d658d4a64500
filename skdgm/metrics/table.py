r"""Models side by side, in nats and in bits per dimension.

.. math:: \frac{-1}{D \log 2} \frac1n \sum_i \log p(x_i)
"""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch
from sklearn.utils.validation import _num_features, _num_samples

from skdgm.metrics._models import check_density
from skdgm.metrics.density import log_density, measure
from skdgm.metrics.likelihood import likelihood_bracket

COLUMNS = ("nats", "lower", "upper", "se_rows", "bits_per_dim", "kind", "measure")


def likelihood_table(estimators, X, **options):
    r"""Log-likelihoods of the same rows under several models.

    Parameters
    ----------
    estimators : dict, list of (name, estimator), or list of estimators
        Fitted: models of skdgm, Pipelines that end with one, or any other estimator
        with ``score_samples``, whose figures are taken to be exact.
    X : array-like of shape (n_samples, n_features)
    **options
        Of :func:`likelihood_bracket`, for models with a partition function.

    Returns
    -------
    table : DataFrame, or Bunch of lists where there is no pandas
        A row (an entry) for each model: "nats", the mean log-likelihood of a row;
        "lower" and "upper", between which that is of these rows; "se_rows", the
        standard error of having these rows and no others; "bits_per_dim", minus the
        nats in bits for each column; "kind", "exact", "lower bound" or "estimate"; and
        "measure", "density" or "probability".

    Raises
    ------
    ValueError
        Models are not to be compared: densities with probabilities, or rows that are
        made binary in different ways.
    TypeError
        An estimator has no ``score_samples``, or stands behind what has no determinant.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdgm import GaussianRBM
    >>> from skdgm.metrics import likelihood_table
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(8, n_iter=100, random_state=0).fit(X)
    >>> mixture = GaussianMixture(3, random_state=0).fit(X)
    >>> table = likelihood_table([rbm, mixture], X)
    >>> list(table["kind"])
    ['exact', 'exact']
    """
    named = _named(estimators)
    for _, estimator in named:
        check_density(estimator, "likelihood_table")
    _check_measures(named)
    _check_schemes(named, X)
    rows = [_figures(estimator, X, options) for _, estimator in named]
    return _table([name for name, _ in named], rows)


def _named(estimators):
    if hasattr(estimators, "items"):
        return list(estimators.items())
    if not len(estimators):
        raise ValueError("likelihood_table needs at least one estimator.")
    if all(isinstance(entry, tuple) for entry in estimators):
        return list(estimators)
    names = [type(estimator).__name__ for estimator in estimators]
    numbered = [
        f"{name}-{names[: i + 1].count(name)}" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]
    return list(zip(numbered, estimators))


def _check_measures(named):
    kinds = {name: measure(estimator) for name, estimator in named}
    if len(set(kinds.values())) > 1:
        raise ValueError(
            "densities and probabilities cannot be compared: "
            + ", ".join(f"{name} gives a {kind}" for name, kind in kinds.items())
            + ". Bring the data to one kind, or make a table of each."
        )


def _check_schemes(named, X):
    """Whether all make the same bits of rows, or rows are bits already."""
    schemes = {name: _scheme(estimator) for name, estimator in named}
    if len(set(schemes.values())) == 1 or _binary(X):
        return
    told = (
        f"{name} has {scheme or 'rows as given'}" for name, scheme in schemes.items()
    )
    raise ValueError(
        "likelihoods of rows that were made binary in different ways cannot be "
        f"compared: {', '.join(told)}. Put the same BernoulliBinarizer before all, or "
        "binarise X before."
    )


def _scheme(estimator):
    """How rows are made binary: what steps of a Pipeline say."""
    steps = estimator[:-1] if isinstance(estimator, Pipeline) else ()
    found = [step.binarization_ for step in steps if hasattr(step, "binarization_")]
    return ", ".join(found)


def _binary(X):
    values = getattr(X, "data", X) if hasattr(X, "indptr") else X
    values = np.asarray(values, dtype=float)
    return bool(np.isin(values[~np.isnan(values)], (0, 1)).all())


def _figures(estimator, X, options):
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if hasattr(last, "_bracket"):
        seen = X if last is estimator else estimator[:-1].transform(X)
        found = likelihood_bracket(last, seen, **options)
        rows, kind = found.rows, found.kind
        ends = found.lower, found.upper
        if last is not estimator and measure(last) == "density":
            shift = log_density(estimator, X) - last.score_samples(seen)
            rows, ends = rows + shift, (end + shift.mean() for end in ends)
    else:
        rows, kind = log_density(estimator, X), getattr(last, "density_kind_", "exact")
        ends = rows.mean(), (np.inf if kind == "lower bound" else rows.mean())
    nats, n_columns = float(rows.mean()), _num_features(X)
    se = rows.std(ddof=1) / np.sqrt(len(rows)) if _num_samples(X) > 1 else np.nan
    bits = -nats / (n_columns * np.log(2))
    return nats, *map(float, ends), float(se), bits, kind, measure(estimator)


def _table(names, rows):
    columns = dict(zip(COLUMNS, map(list, zip(*rows))))
    try:
        import pandas as pd
    except ImportError:
        return Bunch(model=names, **columns)
    return pd.DataFrame(columns, index=pd.Index(names, name="model"))
