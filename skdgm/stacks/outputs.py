r"""Outputs of a net: losses, and predictions from their pre-activations z.

.. math:: p(y = k) = \operatorname{softmax}_k(z), \qquad p(y_k = 1) = \sigma(z_k),
   \qquad \mathbb{E}[y_k] = \bar y_k + s_k z_k

for classes, for several labels, and for numbers with mean :math:`\bar y_k` and scale
:math:`s_k`.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_expit, log_softmax
from sklearn.utils import column_or_1d

from skdgm.data.inputs import as_numbers, check_length
from skdgm.data.labels import UNKNOWN, marked, of_one_kind
from skdgm.exceptions import LabelWarning
from skdgm.nets import (
    logistic_cross_entropy,
    softmax_cross_entropy,
    squared_error,
)
from skdgm.training import check_finite, column_spread, column_sums
from skdgm.utils.threading.callers import warn

# Ratio of scale to mean up to which a target counts as constant (rounding errors).
_CONSTANT = 10 * np.finfo(np.float64).eps


class OneHot(NamedTuple):
    """Class codes, of shape (n_rows,), which indexing converts to one-hot rows."""

    codes: np.ndarray
    n_classes: int

    def __getitem__(self, index):
        return self.codes[index][:, None] == np.arange(self.n_classes)


class Classes(NamedTuple):
    """Outputs for the logits of ``classes``, of shape (n_classes,)."""

    classes: np.ndarray
    loss = staticmethod(softmax_cross_entropy)
    quantity = "log probability of labels"

    def targets(self, codes):
        """Training targets of the outputs, for codes of shape (n_rows,)."""
        return OneHot(codes, len(self.classes))

    def log_proba(self, z):
        """Log-probabilities of the classes, of the shape (n_rows, n_classes) of z."""
        return log_softmax(z, axis=1)

    def predict(self, z):
        """Most probable classes, of shape (n_rows,)."""
        return self.classes[z.argmax(axis=1)]

    def decision(self, z):
        """Log odds of the second of two classes, or the logits of more classes."""
        return z[:, 1] - z[:, 0] if len(self.classes) == 2 else z


class Labels(NamedTuple):
    """Outputs for the log odds of several labels, with the ``numbers`` 0 to n_labels -
    1."""

    numbers: np.ndarray
    loss = staticmethod(logistic_cross_entropy)
    quantity = "log probability of labels"

    def targets(self, codes):
        """Training targets: codes 0 and 1, of shape (n_rows, n_labels)."""
        return codes

    def log_proba(self, z):
        """Log-probabilities of the labels, of the shape (n_rows, n_labels) of z."""
        return log_expit(z)

    def predict(self, z):
        """1 for labels with a probability above 0.5, 0 for other labels."""
        return (z > 0).astype(int)

    def decision(self, z):
        """Log odds of each label: z itself."""
        return z


class Numbers(NamedTuple):
    """Outputs for numbers, which are standardized for the net by ``mean`` and
    ``scale``, of shape (n_outputs,)."""

    mean: np.ndarray
    scale: np.ndarray
    loss = staticmethod(squared_error)
    quantity = "minus half the squared error"

    @classmethod
    def of(cls, table):
        """Outputs with the means and scales of a table's targets, NaN where missing."""
        y = table._replace(rows=table.rows.given.rows)
        seen, total = column_sums(y)
        mean = total / np.maximum(seen, np.finfo(float).tiny)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = column_spread(y, mean)
        check_finite(mean, scale, "y, in columns")
        varies = scale > _CONSTANT * np.abs(mean)
        return cls(mean, np.where(varies, scale, 1.0))

    def targets(self, y):
        """Training targets: standardized values, of the shape of y."""
        return (y - self.mean) / self.scale

    def predict(self, z):
        """Expected values in the units of y, of the shape of z."""
        return z * self.scale + self.mean


def label_codes(name, labels, labeled, classes, n_before):
    """Codes of several labels for each row, int8 of shape (n_rows, n_labels), -1 where
    unknown; and the numbers of the labels.

    ``labels`` are those of the rows in the mask ``labeled``, for a classifier of this
    name. ``classes``, if given, must be the numbers of the labels; ``n_before`` is
    their number in former fits. ValueError if there is no label, or another number.
    """
    n_labels = labels.shape[1]
    if n_before is None and not len(labels):
        raise ValueError(f"{name} needs labels, but y has none.")
    if n_before not in (None, n_labels):
        raise ValueError(f"y has {n_labels} columns, but there were {n_before} before.")
    numbers = np.arange(n_labels)
    if classes is not None and not np.array_equal(np.sort(classes), numbers):
        raise ValueError(
            f"classes={classes}, but y has several columns, whose numbers are "
            f"{numbers.tolist()}."
        )
    if n_before is None and len(labels) > 1 and (labels.sum(axis=1) == 1).all():
        warn(
            "y has exactly one label in each row, as one-hot rows of classes do: "
            f"{name} takes its columns for several labels, of which a "
            "row may have any number, or none. Give classes as y.argmax(axis=1).",
            LabelWarning,
        )
    codes = np.full((len(labeled), n_labels), UNKNOWN, np.int8)
    codes[labeled] = labels
    return codes, numbers


def zeros_and_ones(y, mark):
    """Validate several labels for each row; ValueError if a row has the marker of
    unlabeled rows in some of its columns, or values are not 0 and 1."""
    if marked(y, mark).any():
        raise ValueError(
            f"y has unlabeled={mark!r} in some columns of a row: it must be in all of "
            "them, or in none."
        )
    labels = of_one_kind(y)
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(
            "y has several columns, so its values must be 0 and 1: whether a row has "
            "each label."
        )
    return labels


def as_table(y, owner, n_rows):
    """Targets in columns of float64, and True if y has one dimension."""
    y = as_numbers(y, owner)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y, warn=True)
    check_length(y, n_rows)
    return y.reshape(n_rows, -1), y.ndim == 1
