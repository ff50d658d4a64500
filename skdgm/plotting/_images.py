"""Rows as images, and many images on one pair of axes."""

import numpy as np

from skdgm.plotting._support import axes_for

# Between images, and between groups of rows: shares of an image's longer side.
_GAP, _GROUP_GAP = 0.1, 0.4
# Of new figures, in inches: the longest side, and an image's longest.
_LONGEST, _IMAGE = 8.0, 0.8
# What lies behind images, and what marks missing pixels: no greys of theirs, nor
# colours of a diverging map.
BEHIND, MISSING = "0.8", "tab:orange"


def as_images(display, rows, image_shape=None):
    """Rows as images.

    Parameters
    ----------
    display : type
        Who asks.
    rows : array-like of shape (n_images, n_features)
    image_shape : tuple of int, default=None
        Height and width; by default images are square.

    Returns
    -------
    images : ndarray of shape (n_images, height, width)

    Raises
    ------
    ValueError
        Rows have not as many features as images pixels, or no square number.
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
    shape = tuple(image_shape)
    if len(shape) != 2 or min(shape) < 1 or np.prod(shape) != n_features:
        raise ValueError(
            f"image_shape={shape} of {name} must be (height, width) with height times "
            f"width = {n_features}, the number of features."
        )
    return rows.reshape(-1, *shape)


def shared_limits(*arrays):
    """The ends of one grey scale for all: 0 and 1 if these hold all values, else the
    least and the greatest."""
    values = np.concatenate([np.ravel(array) for array in arrays])
    values = values[np.isfinite(values)]
    if not len(values) or (values.min() >= 0 and values.max() <= 1):
        return 0.0, 1.0
    return values.min(), values.max()


def columns_for(n_images):
    """The number of columns of a grid that is nearly square."""
    return int(np.ceil(np.sqrt(n_images)))


def cells(n_images, n_columns, first=0, step=1):
    """Rows and columns of images, line by line, each so many rows below the last."""
    line, column = np.divmod(np.arange(n_images), n_columns)
    return np.stack([first + step * line, column], axis=1)


class Layout:
    """Where images lie on axes whose unit is a pixel.

    Parameters
    ----------
    image_shape : tuple of int
        Height and width.
    cells : array-like of shape (n_images, 2)
        Row and column of each.
    together : int, default=1
        How many rows form a group.
    """

    def __init__(self, image_shape, cells, together=1):
        self.longest = longest = max(image_shape)
        (height, width), (row, column) = image_shape, np.transpose(cells)
        gap, extra = _GAP * longest, (_GROUP_GAP * longest if together > 1 else 0.0)
        self.height, self.width = height, width
        self.left = gap + column * (width + gap)
        self.top = gap + row * (height + gap) + row // together * extra
        self.row = row
        self.middles = np.stack([self.left + width / 2, self.top + height / 2], axis=1)
        self.size = self.left.max() + width + gap, self.top.max() + height + gap

    def axes(self, display, ax, margin=0.0):
        """A figure and axes: such as are given, or as large as the images need, and
        with so many inches for labels."""
        scale = min(_LONGEST / max(self.size), _IMAGE / self.longest)
        figsize = [max(1.0, side * scale + margin) for side in self.size]
        figure, (ax,) = axes_for(display, ax, 1, figsize=figsize)
        return figure, ax

    def draw(self, ax, images, scales, im_kw=None, labels=None):
        """Draw images, and what their rows are called.

        Parameters
        ----------
        ax : matplotlib Axes
        images : ndarray of shape (n_images, height, width)
            NaN where missing.
        scales : array-like of shape (n_images, 2)
            What is darkest in each and what is brightest.
        im_kw : dict, default=None
            Further arguments of ``imshow``.
        labels : dict, default=None
            Names of rows, by number.

        Returns
        -------
        artists : ndarray of AxesImage, of shape (n_images,)
        """
        artists, options = [], {"cmap": "gray", **(im_kw or {})}
        for image, left, top, (low, high) in zip(images, self.left, self.top, scales):
            extent = left, left + self.width, top + self.height, top
            scale = {} if "norm" in options else {"vmin": low, "vmax": high}
            artist = ax.imshow(image, extent=extent, **{**scale, **options})
            artist.set_cmap(artist.get_cmap().with_extremes(bad=MISSING))
            artists.append(artist)
        right, bottom = self.size
        ax.set(xlim=(0, right), ylim=(bottom, 0), aspect="equal", facecolor=BEHIND)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        if labels:
            middle = dict(zip(self.row, self.middles[:, 1]))
            ax.set_yticks([middle[row] for row in labels], list(labels.values()))
            ax.tick_params(axis="y", length=0)
        return np.array(artists, dtype=object)
