r"""Which modes of a distribution samples cover, and how evenly.

.. math:: \mathrm{KL}(q \,\|\, p) = \sum_k q_k \log \frac{q_k}{p_k}

in nats, with the shares q of samples and p of data that are of each mode. It is zero
where they agree, and log K where samples of K equal modes are all of one.
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
    """Which modes samples cover.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        The modes.
    share : ndarray of shape (n_classes,)
        The part of the samples of high quality that is of each mode; NaN without any.
    expected : ndarray of shape (n_classes,)
        The same of data.
    found : ndarray of shape (n_classes,), bool
        Whether there are enough samples of a mode.
    n_modes : int
        How many modes that are.
    kl : float
        Divergence of samples' shares from those of data, in nats. Of n samples of a
        perfect model it is about (n_classes - 1) / 2n. Infinite if there are samples
        of a mode that data have nothing of.
    high_quality : float
        The part of the samples that is near enough to data.
    """

    classes: np.ndarray
    share: np.ndarray
    expected: np.ndarray
    found: np.ndarray
    n_modes: int
    kl: float
    high_quality: float


def mode_coverage(samples, X, y=None, *, classifier=None, radius=None, min_share=0.0):
    r"""Which modes samples cover, and how evenly.

    .. math:: \mathrm{KL}(q \,\|\, p) = \sum_k q_k \log \frac{q_k}{p_k}

    A sample is of the mode that a classifier says [1]_, or that the nearest row of X
    has. The rows of X may be the centres of a mixture, each one a mode [2]_.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
    X : array-like of shape (n_rows, n_features)
        Data, or centres.
    y : array-like of shape (n_rows,), default=None
        The mode of each row of X: classes, or of centres ``np.arange(len(X))``. By
        default what ``classifier`` says, so that its errors are those of samples, too.
    classifier : fitted classifier, default=None
        By default the mode of the nearest row of X is taken.
    radius : float, default=None
        How far from the nearest row of X samples of high quality may be; others are of
        no mode. Of a mixture of normal distributions three standard deviations are
        usual. By default any distance will do.
    min_share : float, default=0
        A mode is found if there is a sample of it, and if its share is at least this
        part of that of data. A classifier's errors find modes by themselves, if this
        is not above their rate.

    Returns
    -------
    coverage : ModeCoverage

    Raises
    ------
    ValueError
        A value is missing, numbers of columns or of rows differ, or there is
        neither ``y`` nor ``classifier``, or their classes are of different types.
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
    Of eight centres on a ring the samples have left one out:

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
