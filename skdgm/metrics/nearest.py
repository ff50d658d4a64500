r"""Memorization and mode coverage, by the nearest rows of data of each sample.

.. math:: A = P(d(s) < d(v)) + \tfrac12 P(d(s) = d(v)), \qquad
   \mathrm{KL}(q \,\|\, p) = \sum_k q_k \log \frac{q_k}{p_k}

A is one half if samples s have the same distances d from training rows as validation
rows v, and 1 for copies. The KL divergence of the shares of modes, in nats, is zero if
they agree, and log K if all samples are in one of K equally frequent modes.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr
from scipy.stats import mannwhitneyu
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import column_or_1d

from skdgm.metrics._pairs import as_tables, check_number, check_pair
from skdgm.typing import Data, Target


class Memorization(NamedTuple):
    """Result of :func:`nearest_training_neighbors`.

    Parameters
    ----------
    distance : ndarray of shape (n_samples,)
        Euclidean distance from each sample to the nearest training row.
    index : ndarray of shape (n_samples,)
        Index of the nearest training row.
    copied : float
        Share of samples that are equal to a training row.
    valid_distance : ndarray of shape (n_valid,) or None
        Distance from each validation row to the nearest training row.
    valid_copied : float or None
        Share of validation rows that are equal to a training row. If it is high, as in
        tables with few distinct rows, copies do not indicate memorization.
    closer : float or None
        Probability that a sample is nearer to the training rows than a validation row,
        ties counting one half. Values near 1 indicate memorization; values near 0
        indicate samples that differ from the data.
    p_value : float or None
        p-value of a Mann-Whitney test of whether samples are closer to training rows
        than validation rows are.

    See Also
    --------
    nearest_training_neighbors : Function that returns the result.
    """

    distance: np.ndarray
    index: np.ndarray
    copied: float
    valid_distance: np.ndarray | None
    valid_copied: float | None
    closer: float | None
    p_value: float | None


def nearest_training_neighbors(
    samples: Data, X_train: Data, X_valid: Data | None = None
) -> Memorization:
    r"""Nearest training row of each sample, with a test for memorization.

    .. math:: d(s) = \min_i |s - x_i|, \qquad
       A = P(d(s) < d(v)) + \tfrac12 P(d(s) = d(v))

    The distances of samples s are compared with those of validation rows v. The test
    assumes independent rows; correlated draws of a Markov chain make the p-value too
    low or too high.

    Parameters
    ----------
    samples : array-like or DataFrame of shape (n_samples, n_features)
        In DataFrames with categories or dates, two different categories have distance
        1, and numbers and dates are divided by their standard deviation.
    X_train : array-like or DataFrame of shape (n_train, n_features)
        Rows that the model was trained on.
    X_valid : array-like or DataFrame of shape (n_valid, n_features), default=None
        Held-out rows of the same distribution.

    Returns
    -------
    memorization : Memorization
        Without ``X_valid``, all fields after ``copied`` are None.

    Raises
    ------
    ValueError
        A value is missing, or numbers of columns differ.

    Warns
    -----
    DataRangeWarning
        The tables seem to be on different scales.

    See Also
    --------
    skdgm.plotting.SamplesDisplay : Plot of samples above their nearest rows.

    References
    ----------
    Meehan, Chaudhuri and Dasgupta (2020). A non-parametric test to detect data-copying
    in generative models. AISTATS.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.metrics import nearest_training_neighbors
    >>> X = load_digits().data.round() > 7
    >>> rbm = BernoulliRBM(16, n_iter=5, random_state=0).fit(X[:1000])
    >>> samples = rbm.sample(500, random_state=0)
    >>> found = nearest_training_neighbors(samples, X[:1000], X[1000:])
    >>> bool(found.closer < 0.5)  # Its samples are not that good yet.
    True
    >>> copies = X[:500]
    >>> found = nearest_training_neighbors(copies, X[:1000], X[1000:])
    >>> bool(found.closer > 0.9), found.copied
    (True, 1.0)
    """
    named = {"samples": samples, "X_train": X_train, "X_valid": X_valid}
    if X_valid is None:
        del named["X_valid"]
    samples, X_train, *held_out = as_tables(named.values(), named)
    samples, X_train = check_pair(samples, X_train, ("samples", "X_train"))
    distance, index = nearest_rows(samples, X_train)
    copied = float(np.mean(distance == 0))
    if not held_out:
        return Memorization(distance, index, copied, None, None, None, None)
    X_valid, _ = check_pair(held_out[0], X_train, ("X_valid", "X_train"))
    valid, _ = nearest_rows(X_valid, X_train)
    U, p_value = mannwhitneyu(distance, valid, alternative="less")
    closer = 1.0 - U / (len(distance) * len(valid))
    return Memorization(
        distance,
        index,
        copied,
        valid_distance=valid,
        valid_copied=float(np.mean(valid == 0)),
        closer=float(closer),
        p_value=float(p_value),
    )


def nearest_rows(rows, X):
    """Distance from each row to the nearest row of X, and the index of that row."""
    # Centering reduces cancellation in the squared distances of the search.
    center = X.mean(axis=0)
    search = NearestNeighbors(n_neighbors=1).fit(X - center)
    index = search.kneighbors(rows - center, return_distance=False)[:, 0]
    # The distances of the search are not exactly zero for equal rows.
    return np.linalg.norm(rows - X[index], axis=1), index


class ModeCoverage(NamedTuple):
    """Result of :func:`mode_coverage`.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The modes.
    share : ndarray of shape (n_classes,)
        Share of each mode among the high-quality samples; NaN if there are none.
    expected : ndarray of shape (n_classes,)
        Share of each mode in the data.
    found : ndarray of shape (n_classes,), bool
        True for modes with enough samples.
    n_modes : int
        Number of modes found.
    kl : float
        KL divergence of the shares among samples from the shares in the data, in nats.
        For n samples of a perfect model it is about (n_classes - 1) / 2n. Infinite if
        there are samples of a mode that is absent from the data.
    high_quality : float
        Share of the samples that are within ``radius`` of the data.

    See Also
    --------
    mode_coverage : Function that returns the result.
    """

    classes: np.ndarray
    share: np.ndarray
    expected: np.ndarray
    found: np.ndarray
    n_modes: int
    kl: float
    high_quality: float


def mode_coverage(
    samples: Data,
    X: Data,
    y: Target = None,
    *,
    classifier: object = None,
    radius: float | None = None,
    min_share: float = 0.0,
) -> ModeCoverage:
    r"""Coverage of the modes of the data by samples, with the KL divergence.

    .. math:: \mathrm{KL}(q \,\|\, p) = \sum_k q_k \log \frac{q_k}{p_k}

    The mode of a sample is the class that a classifier predicts [1]_, or the mode of
    the nearest row of X. The rows of X may be the centers of a mixture, with one mode
    each [2]_.

    Parameters
    ----------
    samples : array-like or DataFrame of shape (n_samples, n_features)
    X : array-like or DataFrame of shape (n_rows, n_features)
        Data, or centers; DataFrames as for :func:`nearest_training_neighbors`.
    y : array-like of shape (n_rows,), default=None
        Mode of each row of X: classes, or ``np.arange(len(X))`` for centers. By default
        modes are predicted by ``classifier``, so that data and samples share its
        errors.
    classifier : fitted classifier, default=None
        Classifier of modes. By default a sample has the mode of the nearest row of X.
    radius : float, default=None
        Maximum distance of high-quality samples from the nearest row of X; other
        samples belong to no mode. Three standard deviations are usual for a mixture of
        normal distributions. By default there is no limit.
    min_share : float, default=0
        Minimum share of a mode among samples, relative to its share in the data, at
        which the mode is found. It should exceed the error rate of the classifier, as
        errors alone can count as found modes.

    Returns
    -------
    coverage : ModeCoverage

    Raises
    ------
    ValueError
        A value is missing, numbers of columns or of rows differ, there is neither ``y``
        nor ``classifier``, or their classes are of different types.
    TypeError
        The classifier has no ``predict``.
    NotFittedError
        The classifier is not fitted.

    Warns
    -----
    DataRangeWarning
        Samples and data seem to be on different scales.

    References
    ----------
    .. [1] Metz et al. (2017). Unrolled generative adversarial networks. ICLR.
    .. [2] Srivastava et al. (2017). VEEGAN: reducing mode collapse in GANs using
       implicit variational learning. NeurIPS.

    Examples
    --------
    Samples that miss one of eight centers on a ring:

    >>> import numpy as np
    >>> from skdgm.metrics import mode_coverage
    >>> angles = np.arange(8) * np.pi / 4
    >>> centers = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> rng = np.random.default_rng(0)
    >>> samples = np.repeat(centers[:7], 100, axis=0)
    >>> samples += 0.02 * rng.normal(size=samples.shape)
    >>> found = mode_coverage(samples, centers, np.arange(8), radius=0.06)
    >>> found.n_modes, found.found
    (7, array([ True,  True,  True,  True,  True,  True,  True, False]))
    >>> bool(abs(found.kl - np.log(8 / 7)) < 0.001), bool(found.high_quality > 0.97)
    (True, True)
    """
    if y is None and classifier is None:
        raise ValueError(
            "Give y, the mode of each row of X (of centers np.arange(len(X))), or a "
            "fitted classifier."
        )
    if classifier is not None and not hasattr(classifier, "predict"):
        raise TypeError(f"classifier must have predict, which {classifier!r} has not.")
    names = "samples", "X"
    table, data = as_tables((samples, X), names)
    table, data = check_pair(table, data, names)
    check_number(min_share, "min_share", min_val=0, max_val=1)
    if classifier is None or radius is not None:
        distances, nearest = nearest_rows(table, data)
    y = classifier.predict(X) if y is None else y
    check_consistent_length(X, y)
    y = column_or_1d(check_array(y, dtype=None, ensure_2d=False, input_name="y"))
    labels = y[nearest] if classifier is None else classifier.predict(samples)
    with np.errstate(invalid="ignore"):
        # NumPy warns of labels that are too large for integers.
        classes = unique_labels(y, labels)
    if radius is not None:
        check_number(radius, "radius", min_val=0, include_boundaries="neither")
        labels = labels[distances <= radius]
    q, p = _shares(labels, classes), _shares(y, classes)
    found = (q > 0) & (p > 0) & (q >= min_share * p)
    kl, high_quality = rel_entr(q, p).sum(), len(labels) / len(table)
    n_modes = int(found.sum())
    return ModeCoverage(classes, q, p, found, n_modes, float(kl), high_quality)


def _shares(labels, classes):
    counts = (labels[:, None] == classes).sum(axis=0)
    return counts / len(labels) if len(labels) else np.full(len(classes), np.nan)
