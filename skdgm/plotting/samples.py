"""Display of samples, optionally with their nearest rows of data."""

import inspect

import numpy as np
from sklearn.utils.validation import _num_samples

from skdgm.metrics import nearest_training_neighbors
from skdgm.plotting._grid import ImageGrid
from skdgm.plotting._support import check_has, means_of
from skdgm.typing import Any, ArrayLike, Axes, Data, Keywords, Seed, Self, Target
from skdgm.utils.counts import count
from skdgm.utils.domains import as_numbers

_IMAGES, _OF_A_CLASS = 100, 10  # Default numbers of images in total and per class.


class SamplesDisplay:
    """Samples as images, each optionally above the nearest row of data.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
    neighbors : array-like of shape (n_samples, n_features), default=None
        Rows of data, shown below the samples.
    labels : list of str, default=None
        Labels of consecutive groups of samples of equal size.
    image_shape : tuple of int, default=None
        Height and width of the images; by default square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (n_samples,)
    neighbor_images_ : ndarray of AxesImage, of shape (n_samples,), or None
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    MarginalsDisplay, ReconstructionDisplay : Samples of tables; imputed images.
    skdgm.metrics.nearest_training_neighbors : Test for memorization.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import SamplesDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> display = SamplesDisplay.from_estimator(rbm, n_samples=20, random_state=0, X=X)
    >>> display.images_.shape, display.neighbor_images_.shape
    ((20,), (20,))
    """

    def __init__(
        self,
        samples: Data,
        *,
        neighbors: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        image_shape: tuple | None = None,
    ):
        self.samples, self.neighbors = samples, neighbors
        self.labels, self.image_shape = labels, image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        *,
        n_samples: int | None = None,
        random_state: Seed = None,
        X: Data | None = None,
        y: Target = None,
        means: bool = False,
        image_shape: tuple | None = None,
        n_columns: int | None = None,
        im_kw: Keywords = None,
        ax: Axes = None,
        **options: Any,
    ) -> Self:
        """Draw samples from an estimator and show them.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``sample``.
        n_samples : int, default=None
            Number of samples, or of samples per class in ``y``. By default there are
            100 images, including neighbors, or ten samples of each class.
        random_state : int, RandomState instance or None, default=None
            Seed of the samples.
        X : array-like of shape (n_rows, n_features), default=None
            Rows without missing values. The nearest row is shown below each sample.
        y : object or array-like of shape (n_classes,), default=None
            Classes to sample; the estimator's ``sample`` must have a parameter ``y``.
        means : bool, default=False
            Whether to show means of the visible units given the features of the
            samples, which are smoother than binary samples.
        image_shape : tuple of int, default=None
            Height and width of the images; by default square.
        n_columns : int, default=None
            Number of images per row; by default the grid is nearly square. With ``y``
            it must divide ``n_samples``; by default each class has one row.
        im_kw : dict, default=None
            Arguments of ``imshow``.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        **options
            Further arguments of the estimator's ``sample``.

        Returns
        -------
        display : SamplesDisplay

        Raises
        ------
        TypeError
            The estimator has no ``sample``, or its ``sample`` has no parameter ``y``
            although ``y`` is given.
        ValueError
            ``n_columns`` does not divide ``n_samples`` although ``y`` is given, or
            columns are categories or dates (see :class:`MarginalsDisplay`).
        """
        check_has(cls, estimator, ("sample",), "generative models")
        if y is None:
            labels, default_n = None, _IMAGES // (1 + (X is not None))
            n_samples = default_n if n_samples is None else n_samples
        else:
            labels = list(map(str, _listed(y, "y", "classes", 1)))
            n_samples = _OF_A_CLASS if n_samples is None else n_samples
            count(n_samples, "n_samples")
            options |= of_classes(cls, estimator, y, n_samples)
            n_samples *= len(labels)
        samples = estimator.sample(n_samples, random_state, **options)
        if means:
            samples = means_of(estimator, samples)
        samples = as_numbers(samples, "samples", cls.__name__)
        neighbors = None if X is None else nearest(samples, X)
        options_of_display = {"labels": labels, "image_shape": image_shape}
        display = cls(samples, neighbors=neighbors, **options_of_display)
        return display.plot(ax, n_columns=n_columns, im_kw=im_kw)

    def plot(
        self, ax: Axes = None, *, n_columns: int | None = None, im_kw: Keywords = None
    ) -> Self:
        """Draw the samples.

        Parameters
        ----------
        ax, n_columns, im_kw
            As for :meth:`from_estimator`.

        Returns
        -------
        display : SamplesDisplay
        """
        image_rows, kinds = [self.samples], []
        if self.neighbors is not None:
            image_rows, kinds = [self.samples, self.neighbors], ["samples", "nearest"]
        labels, across = lines_of(self.labels, _num_samples(self.samples), n_columns)
        grid = ImageGrid(
            type(self), image_rows, image_shape=self.image_shape, n_columns=across
        )
        labels = [name for label in labels for name in (label, *kinds[1:])]
        drawn = grid.draw(ax, im_kw=im_kw, labels=labels or kinds)
        self.figure_, self.ax_, (self.images_, *others) = drawn
        self.neighbor_images_ = others[0] if others else None
        return self


def _listed(values, name, kind, least=0):
    """Argument as a 1-D array; ValueError unless it lists ``least`` or more values."""
    try:
        array = np.atleast_1d(values)
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1 or len(array) < least:
        raise ValueError(f"{name} must be a list of {kind}; got {values!r}.")
    return array


def of_classes(display, estimator, y, n_samples):
    """Keyword argument ``y`` of ``sample`` for ``n_samples`` rows of each class;
    TypeError, which names the display, if the estimator does not sample by class."""
    if "y" not in inspect.signature(estimator.sample).parameters:
        raise TypeError(
            f"{display.__name__} with y needs an estimator whose sample has y, as that "
            f"of RBMClassifier; that of {type(estimator).__name__} has not."
        )
    return {"y": np.repeat(y, n_samples)}


def lines_of(labels, n_samples, n_columns):
    """Labels of the lines of a grid, and the number of images in a line.

    Each label has the same number of samples, by default in one line; only its first
    line has a text. ValueError if a line would have samples of several labels.
    """
    labels = _listed([] if labels is None else labels, "labels", "text")
    if not len(labels):
        return [], n_columns
    n_each, remainder = divmod(n_samples, len(labels))
    if remainder:
        raise ValueError(
            f"There are {len(labels)} labels for {n_samples} samples: give equally "
            "many samples for each of labels."
        )
    n_columns = n_each if n_columns is None else n_columns
    count(n_columns, "n_columns")
    if n_each % n_columns:
        raise ValueError(
            f"n_columns={n_columns} does not divide the {n_each} samples of each "
            "label, so lines would mix labels: give a divisor, or change n_samples."
        )
    blank = [""] * (n_each // n_columns - 1)
    return [line for label in labels for line in (label, *blank)], n_columns


def nearest(samples, X):
    """Nearest row of X for each sample."""
    X = as_numbers(X, "X", "the search for nearest rows")
    return X[nearest_training_neighbors(samples, X).index]
