"""Display of images with imputed pixels, or of reconstructed images."""

import numpy as np
import scipy.sparse as sp
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skdgm.plotting._grid import ImageGrid
from skdgm.plotting._support import check_has, means_of, pyplot
from skdgm.typing import Any, ArrayLike, Axes, Data, Keywords, Self
from skdgm.utils.counts import count
from skdgm.utils.domains import as_numbers

# Estimators that can reconstruct rows without missing entries.
_WHOLE = "machines and autoencoders (others fill what is marked by NaN)"


class ReconstructionDisplay:
    """Incomplete images with imputations, or complete images with reconstructions.

    Parameters
    ----------
    X : array-like of shape (n_images, n_features)
        Given images; NaN is missing.
    filled : array-like of shape (n_images, n_features)
        Imputed or reconstructed images.
    X_true : array-like of shape (n_images, n_features), default=None
        Complete images, shown above the other images.
    image_shape : tuple of int, default=None
        Height and width of the images; by default square.

    Attributes
    ----------
    images_ : ndarray of AxesImage, of shape (2 or 3, n_images)
        Rows are true images, if given; given images; and imputations or
        reconstructions.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    See Also
    --------
    SamplesDisplay : Display of unconditional samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdgm import BernoulliRBM
    >>> from skdgm.plotting import ReconstructionDisplay
    >>> X = load_digits().data / 16
    >>> rbm = BernoulliRBM(n_components=16, random_state=0).fit(X)
    >>> half = np.where(np.arange(64) < 32, X, np.nan)
    >>> display = ReconstructionDisplay.from_estimator(rbm, half, X_true=X)
    >>> display.images_.shape
    (3, 10)
    """

    def __init__(
        self,
        X: Data,
        filled: ArrayLike,
        *,
        X_true: ArrayLike | None = None,
        image_shape: tuple | None = None,
    ):
        self.X, self.filled, self.X_true = X, filled, X_true
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: object,
        X: Data,
        *,
        X_true: ArrayLike | None = None,
        n_images: int = 10,
        image_shape: tuple | None = None,
        im_kw: Keywords = None,
        ax: Axes = None,
        **options: Any,
    ) -> Self:
        """Impute missing entries, or reconstruct complete rows, and show the images.

        Parameters
        ----------
        estimator : object
            Fitted estimator with ``impute``, or ``inverse_transform`` for complete X.
        X : array-like of shape (n_rows, n_features)
            Rows; NaN is missing. Rows without missing entries are reconstructed from
            their features.
        X_true : array-like of shape (n_rows, n_features), default=None
            The same rows without missing entries.
        n_images : int, default=10
            Maximum number of rows; the first rows are shown.
        image_shape : tuple of int, default=None
            Height and width of the images; by default square.
        im_kw : dict, default=None
            Arguments of ``imshow``.
        ax : matplotlib Axes, default=None
            Axes to draw on; by default new axes.
        **options
            Arguments of the estimator's ``impute``, such as ``method="sample"``.

        Returns
        -------
        display : ReconstructionDisplay

        Raises
        ------
        TypeError
            A required method is missing, or options are given for complete rows.
        ValueError
            X and ``X_true`` differ in shape, ``n_images`` or ``image_shape`` is
            invalid, or X is a table with categories or dates.
        """
        pyplot(cls)
        count(n_images, "n_images")
        X, n_rows = _first(X, n_images)
        known = _pixels(cls, X, "X")
        if X_true is not None:
            X_true, n_true = _first(X_true, n_images)
            X_true = _pixels(cls, X_true, "X_true")
            shape, shape_true = (n_rows, known.shape[1]), (n_true, X_true.shape[1])
            if shape_true != shape:
                raise ValueError(
                    f"X_true has the shape {shape_true}, but X {shape}: they must be "
                    "the same rows."
                )
        if np.isnan(known).any():
            check_has(cls, estimator, ("impute",), "generative models")
            filled = np.asarray(estimator.impute(X, **options))
        else:
            check_has(cls, estimator, ("inverse_transform",), _WHOLE)
            if options:
                raise TypeError(f"Nothing is missing in X, for impute with {options}.")
            filled = means_of(estimator, X)
        display = cls(known, filled, X_true=X_true, image_shape=image_shape)
        return display.plot(ax, im_kw=im_kw)

    def plot(self, ax: Axes = None, *, im_kw: Keywords = None) -> Self:
        """Draw the images.

        Parameters
        ----------
        ax, im_kw
            As for :meth:`from_estimator`.

        Returns
        -------
        display : ReconstructionDisplay
        """
        is_complete = not np.isnan(_pixels(type(self), self.X, "X")).any()
        label = "rebuilt" if is_complete else "filled"
        rows = {"truth": self.X_true, "given": self.X, label: self.filled}
        rows = {name: images for name, images in rows.items() if images is not None}
        shape = {
            "image_shape": self.image_shape,
            "n_columns": _num_samples(self.filled),
        }
        grid = ImageGrid(type(self), list(rows.values()), **shape)
        drawn = grid.draw(ax, im_kw=im_kw, labels=list(rows))
        self.figure_, self.ax_, self.images_ = drawn
        return self


def _first(X, n):
    """At most n first rows, and the number of all rows. Input that is not a table is
    returned unchanged, and rejected by later validation."""
    n_dim = np.ndim(X) if isinstance(X, list | tuple) else len(getattr(X, "shape", ()))
    if n_dim != 2 or sp.issparse(X):
        return X, None
    n_rows = _num_samples(X)
    return _safe_indexing(X, np.arange(min(n, n_rows))), n_rows


def _pixels(display, X, name):
    """Rows of numbers, NaN where missing."""
    return as_numbers(X, name, display.__name__, ensure_all_finite="allow-nan")
