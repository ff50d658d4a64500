"""Display of images decoded from a grid of two features."""

from collections.abc import Sequence

import numpy as np
from sklearn.pipeline import Pipeline

from skdgm.plotting._grid import ImageGrid, as_images
from skdgm.plotting._support import check_has
from skdgm.typing import Axes, Keywords, Self
from skdgm.utils.counts import count

_MARGINS = 0.4, 0.4  # Inches for names and limits of the features.
# Default limits for binary units, and for 99 % of a standard normal distribution.
_BITS, _NORMAL = (0, 1), (-2.5, 2.5)


class ManifoldDisplay:
    """Images decoded from a grid of two features.

    Parameters
    ----------
    rows : array-like of shape (n_images ** 2, n_features)
        Images from left to right, row by row from the top.
    limits : array-like of shape (2, 2)
        Values of the first feature at the left and right, and of the second at the
        bottom and top.
    names : tuple of str
        Names of the features.
    image_shape : tuple of int, default=None
        Height and width of the images; by default square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (n_images, n_images)
        Images by row, from the top, and column, from the left.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    ComponentsDisplay : Filters of hidden units.

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

    def __init__(
        self,
        rows: np.ndarray,
        limits: tuple,
        names: Sequence[str],
        *,
        image_shape: tuple | None = None,
    ):
        self.rows, self.limits, self.names = rows, limits, names
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        *,
        n_images: int = 15,
        limits: tuple | None = None,
        image_shape: tuple | None = None,
        im_kw: Keywords = None,
        ax: Axes = None,
    ) -> Self:
        """Decode a grid of feature values and show the images.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``inverse_transform`` and exactly two features.
        n_images : int, default=15
            Number of values of each feature.
        limits : tuple, default=None
            Minimum and maximum for both features, or a pair for each. The default is
            (-2.5, 2.5), 99 % of the prior, for a VAE, and (0, 1), for binary units,
            otherwise.
        image_shape : tuple of int, default=None
            Height and width of the images; by default square.
        im_kw : dict, default=None
            Arguments of ``imshow``.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default new axes.

        Returns
        -------
        display : ManifoldDisplay

        Raises
        ------
        ValueError
            The number of features is not two, or ``limits`` or ``image_shape`` is
            invalid.
        """
        check_has(cls, estimator, ("inverse_transform",), "transformers")
        names = estimator.get_feature_names_out()
        if len(names) != 2:
            raise ValueError(
                f"{cls.__name__} needs two features, but this "
                f"{type(estimator).__name__} has {len(names)}: fit one with two "
                "components, or with a last layer of two units and feature_layer=-1."
            )
        count(n_images, "n_images", 2)
        limits = _pairs(_limits_of(estimator) if limits is None else limits)
        across, up = (np.linspace(low, high, n_images) for low, high in limits)
        grid = np.stack(np.meshgrid(across, up[::-1]), axis=-1).reshape(-1, 2)
        rows = estimator.inverse_transform(grid)
        display = cls(rows, limits, tuple(names), image_shape=image_shape)
        return display.plot(ax, im_kw=im_kw)

    def plot(self, ax: Axes = None, *, im_kw: Keywords = None) -> Self:
        """Draw the images.

        Parameters
        ----------
        ax, im_kw
            As for :meth:`from_estimator`.

        Returns
        -------
        display : ManifoldDisplay
        """
        limits, names = _pairs(self.limits), self.names
        if not isinstance(names, list | tuple) or len(names) != 2:
            raise ValueError(f"names must be those of two features; got {names!r}.")
        rows = as_images(type(self), self.rows, self.image_shape)
        side = round(np.sqrt(len(rows)))
        if side < 2 or side**2 != len(rows):
            raise ValueError(
                f"rows must be a square grid of images, at least four; got {len(rows)}."
            )
        shape = {"image_shape": self.image_shape, "n_columns": side}
        grid = ImageGrid(type(self), [self.rows], **shape)
        drawn = grid.draw(ax, im_kw=im_kw, margins=_MARGINS)
        self.figure_, self.ax_, images = drawn
        self.images_ = images.reshape(side, side)
        # The limits are the feature values at the centers of the outermost images.
        (left, *_, right), (top, *_, bottom) = grid.middles()
        across, up = [[f"{value:g}" for value in ends] for ends in limits]
        self.ax_.set_xticks([left, right], across)
        self.ax_.set_yticks([bottom, top], up)
        self.ax_.set(xlabel=names[0], ylabel=names[1])
        return self


def _pairs(limits):
    """Limits of both features, (2, 2); ValueError if they are not finite numbers, one
    pair for both or one for each."""
    try:
        pairs = np.asarray(limits)
    except ValueError:
        pairs = np.empty(())
    if pairs.shape not in ((2,), (2, 2)) or pairs.dtype.kind not in "fiu":
        raise ValueError(
            f"limits must be (least, greatest), or two of them; got {limits!r}."
        )
    if not np.isfinite(pairs).all():
        raise ValueError(f"limits must be finite numbers; got {limits!r}.")
    return np.broadcast_to(pairs.astype(float), (2, 2))


def _limits_of(estimator):
    """Default limits of the features of an estimator."""
    estimator = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return _NORMAL if hasattr(estimator, "active_units") else _BITS
