r"""What hidden units look for.

.. math:: F^l = W^1 W^2 \cdots W^l

The filters of a layer are its weights, and above the first layer these seen through
the weights below, as if all layers were linear.
"""

from functools import reduce
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_scalar

from skdgm.plotting._grid import Grid
from skdgm.plotting._support import check_has, check_looks, first_with

_WEIGHTS = "components_", "coefs_"


class ComponentsDisplay:
    """Filters of hidden units, as images.

    Each filter has a scale of its own, which is symmetric around 0.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        A filter a row.
    image_shape : tuple of int, default=None
        Height and width; by default images are square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (n_components,)
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay, ManifoldDisplay : What units draw; what two of them stand for.

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

    def __init__(self, components, *, image_shape=None):
        self.components = components
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        layer=0,
        n_components=100,
        order="norm",
        image_shape=None,
        n_columns=None,
        im_kw=None,
        ax=None,
    ):
        """Show the filters of a layer.

        Parameters
        ----------
        estimator : object
            Fitted, with ``components_``, or with ``coefs_`` of several layers; of a
            Pipeline the first step with such. Weights of outputs are none of these.
            Those of real columns are the weights of standardised columns.
        layer : int, default=0
            0 is the first hidden layer, -1 the last.
        n_components : int, default=100
            How many filters at most.
        order : {"norm", "first"}, default="norm"
            Which come first: those with the greatest norm, or in their own order.
        image_shape : tuple of int, default=None
            Height and width; by default images are square.
        n_columns : int, default=None
            By default there are about as many columns as rows.
        im_kw : dict, default=None
            Arguments of ``imshow``, such as ``vmin`` and ``vmax``, one scale for all.
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : ComponentsDisplay
        """
        estimator = first_with(estimator, _WEIGHTS)
        check_has(cls, estimator, _WEIGHTS, "machines and nets")
        if order not in ("norm", "first"):
            raise ValueError(f"order must be 'norm' or 'first', not {order!r}.")
        check_scalar(n_components, "n_components", Integral, min_val=1)
        check_scalar(layer, "layer", Integral)
        components = _filters(estimator, layer)
        if order == "norm":
            norms = np.linalg.norm(components, axis=1)
            components = components[np.argsort(-norms, kind="stable")]
        display = cls(components[:n_components], image_shape=image_shape)
        return display.plot(ax, n_columns=n_columns, im_kw=im_kw)

    def plot(self, ax=None, *, n_columns=None, im_kw=None):
        """Draw the filters.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default in a new figure.
        n_columns, im_kw
            As of :meth:`from_estimator`.

        Returns
        -------
        display : ComponentsDisplay
        """
        check_looks(type(self), im_kw=im_kw)
        shape = {"image_shape": self.image_shape, "n_columns": n_columns}
        grid = Grid(type(self), [self.components], **shape)
        # A filter of zeros has a scale, too.
        greatest = np.abs(grid.images).max(axis=(2, 3))
        greatest[greatest == 0] = 1
        scales = np.stack([-greatest, greatest], axis=-1)
        drawn = grid.draw(ax, scales=scales, im_kw={"cmap": "RdBu_r"} | (im_kw or {}))
        self.figure_, self.ax_, (self.images_,) = drawn
        return self


def _filters(estimator, layer):
    """The filters of a layer, a row each."""
    if hasattr(estimator, "components_"):
        weights = [np.transpose(estimator.components_)]
    else:
        # The last weights of a net are those of its outputs.
        weights = estimator.coefs_[: -1 if hasattr(estimator, "n_outputs_") else None]
    if layer not in range(-len(weights), len(weights)):
        raise ValueError(
            f"layer={layer}, but {type(estimator).__name__} has {len(weights)} hidden "
            f"layers: it must be from {-len(weights)} to {len(weights) - 1}."
        )
    return reduce(np.matmul, weights[: layer % len(weights) + 1]).T
