"""What a model draws, and what it has seen that is most like it."""

import inspect

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_array

from skdgm.plotting._images import Layout, as_images, cells, columns_for, shared_limits
from skdgm.plotting._support import check_has

# Of images, if nothing else is said; and in a row.
_IMAGES, _IN_A_ROW = 100, 10


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
            labels, n_samples = None, n_samples or _IMAGES // (1 + (X is not None))
        else:
            labels = [str(label) for label in np.atleast_1d(y)]
            n_columns = n_samples = n_samples or _IN_A_ROW
            options["y"] = np.repeat(y, n_samples)
            n_samples *= len(labels)
            _check_samples_by_class(cls, estimator)
        samples = estimator.sample(n_samples, random_state, **options)
        if means:
            samples = _means(estimator, samples)
        neighbours = None if X is None else _nearest(samples, X)
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
        shown = [as_images(type(self), self.samples, self.image_shape)]
        if self.neighbours is not None:
            shown.append(as_images(type(self), self.neighbours, self.image_shape))
        n_images, step = len(shown[0]), len(shown)
        n_columns = n_columns or columns_for(step * n_images)
        places = [cells(n_images, n_columns, first, step) for first in range(step)]
        images = np.concatenate(shown)
        layout = Layout(images.shape[1:], np.concatenate(places), together=step)
        labels = {step * line: label for line, label in enumerate(self.labels or ())}
        self.figure_, self.ax_ = layout.axes(type(self), ax)
        scales = [shared_limits(images)] * len(images)
        artists = layout.draw(self.ax_, images, scales, im_kw, labels)
        self.images_, self.neighbour_images_ = artists[:n_images], None
        if step > 1:
            self.neighbour_images_ = artists[n_images:]
        return self


def _check_samples_by_class(display, estimator):
    """Whether an estimator can be asked for samples of a class."""
    if "y" not in inspect.signature(estimator.sample).parameters:
        raise TypeError(
            f"{display.__name__} with y needs an estimator whose sample has y, as that "
            f"of RBMClassifier; that of {type(estimator).__name__} has not."
        )


def _means(estimator, samples):
    """The visible units' means given the features of samples."""
    # A net's features are not those of the network that draws, from which it began.
    estimator = getattr(estimator, "dbn_", estimator)
    return estimator.inverse_transform(estimator.transform(samples))


def _nearest(samples, X):
    """For each sample the row of X that is nearest to it."""
    X = check_array(X)
    search = NearestNeighbors(n_neighbors=1).fit(X)
    return X[search.kneighbors(samples, return_distance=False)[:, 0]]
