"""Samples of an estimator, their means, and their nearest rows of data."""

import inspect
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_array, check_scalar

from skdgm.metrics import nearest_training_neighbours


def of_classes(display, estimator, y, n_samples):
    """Keyword argument of ``sample`` that requests rows of given classes.

    Parameters
    ----------
    display : type
        Display class, named in error messages.
    estimator : object
    y : object or array-like of shape (n_classes,)
        Class or classes.
    n_samples : int
        Number of rows of each class.

    Returns
    -------
    options : dict
        With the array ``y``, in which each class is repeated ``n_samples`` times.

    Raises
    ------
    TypeError
        The estimator does not sample by class.
    """
    if "y" not in inspect.signature(estimator.sample).parameters:
        raise TypeError(
            f"{display.__name__} with y needs an estimator whose sample has y, as that "
            f"of RBMClassifier; that of {type(estimator).__name__} has not."
        )
    return {"y": np.repeat(y, n_samples)}


def lines_of(labels, n_samples, n_columns):
    """Labels of the lines of a grid of samples, and the length of lines.

    Parameters
    ----------
    labels : list of str or None
        Labels of consecutive samples, equally many for each label.
    n_samples : int
    n_columns : int or None
        Samples per line; by default one line for each label.

    Returns
    -------
    labels : list of str
        Empty strings for all lines of a label but its first.
    n_columns : int or None

    Raises
    ------
    ValueError
        Some line would have samples of several labels.
    """
    if not labels:
        return [], n_columns
    n_each, rest = divmod(n_samples, len(labels))
    if rest:
        raise ValueError(
            f"There are {len(labels)} labels for {n_samples} samples: give equally "
            "many samples for each of labels."
        )
    n_columns = n_each if n_columns is None else n_columns
    check_scalar(n_columns, "n_columns", Integral, min_val=1)
    if n_each % n_columns:
        raise ValueError(
            f"n_columns={n_columns} does not divide the {n_each} samples of each "
            "label, so lines would mix labels: give a divisor, or change n_samples."
        )
    blank = [""] * (n_each // n_columns - 1)
    return [line for label in labels for line in (label, *blank)], n_columns


def samples_beside(X, estimator, n_samples, random_state, options):
    """Samples of an estimator, checked to have the columns of X.

    Raises
    ------
    ValueError
        The number, names or order of columns differ, or samples are a DataFrame and X
        is not.
    """
    samples = estimator.sample(n_samples, random_state, **options)
    if samples.shape[1] != X.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns, but samples have {samples.shape[1]}."
        )
    given = list(getattr(X, "columns", ()))
    fitted = getattr(samples, "columns", getattr(estimator, "feature_names_in_", given))
    if given and given != list(fitted):
        raise ValueError(
            f"X has the columns {given}, but this {type(estimator).__name__} was "
            f"fitted on {list(fitted)}: give X those columns, in that order."
        )
    if hasattr(samples, "iloc") and not hasattr(X, "iloc"):
        raise ValueError(
            f"Samples of this {type(estimator).__name__} are a DataFrame, but X is "
            "none: give X as it was fitted."
        )
    return samples


def means_of(estimator, samples):
    """Means of the visible units given the features of samples."""
    # A tuned network samples from its ``dbn_``, whose features differ from its own.
    estimator = getattr(estimator, "dbn_", estimator)
    return estimator.inverse_transform(estimator.transform(samples))


def nearest(samples, X):
    """Nearest row of X to each sample."""
    X = check_array(X)
    return X[nearest_training_neighbours(samples, X).index]
