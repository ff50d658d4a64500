"""Preparation of several models for a comparison by the likelihoods of the same rows,
and checks that these likelihoods are comparable."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from skdgm.metrics._bits import bit_columns, grey_columns, is_binary, numbers_of
from skdgm.metrics._models import check_density
from skdgm.metrics.density import measure, parts_of, unwound

# Tolerance for rounding errors in probabilities.
_ROUNDING = 1e-6


class Model(NamedTuple):
    """Entry of a model in a comparison.

    Parameters
    ----------
    name : str
        Label of the model in the table.
    last : object
        The estimator inside Pipelines and outlier detectors.
    seen : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        The rows after the preceding steps.
    log_det : float or ndarray of shape (n_samples,)
        Log determinant of these steps' Jacobian, to be added to the log-likelihood.
    grey : ndarray of int
        Indices of the columns in which the model takes values between 0 and 1 as
        probabilities of bits.
    """

    name: str
    last: object
    seen: object
    log_det: float
    grey: np.ndarray


def compared(estimators, X):
    """Named models with their transformed rows, checked to be comparable.

    Arguments and errors are those of :func:`~skdgm.metrics.likelihood_table`.

    Returns
    -------
    models : list of Model
    """
    named = _named(estimators)
    for _, estimator in named:
        check_density(estimator, "likelihood_table")
    _check_measures(named)
    _check_schemes(named, X)
    models = []
    for name, estimator in named:
        last, seen, log_det = unwound(estimator, X)
        grey = grey_columns(seen, bit_columns(last))
        models.append(Model(name, last, seen, log_det, grey))
    _check_grey(models)
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


def _check_measures(named):
    kinds = {name: measure(estimator) for name, estimator in named}
    if len(set(kinds.values())) > 1:
        raise ValueError(
            "densities and probabilities cannot be compared: "
            + ", ".join(f"{name} gives a {kind}" for name, kind in kinds.items())
            + ". Bring the data to one kind, or make a table of each."
        )


def _check_schemes(named, X):
    """Raise ValueError if Pipelines binarise rows differently that are not binary."""
    schemes = {name: _scheme(estimator) for name, estimator in named}
    if len(set(schemes.values())) == 1 or is_binary(X):
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
    """Binarisation that the steps of a Pipeline declare; empty if none does."""
    steps, _ = parts_of(estimator)
    found = [step.binarization_ for step in steps if hasattr(step, "binarization_")]
    return ", ".join(found)


def _check_grey(models):
    """Raise ValueError if values are probabilities of bits to some models only."""
    first, *others = models
    for other in others:
        if np.array_equal(first.grey, other.grey) and _alike(first, other):
            continue
        raise ValueError(
            f"likelihoods by {first.name} and {other.name} cannot be compared: values "
            "between 0 and 1 are probabilities of bits to one, and to the other they "
            "are not, or are other ones. Give both the same columns of bits, and put "
            "the same steps before both; or binarise X before."
        )


def _alike(first, other):
    """Return whether two models' grey columns hold the same values."""
    if first.seen is other.seen or not len(first.grey):
        return True
    pair, grey = (first.seen, other.seen), first.grey
    if any(map(sp.issparse, pair)):
        one, two = (_sparse(seen, grey) for seen in pair)
        return not abs(one - two).max() > _ROUNDING
    one, two = (numbers_of(seen, grey) for seen in pair)
    return np.allclose(one, two, rtol=0, atol=_ROUNDING, equal_nan=True)


def _sparse(seen, columns):
    if sp.issparse(seen):
        return sp.csc_array(seen)[:, columns]
    return sp.csc_array(np.stack(numbers_of(seen, columns), axis=1))
