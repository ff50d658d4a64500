"""Grid of images on a single Axes, and conversion of rows to images of a grey scale."""

import numpy as np
from sklearn.utils import check_consistent_length

from skdgm.plotting._support import axes_for, check_looks, taking
from skdgm.utils.counts import count
from skdgm.utils.domains import as_numbers
from skdgm.utils.images import image_shape as sides

# Gaps between images, and between lines of several parts, as shares of the longer side
# of an image.
_GAP, _LINE_GAP = 0.1, 0.4
# Sizes of new figures in inches: longest side, longest side of an image, and margin for
# labels.
_LONGEST, _IMAGE, _LABELS = 8.0, 0.8, 0.6
# Colours of frames and of missing pixels; the latter occurs in no default colour map.
_FRAME, _MISSING = "0.8", "#f0a04b"


class ImageGrid:
    """Grid of images, in lines that consist of one row of images per part; the unit of
    length is a pixel.

    Each part has shape (n_images, n_features), NaN is a missing pixel, and images are
    square unless a height and width are given. By default the grid is nearly square.
    ``images`` has the shape (n_parts, n_images, height, width), ``left`` and ``top``
    positions of their edges, (n_parts, n_images); ``gap`` is the distance between
    images, ``size`` the width and height of the grid. The display is named in errors.
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
        self.gap, longest = _GAP * max(height, width), max(height, width)
        apart = _LINE_GAP * longest if n_parts > 1 else 0.0
        self.top = self.gap + row * (height + self.gap) + line * apart
        left = self.gap + column * (width + self.gap)
        self.left = np.broadcast_to(left, self.top.shape)
        sides = self.left.max() + width, self.top.max() + height
        self.size = np.add(sides, self.gap)
        self._inches = min(_LONGEST / max(self.size), _IMAGE / longest)

    def middles(self):
        """Centres of the columns, from the left, and of the rows, from the top."""
        height, width = self.images.shape[2:]
        return np.unique(self.left) + width / 2, np.unique(self.top) + height / 2

    def draw(self, ax=None, *, scales=None, im_kw=None, labels=(), margins=None):
        """Draw the images on Axes, by default of a new figure; return the figure, the
        Axes and an array of AxesImage, (n_parts, n_images).

        ``scales``, (n_parts, n_images, 2), are limits of the colour scale of each
        image, by default the limits of all images. ``im_kw`` are further arguments of
        ``imshow``, ``labels`` are the labels of the rows, from the top, and ``margins``
        are the additional width and height of a new figure, in inches.
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
        """Draw the frames behind the images and set the limits of the axes."""
        height, width = np.add(self.images.shape[2:], 2 * self.gap)
        left, top = self.left.ravel() - self.gap, self.top.ravel() - self.gap
        looks = {"color": _FRAME, "linewidth": 0, "align": "edge", "zorder": -1}
        ax.bar(left, height, width, top, **looks)
        right, bottom = self.size
        ax.set(xlim=(0, right), ylim=(bottom, 0), aspect="equal")
        ax.spines[:].set_visible(False)


def as_images(display, rows, image_shape=None):
    """Rows as images, of shape (n_images, height, width), by default square.

    ValueError, which names the display, if rows are no 2-D array, empty, infinite or no
    numbers, or do not have a pixel for each feature.
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
    height, width, _ = sides(rows.shape[1], image_shape, who=name, with_channels=False)
    return rows.reshape(-1, height, width)


def shared_limits(images):
    """Limits of a common grey scale: 0 and 1 if all values are in between, else the
    minimum and the maximum."""
    values = images[np.isfinite(images)]
    if not len(values) or (values.min() >= 0 and values.max() <= 1):
        return 0.0, 1.0
    return values.min(), values.max()
