"""Samples of an estimator, and what there is beside them."""

import inspect

import numpy as np
from sklearn.utils.validation import check_array

from skdgm.metrics import nearest_training_neighbours


def of_classes(display, estimator, y, n_samples):
    """The option of ``sample`` that asks for so many rows of each class.

    Parameters
    ----------
    display : type
        Who asks.
    estimator : object
    y : object or array-like of shape (n_classes,)
    n_samples : int

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


def samples_beside(X, estimator, n_samples, random_state, options):
    """Samples that have the columns of X.

    Raises
    ------
    ValueError
        They have not, or are a DataFrame where X is none.
    """
    samples = estimator.sample(n_samples, random_state, **options)
    if samples.shape[1] != X.shape[1]:
        raise ValueError(
            f"X has {X.shape[1]} columns, but samples have {samples.shape[1]}."
        )
    if hasattr(samples, "iloc") and not hasattr(X, "iloc"):
        raise ValueError(
            f"Samples of this {type(estimator).__name__} are a DataFrame, but X is "
            "none: give X as it was fitted."
        )
    return samples


def means_of(estimator, samples):
    """The visible units' means given the features of samples."""
    # A net's features are not those of the network that draws, from which it began.
    estimator = getattr(estimator, "dbn_", estimator)
    return estimator.inverse_transform(estimator.transform(samples))


def nearest(samples, X):
    """For each sample the row of X that is nearest to it."""
    X = check_array(X)
    return X[nearest_training_neighbours(samples, X).index]
