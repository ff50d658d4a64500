"""What two features stand for: images along a grid of their values."""

import numpy as np

from skdgm.plotting._images import Layout, as_images, cells, shared_limits
from skdgm.plotting._support import check_has


class ManifoldDisplay:
    """Images that a grid of two features decodes to.

    Parameters
    ----------
    rows : array-like of shape (n_images ** 2, n_features)
        Images from left to right, row by row from the top.
    limits : array-like of shape (2, 2)
        Both features' values at the left and the right side, at the bottom and the top.
    names : tuple of str
        Of the features.
    image_shape : tuple of int, default=None
        Height and width; by default images are square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (n_images, n_images)
        From the top, and from the left.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    ComponentsDisplay : What each of many units looks for.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import ManifoldDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=2, random_state=0).fit(X)
    >>> display = ManifoldDisplay.from_estimator(rbm, n_images=5)
    >>> display.images_.shape
    (5, 5)
    """

    def __init__(self, rows, limits, names, *, image_shape=None):
        self.rows = rows
        self.limits = limits
        self.names = names
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        n_images=15,
        limits=(0, 1),
        image_shape=None,
        im_kw=None,
        ax=None,
    ):
        """Decode a grid and show it.

        Parameters
        ----------
        estimator : object
            Fitted, with ``inverse_transform`` of exactly two features.
        n_images : int, default=15
            Values of each feature.
        limits : tuple, default=(0, 1)
            The least value and the greatest, of both features, or a pair of them for
            each. Those of binary units are 0 and 1.
        image_shape : tuple of int, default=None
            Height and width; by default images are square.
        im_kw : dict, default=None
            Arguments of ``imshow``.
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : ManifoldDisplay
        """
        check_has(cls, estimator, ("inverse_transform",), "transformers with a way back")
        names = estimator.get_feature_names_out()
        if len(names) != 2:
            raise ValueError(
                f"{cls.__name__} needs two features, but this "
                f"{type(estimator).__name__} has {len(names)}: fit one with two "
                "components, or with a last layer of two units and feature_layer=-1."
            )
        if n_images < 2:
            raise ValueError(f"n_images must be at least 2; got {n_images}.")
        limits = np.broadcast_to(np.asarray(limits, dtype=float), (2, 2))
        across, up = (np.linspace(low, high, n_images) for low, high in limits)
        grid = np.stack(np.meshgrid(across, up[::-1]), axis=-1).reshape(-1, 2)
        rows = estimator.inverse_transform(grid)
        display = cls(rows, limits, tuple(names), image_shape=image_shape)
        return display.plot(ax, im_kw=im_kw)

    def plot(self, ax=None, *, im_kw=None):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        im_kw : dict, default=None
            Arguments of ``imshow``.

        Returns
        -------
        display : ManifoldDisplay
        """
        images = as_images(type(self), self.rows, self.image_shape)
        side = round(np.sqrt(len(images)))
        layout = Layout(images.shape[1:], cells(len(images), side))
        self.figure_, self.ax_ = layout.axes(type(self), ax, margin=0.4)
        scales = [shared_limits(images)] * len(images)
        self.images_ = layout.draw(self.ax_, images, scales, im_kw).reshape(side, side)
        # The outermost images' middles are where the limits are.
        across, up = [[f"{value:g}" for value in ends] for ends in self.limits]
        first, last = layout.middles[0], layout.middles[-1]
        self.ax_.set_xticks([first[0], last[0]], across)
        self.ax_.set_yticks([last[1], first[1]], up)
        self.ax_.tick_params(length=0)
        self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        return self
