"""Grid of images on a single Axes, and conversion of rows to gray-scale images."""

import numpy as np
from sklearn.utils import check_consistent_length

from skdgm.plotting._support import axes_for, check_looks, taking
from skdgm.utils.counts import count
from skdgm.utils.domains import as_numbers
from skdgm.utils.images import image_shape as sides

# Gaps between images, and between lines, relative to the longer side of an image.
_GAP, _LINE_GAP = 0.1, 0.4
# Sizes of new figures in inches: longest side, longest side of an image, and margin for
# labels.
_LONGEST, _IMAGE, _LABELS = 8.0, 0.8, 0.6
# Colors of frames and of missing pixels; the latter occurs in no default color map.
_FRAME, _MISSING = "0.8", "#f0a04b"


class ImageGrid:
    """Grid of images on one Axes. The unit of length is a pixel.

    Each of the ``parts`` has shape (n_images, n_features), with NaN for missing pixels.
    A line of the grid has one row of images for each part. Images are square unless
    ``image_shape`` is given, and by default the grid is nearly square. Errors name the
    ``display``.

    Attributes are ``images``, (n_parts, n_images, height, width); the positions
    ``left`` and ``top`` of their edges, (n_parts, n_images); the distance ``gap``
    between images; and the width and height of the grid, ``size``.
    """

    def __init__(self, display, parts, *, image_shape=None, n_columns=None):
        check_consistent_length(*parts)
        self.display = display
        self.images = np.stack([as_images(display, p, image_shape) for p in parts])
        n_parts, n_images, height, width = self.images.shape
        if n_columns is None:
            n_columns = int(np.ceil(np.sqrt(n_parts * n_images)))
        count(n_columns, "n_columns")
        line, column = np.divmod(np.arange(n_images), n_columns)
        row = n_parts * line + np.arange(n_parts)[:, None]
        self.gap, longer_side = _GAP * max(height, width), max(height, width)
        line_gap = _LINE_GAP * longer_side if n_parts > 1 else 0.0
        self.top = self.gap + row * (height + self.gap) + line * line_gap
        left = self.gap + column * (width + self.gap)
        self.left = np.broadcast_to(left, self.top.shape)
        sides = self.left.max() + width, self.top.max() + height
        self.size = np.add(sides, self.gap)
        self._inches = min(_LONGEST / max(self.size), _IMAGE / longer_side)

    def middles(self):
        """Centers of the columns, from the left, and of the rows, from the top."""
        height, width = self.images.shape[2:]
        return np.unique(self.left) + width / 2, np.unique(self.top) + height / 2

    def draw(self, ax=None, *, scales=None, im_kw=None, labels=(), margins=None):
        """Draw the images; return the figure, the Axes and the array of AxesImage.

        ``ax`` is by default that of a new figure. ``scales``, (n_parts, n_images, 2),
        are limits of the color scale of each image, by default the limits of all
        images. ``im_kw`` are further arguments of ``imshow``, and ``labels`` are the
        labels of the rows from the top. ``margins`` are the additional width and height
        of a new figure, in inches.
        """
        check_looks(self.display, im_kw=im_kw)
        if scales is None:
            shape = *self.images.shape[:2], 2
            scales = np.broadcast_to(shared_limits(self.images), shape)
        if margins is None:
            margins = _LABELS if len(labels) else 0.0, 0.0
        figsize = np.maximum(1.0, self.size * self._inches) + margins
        figure, (ax,) = axes_for(self.display, ax, 1, figsize=figsize)
        artists = np.empty(self.images.shape[:2], dtype=object)
        with taking(self.display, im_kw=im_kw):
            for place in np.ndindex(artists.shape):
                artists[place] = self._draw_one(ax, place, scales[place], im_kw or {})
        self._frame(ax)
        rows = self.middles()[1]
        ax.set_xticks([])
        ax.set_yticks(rows[: len(labels)], labels)
        ax.tick_params(length=0)
        return figure, ax, artists

    def _draw_one(self, ax, place, scale, im_kw):
        left, top, image = self.left[place], self.top[place], self.images[place]
        height, width = image.shape
        extent = left, left + width, top + height, top
        options = {"cmap": "gray", "extent": extent}
        if "norm" not in im_kw:
            options["vmin"], options["vmax"] = scale
        artist = ax.imshow(image, **(options | im_kw))
        artist.set_cmap(artist.get_cmap().with_extremes(bad=_MISSING))
        return artist

    def _frame(self, ax):
        """Draw frames behind the images and set the limits of the axes."""
        height, width = np.add(self.images.shape[2:], 2 * self.gap)
        left, top = self.left.ravel() - self.gap, self.top.ravel() - self.gap
        style = {"color": _FRAME, "linewidth": 0, "align": "edge", "zorder": -1}
        ax.bar(left, height, width, top, **style)
        right, bottom = self.size
        ax.set(xlim=(0, right), ylim=(bottom, 0), aspect="equal")
        ax.spines[:].set_visible(False)


def as_images(display, rows, image_shape=None):
    """Rows as images, (n_images, height, width), by default square.

    ValueError, which names the display, if rows are no finite 2-D array of numbers, are
    empty, or do not have one feature for each pixel.
    """
    name = display.__name__
    options = dict.fromkeys(("ensure_min_samples", "ensure_min_features"), 0)
    options |= {"ensure_all_finite": "allow-nan", "ensure_2d": False, "allow_nd": True}
    rows = as_numbers(rows, "the table", name, **options)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(
            f"{name} shows rows of a table, at least one; got an array of shape "
            f"{rows.shape}."
        )
    height, width, _ = sides(
        rows.shape[1], image_shape, subject=name, with_channels=False
    )
    return rows.reshape(-1, height, width)


def shared_limits(images):
    """Limits of a common gray scale: 0 and 1 if all values are in this range, else the
    minimum and the maximum."""
    values = images[np.isfinite(images)]
    if not len(values) or (values.min() >= 0 and values.max() <= 1):
        return 0.0, 1.0
    return values.min(), values.max()
