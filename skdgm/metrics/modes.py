r"""Coverage of the modes of a distribution by samples.

.. math:: \mathrm{KL}(q \,\|\, p) = \sum_k q_k \log \frac{q_k}{p_k}

in nats, with the shares q of samples and p of data in each mode k. It is zero if they
agree, and log K if all samples are in one of K equally frequent modes.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import column_or_1d

from skdgm.metrics._pairs import check_number, check_pair
from skdgm.metrics.neighbours import nearest_rows


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
        KL divergence of the samples' shares from those of the data, in nats. For n
        samples of a perfect model it is about (n_classes - 1) / 2n. Infinite if there
        are samples of a mode that is absent from the data.
    high_quality : float
        Share of the samples that are within ``radius`` of the data.
    """

    classes: np.ndarray
    share: np.ndarray
    expected: np.ndarray
    found: np.ndarray
    n_modes: int
    kl: float
    high_quality: float


def mode_coverage(samples, X, y=None, *, classifier=None, radius=None, min_share=0.0):
    r"""Coverage of the modes of the data by samples, and its divergence.

    .. math:: \mathrm{KL}(q \,\|\, p) = \sum_k q_k \log \frac{q_k}{p_k}

    The mode of a sample is the class predicted by a classifier [1]_, or the mode of the
    nearest row of X. The rows of X may be the centres of a mixture, each a mode [2]_.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
    X : array-like of shape (n_rows, n_features)
        Data, or centres.
    y : array-like of shape (n_rows,), default=None
        Mode of each row of X: classes, or ``np.arange(len(X))`` for centres. By default
        predicted by ``classifier``, so that data and samples share its errors.
    classifier : fitted classifier, default=None
        By default samples have the mode of the nearest row of X.
    radius : float, default=None
        Maximum distance of high-quality samples from the nearest row of X; others
        belong to no mode. For a mixture of normal distributions three standard
        deviations are usual. By default there is no limit.
    min_share : float, default=0
        A mode is found if it has a sample, and if its share is at least this part of
        its share in the data. If this is not above a classifier's error rate, errors
        alone can count as found modes.

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
    Samples that miss one of eight centres on a ring:

    >>> import numpy as np
    >>> from skdgm.metrics import mode_coverage
    >>> angles = np.arange(8) * np.pi / 4
    >>> centres = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> rng = np.random.default_rng(0)
    >>> samples = np.repeat(centres[:7], 100, axis=0)
    >>> samples += 0.02 * rng.normal(size=samples.shape)
    >>> found = mode_coverage(samples, centres, np.arange(8), radius=0.06)
    >>> found.n_modes, found.found
    (7, array([ True,  True,  True,  True,  True,  True,  True, False]))
    >>> bool(abs(found.kl - np.log(8 / 7)) < 0.001), bool(found.high_quality > 0.97)
    (True, True)
    """
    if y is None and classifier is None:
        raise ValueError(
            "Give y, the mode of each row of X (of centres np.arange(len(X))), or a "
            "fitted classifier."
        )
    if classifier is not None and not hasattr(classifier, "predict"):
        raise TypeError(f"classifier must have predict, which {classifier!r} has not.")
    table, data = check_pair(samples, X, ("samples", "X"))
    check_number(min_share, "min_share", min_val=0, max_val=1)
    if classifier is None or radius is not None:
        distances, nearest = nearest_rows(table, data)
    y = classifier.predict(X) if y is None else y
    check_consistent_length(X, y)
    y = column_or_1d(check_array(y, dtype=None, ensure_2d=False, input_name="y"))
    labels = y[nearest] if classifier is None else classifier.predict(samples)
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
