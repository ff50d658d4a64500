"""Conversion of rows to images, and their shared grey scale."""

from numbers import Integral

import numpy as np


def as_images(display, rows, image_shape=None):
    """Reshape rows to images.

    Parameters
    ----------
    display : type
        Display class, named in error messages.
    rows : array-like of shape (n_images, n_features)
    image_shape : tuple of int, default=None
        Height and width; by default images are square.

    Returns
    -------
    images : ndarray of shape (n_images, height, width)

    Raises
    ------
    ValueError
        Rows are not a non-empty 2-D array, the number of features differs from that of
        pixels, or no shape is given and it is not a square number.
    """
    name, rows = display.__name__, np.asarray(rows)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(
            f"{name} shows rows of a table, at least one; got an array of shape "
            f"{rows.shape}."
        )
    n_features = rows.shape[1]
    if image_shape is None:
        side = round(np.sqrt(n_features))
        if side**2 != n_features:
            raise ValueError(
                f"{name} cannot tell the shape of images of {n_features} pixels, which "
                "is no square number: give image_shape=(height, width), or "
                f"(1, {n_features}) for rows that are no images."
            )
        image_shape = side, side
    shape = tuple(image_shape) if np.iterable(image_shape) else (image_shape,)
    whole = all(isinstance(side, Integral) for side in shape)
    if not whole or len(shape) != 2 or min(shape) < 1 or np.prod(shape) != n_features:
        raise ValueError(
            f"image_shape={image_shape!r} of {name} must be (height, width) with "
            f"height times width = {n_features}, the number of features."
        )
    return rows.reshape(-1, *shape)


def shared_limits(images):
    """Limits of a common grey scale: 0 and 1 if all values are in between, else the
    minimum and the maximum."""
    values = images[np.isfinite(images)]
    if not len(values) or (values.min() >= 0 and values.max() <= 1):
        return 0.0, 1.0
    return values.min(), values.max()
