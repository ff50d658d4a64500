"""What a model draws, and what it has seen that is most like it."""

import numpy as np

from skdgm.plotting._draws import means_of, nearest, of_classes
from skdgm.plotting._grid import Grid
from skdgm.plotting._support import check_has

# Images, if nothing else is said, and images of a class.
_IMAGES, _OF_A_CLASS = 100, 10


class SamplesDisplay:
    """Samples as images, each perhaps above the row of data that is nearest to it.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
    neighbours : array-like of shape (n_samples, n_features), default=None
        Rows of data, to be shown below the samples.
    labels : list of str, default=None
        Names of as many rows of samples.
    image_shape : tuple of int, default=None
        Height and width; by default images are square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (n_samples,)
    neighbour_images_ : ndarray of AxesImage, of shape (n_samples,), or None
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    MarginalsDisplay : Samples of tables.
    ReconstructionDisplay : What a model draws, given part of an image.
    skdgm.metrics.nearest_training_neighbours : Whether samples repeat data.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import SamplesDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> display = SamplesDisplay.from_estimator(rbm, n_samples=20, random_state=0, X=X)
    >>> display.images_.shape, display.neighbour_images_.shape
    ((20,), (20,))
    """

    def __init__(self, samples, *, neighbours=None, labels=None, image_shape=None):
        self.samples = samples
        self.neighbours = neighbours
        self.labels = labels
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        n_samples=None,
        random_state=None,
        X=None,
        y=None,
        means=False,
        image_shape=None,
        n_columns=None,
        im_kw=None,
        ax=None,
        **options,
    ):
        """Draw samples from an estimator and show them.

        Parameters
        ----------
        estimator : object
            Fitted, with ``sample``.
        n_samples : int, default=None
            How many, or how many of each class in ``y``. By default there are 100
            images, or ten of each class.
        random_state : int, RandomState instance or None, default=None
            For sampling.
        X : array-like of shape (n_rows, n_features), default=None
            Rows of data, without missing values. If given, below each sample is the one
            that is nearest to it.
        y : object or array-like of shape (n_classes,), default=None
            Classes to draw, each in a row of its own, by a ``sample`` that has ``y``.
        means : bool, default=False
            Whether to show, in place of samples, the visible units' means given the
            features of these, which are easier on the eye than bits.
        image_shape : tuple of int, default=None
            Height and width; by default images are square.
        n_columns : int, default=None
            By default there are about as many columns as rows.
        im_kw : dict, default=None
            Arguments of ``imshow``.
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        **options
            Further arguments of the estimator's ``sample``.

        Returns
        -------
        display : SamplesDisplay
        """
        check_has(cls, estimator, ("sample",), "generative models")
        if y is None:
            labels = None
            if n_samples is None:
                n_samples = _IMAGES // (1 + (X is not None))
        else:
            labels = [str(label) for label in np.atleast_1d(y)]
            n_samples = n_columns = _OF_A_CLASS if n_samples is None else n_samples
            options |= of_classes(cls, estimator, y, n_samples)
            n_samples *= len(labels)
        samples = estimator.sample(n_samples, random_state, **options)
        if means:
            samples = means_of(estimator, samples)
        neighbours = None if X is None else nearest(samples, X)
        display = cls(
            samples, neighbours=neighbours, labels=labels, image_shape=image_shape
        )
        return display.plot(ax, n_columns=n_columns, im_kw=im_kw)

    def plot(self, ax=None, *, n_columns=None, im_kw=None):
        """Draw the samples.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        n_columns, im_kw
            As of :meth:`from_estimator`.

        Returns
        -------
        display : SamplesDisplay
        """
        parts, kinds = [self.samples], []
        if self.neighbours is not None:
            parts, kinds = [self.samples, self.neighbours], ["samples", "nearest"]
        shape = {"image_shape": self.image_shape, "n_columns": n_columns}
        grid = Grid(type(self), parts, **shape)
        below = ["nearest"] if kinds else []
        labels = [name for label in self.labels or () for name in (label, *below)]
        drawn = grid.draw(ax, im_kw=im_kw, labels=labels or kinds)
        self.figure_, self.ax_, (self.images_, *others) = drawn
        self.neighbour_images_ = others[0] if others else None
        return self
