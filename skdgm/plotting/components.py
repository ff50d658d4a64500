r"""Display of the filters of hidden units.

.. math:: F^l = W^1 W^2 \cdots W^l

The filters of layer l are the product of the weights of layers 1 to l, as if all layers
were linear.
"""

from functools import reduce
from itertools import pairwise
from numbers import Integral
from typing import Literal

import numpy as np
from sklearn.utils.validation import check_scalar

from skdgm.plotting._grid import ImageGrid
from skdgm.plotting._support import check_has, check_looks, first_with
from skdgm.typing import ArrayLike, Axes, Keywords, Self
from skdgm.utils.counts import check_choice, count

_WEIGHTS = "components_", "coefs_"


class ComponentsDisplay:
    """Filters of hidden units as images, with color scales symmetric around 0.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        One filter per row.
    image_shape : tuple of int, default=None
        Height and width of the images; by default square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (n_components,)
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay, ManifoldDisplay : Samples of a model; images along two features.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import ComponentsDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> display = ComponentsDisplay.from_estimator(rbm)
    >>> display.images_.shape
    (16,)
    """

    def __init__(self, components: ArrayLike, *, image_shape: tuple | None = None):
        self.components, self.image_shape = components, image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        *,
        layer: int = 0,
        n_components: int = 100,
        order: Literal["norm", "first"] = "norm",
        image_shape: tuple | None = None,
        n_columns: int | None = None,
        im_kw: Keywords = None,
        ax: Axes = None,
    ) -> Self:
        """Show the filters of a layer.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``components_``, or with ``coefs_`` of several layers,
            or Pipeline, whose first step with one of these attributes is shown. Output
            weights are not shown. Weights of real columns refer to standardized
            columns.
        layer : int, default=0
            Index of the hidden layer: 0 is the first, -1 the last.
        n_components : int, default=100
            Maximum number of filters.
        order : {"norm", "first"}, default="norm"
            Sort filters by decreasing norm ("norm"), or keep the order of units
            ("first").
        image_shape : tuple of int, default=None
            Height and width of the images; by default square.
        n_columns : int, default=None
            Number of images per row; by default the grid is nearly square.
        im_kw : dict, default=None
            Arguments of ``imshow``, such as ``vmin`` and ``vmax`` for a common scale.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default new axes.

        Returns
        -------
        display : ComponentsDisplay

        Raises
        ------
        ValueError
            An option is invalid, or the number of features does not fit the shape of
            images.
        """
        estimator = first_with(estimator, _WEIGHTS)
        check_has(cls, estimator, _WEIGHTS, "machines and nets")
        check_choice("order", order, ("norm", "first"))
        count(n_components, "n_components")
        check_scalar(layer, "layer", Integral)
        components = _filters(estimator, layer)
        if order == "norm":
            norms = np.linalg.norm(components, axis=1)
            components = components[np.argsort(-norms, kind="stable")]
        display = cls(components[:n_components], image_shape=image_shape)
        return display.plot(ax, n_columns=n_columns, im_kw=im_kw)

    def plot(
        self, ax: Axes = None, *, n_columns: int | None = None, im_kw: Keywords = None
    ) -> Self:
        """Draw the filters.

        Parameters
        ----------
        ax, n_columns, im_kw
            As for :meth:`from_estimator`.

        Returns
        -------
        display : ComponentsDisplay
        """
        check_looks(type(self), im_kw=im_kw)
        shape = {"image_shape": self.image_shape, "n_columns": n_columns}
        grid = ImageGrid(type(self), [self.components], **shape)
        # A filter of zeros gets a scale of 1.
        max_abs = np.abs(grid.images).max(axis=(2, 3))
        max_abs[max_abs == 0] = 1
        scales = np.stack([-max_abs, max_abs], axis=-1)
        drawn = grid.draw(ax, scales=scales, im_kw={"cmap": "RdBu_r"} | (im_kw or {}))
        self.figure_, self.ax_, (self.images_,) = drawn
        return self


def _filters(estimator, layer):
    """Filters of a layer, one per row."""
    if hasattr(estimator, "components_"):
        weights = [np.transpose(estimator.components_)]
    else:
        # The last weights of a feed-forward net belong to its outputs.
        weights = estimator.coefs_[: -1 if hasattr(estimator, "n_outputs_") else None]
    if layer not in range(-len(weights), len(weights)):
        raise ValueError(
            f"layer={layer}, but {type(estimator).__name__} has {len(weights)} hidden "
            f"layers: it must be from {-len(weights)} to {len(weights) - 1}."
        )
    weights = weights[: layer % len(weights) + 1]
    for lower, upper in pairwise(weights):
        if lower.ndim != 2 or lower.shape[1] != len(upper):
            raise ValueError(
                f"layer={layer} of {type(estimator).__name__} has no filters: its "
                f"weights, {np.shape(upper)}, are not of the units below, "
                f"{np.shape(lower)}, alone. Show layer=0, or give ComponentsDisplay "
                "the weights themselves."
            )
    return reduce(np.matmul, weights).T
