r"""Table of the log-likelihoods of several models, in nats and bits per dimension.

.. math:: \frac{-1}{D \log 2} \frac1n \sum_i \log p(x_i)

The likelihoods must be comparable: for each value, either all models have densities or
all have probabilities, and all are evaluated on the same bits.
"""

from collections.abc import Sequence
from copy import deepcopy
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.special import ndtri
from sklearn.utils import Bunch, check_random_state
from sklearn.utils._param_validation import Interval, validate_params
from sklearn.utils.validation import _num_features, _num_samples

from skdgm.metrics.bits import (
    bit_columns,
    gray_columns,
    highest,
    is_binary,
    numbers_of,
    of_bits,
)
from skdgm.metrics.brackets import likelihood_bracket, partition_bracket
from skdgm.metrics.density import apply_preprocessing, measure, parts_of
from skdgm.metrics.models import check_can, check_names
from skdgm.typing import Data, Seed
from skdgm.utils.counts import count
from skdgm.utils.wrapped import capabilities_of, density_of, has_mass

COLUMNS = "nats", "lower", "upper", "se_rows", "bits_per_dim", "kind", "measure"
COLUMNS += ("bit_draws",)
_OPTIONS = {
    "confidence": [Interval(Real, 0, 1, closed="neither")],
}
# Tolerance for rounding errors in probabilities.
_ROUNDING = 1e-6


@validate_params(_OPTIONS, prefer_skip_nested_validation=False)
def likelihood_table(
    estimators: dict | Sequence,
    X: Data,
    *,
    n_bit_draws: int = 10,
    confidence: float = 0.95,
    random_state: Seed = None,
    **options: Any,
) -> Any:
    r"""Table of the log-likelihoods of the same rows under several models.

    .. math:: \frac{-1}{D \log 2} \frac1n \sum_i \log p(x_i)

    are the bits per dimension of n rows of D columns. Gray rows have values between 0
    and 1 in binary columns, which models treat differently. For a fair comparison, bits
    are drawn with these probabilities, the same for all models, and results are means
    over several draws. In a Pipeline with a step that binarizes, like
    :class:`~skdgm.preprocessing.BernoulliBinarizer`, the model receives the bits of
    that step.

    Parameters
    ----------
    estimators : dict, list of (name, estimator), or list of estimators
        Fitted models of skdgm, Pipelines that end with a model, outlier detectors, or
        other estimators with ``score_samples``, whose scores are assumed to be exact.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
    n_bit_draws : int, default=10
        Number of draws of the bits of gray rows.
    confidence : float, default=0.95
        Confidence level of "lower" and "upper", between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the bits, by default 0, and of :func:`likelihood_bracket`.
    **options
        Further arguments of :func:`likelihood_bracket`, for models with a partition
        function.

    Returns
    -------
    table : DataFrame, or Bunch of lists without pandas
        A row (or entry) for each model. "nats" is the mean log-likelihood per row,
        "lower" and "upper" are a lower and an upper estimate of it for these rows, and
        "se_rows" is the standard error of the mean over rows. "bits_per_dim" is minus
        the nats in bits per column. "kind" is "exact", "lower bound" or "estimate" for
        the bits of gray rows, and "measure" is "density" or "probability". "bit_draws"
        is the number of draws of bits in the average, 0 if rows are not gray.

    Raises
    ------
    ValueError
        One of the models is an autoencoder, whose scores are not densities of rows. Or
        the models are not comparable: some have densities and others probabilities, of
        rows or of single values such as atoms of mixed tables; rows are binarized
        differently; or rows are gray for some models only. Or a number is out of range.
    TypeError
        ``estimators`` is a single estimator; an estimator has no ``score_samples``; a
        preceding step of a Pipeline has no known Jacobian determinant; or an argument
        is unknown.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdgm import GaussianRBM
    >>> from skdgm.metrics import likelihood_table
    >>> X = load_iris().data
    >>> rbm = GaussianRBM(8, n_iter=50, random_state=0).fit(X)
    >>> mixture = GaussianMixture(3, random_state=0).fit(X)
    >>> table = likelihood_table([rbm, mixture], X)
    >>> list(table["kind"])
    ['exact', 'exact']

    Gray values are taken as probabilities of bits for all models:

    >>> from sklearn.datasets import load_digits
    >>> from skdgm import FVBN, BernoulliRBM
    >>> X = load_digits().data[:200] / 16
    >>> models = [BernoulliRBM(8, n_iter=5), FVBN(n_iter=5)]
    >>> table = likelihood_table([model.fit(X) for model in models], X)
    >>> list(table["bit_draws"]), list(table["kind"])
    ([10, 10], ['exact', 'exact'])
    """
    check_names("likelihood_table", options, likelihood_bracket, partition_bracket)
    models = compared(estimators, X)
    n_bit_draws = count(n_bit_draws, "n_bit_draws", 2)
    options |= {"n_bit_draws": n_bit_draws, "confidence": confidence}
    # Each model has a copy, so that all are evaluated on the same bits.
    states = [deepcopy(random_state) for _ in models]
    rows = [_figures(model, state, options) for model, state in zip(models, states)]
    return _table([model.name for model in models], rows, _num_features(X))


def _figures(model, random_state, options):
    """Log-likelihoods of rows, ends of their mean, and (kind, measure, bit draws)."""
    last, n_draws = model.last, options["n_bit_draws"]
    kinds = capabilities_of(last)
    if "bracket" in kinds:
        bracket = likelihood_bracket(
            last, model.seen, random_state=random_state, **options
        )
        rows, kind, ends = bracket.rows, bracket.kind, (bracket.lower, bracket.upper)
    else:
        rng = check_random_state(0 if random_state is None else random_state)
        rows, se = of_bits(
            last.score_samples, model.seen, model.gray, n_draws, rng, highest(last)
        )
        density = density_of(last)
        complete = density is None or density.read(model.seen).complete
        kind = kinds["log_prob"]["complete" if complete else "missing"]
        reach = ndtri(0.5 + options["confidence"] / 2)
        reach, mean = reach * np.sqrt((se**2).sum()) / len(se), rows.mean()
        ends = mean - reach, np.inf if kind == "lower bound" else mean + reach
    ends = [float(end + np.mean(model.log_det)) for end in ends]
    drawn = n_draws if len(model.gray) else 0
    return rows + model.log_det, ends, (kind, measure(last), drawn)


def _table(names, results, n_columns):
    entries = []
    for rows, ends, facts in results:
        nats, n = float(rows.mean()), len(rows)
        se = float(rows.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan
        entries.append((nats, *ends, se, -nats / (n_columns * np.log(2)), *facts))
    columns = dict(zip(COLUMNS, map(list, zip(*entries))))
    try:
        import pandas as pd
    except ImportError:
        return Bunch(model=names, **columns)
    return pd.DataFrame(columns, index=pd.Index(names, name="model"))


class ComparedModel(NamedTuple):
    """A model in a comparison.

    ``last`` is the estimator inside Pipelines and outlier detectors, ``seen`` are the
    rows after all preceding steps, and ``log_det`` is the log-determinant of the
    Jacobian of these steps, a number or (n_samples,). ``gray`` are the indices of
    columns in which values between 0 and 1 are probabilities of bits.
    """

    name: str
    last: object
    seen: object
    log_det: float | np.ndarray
    gray: np.ndarray


def compared(estimators, X):
    """Named models with their transformed rows, a list of ComparedModel, after checks
    that they are comparable; see :func:`~skdgm.metrics.likelihood_table`."""
    named = _named(estimators)
    for name, estimator in named:
        check_can("log_prob", estimator, "likelihood_table")
        _check_density(name, estimator)
    _check_measures(named)
    _check_schemes(named, X)
    models = []
    for name, estimator in named:
        last, seen, log_det = apply_preprocessing(estimator, X)
        gray = gray_columns(seen, bit_columns(last), highest(last))
        models.append(ComparedModel(name, last, seen, log_det, gray))
    _check_gray(models)
    _check_entries(models)
    return models


def _named(estimators):
    if hasattr(estimators, "fit") or not hasattr(estimators, "__len__"):
        raise TypeError(
            "estimators must be a list or a dict of fitted estimators, not "
            f"{type(estimators).__name__}: put a single one in a list."
        )
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


def _check_density(name, estimator):
    """Raise ValueError if scores are log-likelihoods given reconstructions."""
    last = parts_of(estimator)[1]
    if capabilities_of(last)["log_prob"].get("complete") == "reconstruction":
        raise ValueError(
            f"{name} scores a row given its reconstruction. This is not a density of "
            "rows, and cannot be compared with one: compare areas under ROC curves, "
            "imputation errors, or samples (classifier_two_sample_test)."
        )


def _check_measures(named):
    kinds = {name: measure(estimator) for name, estimator in named}
    if len(set(kinds.values())) > 1:
        raise ValueError(
            "densities and probabilities cannot be compared: "
            + ", ".join(f"{name} gives a {kind}" for name, kind in kinds.items())
            + ". Bring the data to one kind, or make a table of each."
        )


def _check_entries(models):
    """Raise ValueError if an entry has a density under one model and a probability
    under another, since the unit of the column would then decide which model is
    better."""
    masks = [has_mass(model.last, model.seen) for model in models]
    masks = [
        np.full((1, 1), measure(model.last) == "probability") if mask is None else mask
        for model, mask in zip(models, masks)
    ]
    widths = {mask.shape[1] for mask in masks} - {1}
    if len(widths) > 1:
        # Rows with different columns are compared by their numbers of densities.
        shapes = [
            (_num_samples(model.seen), _num_features(model.seen)) for model in models
        ]
        masks = [
            (~np.broadcast_to(mask, shape)).sum(axis=1, keepdims=True)
            for mask, shape in zip(masks, shapes)
        ]
    for model, mask in zip(models[1:], masks[1:]):
        differ = (masks[0] != mask).any(axis=0)
        if not differ.any():
            continue
        names = getattr(model.seen, "columns", range(len(differ)))
        place = int(differ.argmax())
        of = f"values of column {names[place]!r}" if len(differ) > 1 else "values"
        raise ValueError(
            "densities and probabilities cannot be compared: some "
            f"{of} have a density by one of {models[0].name} and {model.name}, and a "
            "probability by the other (levels, or atoms), so that another unit of the "
            "column would make another one the better. Give both the same kinds of "
            "columns, by column_types."
        )


def _check_schemes(named, X):
    """Raise ValueError if Pipelines binarize gray rows differently."""
    schemes = {name: _scheme(estimator) for name, estimator in named}
    if len(set(schemes.values())) == 1 or is_binary(X):
        return
    parts = (
        f"{name} has {scheme or 'rows as given'}" for name, scheme in schemes.items()
    )
    raise ValueError(
        "likelihoods of rows that were made binary in different ways cannot be "
        f"compared: {', '.join(parts)}. Put the same BernoulliBinarizer before all, or "
        "binarize X before."
    )


def _scheme(estimator):
    """Binarization that the steps of a Pipeline declare; empty if none."""
    steps, _ = parts_of(estimator)
    schemes = [step.binarization_ for step in steps if hasattr(step, "binarization_")]
    return ", ".join(schemes)


def _check_gray(models):
    """Raise ValueError if values are probabilities of bits for some models only."""
    first, *others = models
    for other in others:
        if np.array_equal(first.gray, other.gray) and _alike(first, other):
            continue
        raise ValueError(
            f"likelihoods by {first.name} and {other.name} cannot be compared: values "
            "between 0 and 1 are probabilities of bits to one, and to the other they "
            "are not, or are other ones. Give both the same columns of bits, and put "
            "the same steps before both; or binarize X before."
        )


def _alike(first, other):
    """Return whether two models' gray columns hold the same values."""
    if first.seen is other.seen or not len(first.gray):
        return True
    pair, gray = (first.seen, other.seen), first.gray
    if any(map(sp.issparse, pair)):
        a, b = (_sparse(seen, gray) for seen in pair)
        return not abs(a - b).max() > _ROUNDING
    a, b = (numbers_of(seen, gray) for seen in pair)
    return np.allclose(a, b, rtol=0, atol=_ROUNDING, equal_nan=True)


def _sparse(seen, columns):
    if sp.issparse(seen):
        return sp.csc_array(seen)[:, columns]
    return sp.csc_array(np.stack(numbers_of(seen, columns), axis=1))
