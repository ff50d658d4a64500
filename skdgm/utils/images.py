"""Shapes of images whose pixels are the columns of a table."""

from math import isqrt, prod
from numbers import Integral

import numpy as np

from skdgm.utils.counts import check_layer_sizes, is_a, layer_sizes


def image_shape(
    n_features, given=None, *, who="This model", with_channels=True, name="image_shape"
):
    """Height, width and number of channels of the images that rows of a table are:
    pixel after pixel, and of each channel after channel.

    Without a given (height, width[, channels]), they are square, of one channel.
    ValueError, which names who asks and the option, if the shape has other numbers of
    dimensions or of features, or the number of features is no square.
    """
    form = "(height, width[, channels])" if with_channels else "(height, width)"
    if given is None:
        side = isqrt(n_features)
        if side**2 != n_features:
            raise ValueError(
                f"{who} cannot tell the shape of images of {n_features} pixels, which "
                f"is no square number: give {name}={form}, or (1, {n_features}) "
                "for rows that are no images."
            )
        return side, side, 1
    shape = tuple(given) if np.iterable(given) else (given,)
    whole = all(is_a(Integral, side) and side >= 1 for side in shape)
    allowed = (2, 3) if with_channels else (2,)
    if not whole or len(shape) not in allowed or prod(shape) != n_features:
        product = "height times width" + " times channels" * with_channels
        raise ValueError(
            f"{name}={given!r} of {who} must be {form} with {product} = "
            f"{n_features}, the number of features."
        )
    return (*map(int, shape), 1)[:3]


CONV = 'architecture="conv"'
# Shape of images, as a detail of this option.
CONV_SHAPE = "architecture__image_shape"


def check_maps(options):
    """Raise ValueError if numbers of maps of convolutions are not positive integers, or
    an architecture of convolutions has none."""
    sizes, name = layer_sizes(options.conv_layer_sizes), "architecture__layer_sizes"
    check_layer_sizes(sizes, name)
    if options.architecture == "conv" and not sizes:
        raise ValueError(f"{name} must have a number of maps for a layer.")


def pixels(structure, *numbers):
    """Shape of images of a net of convolutions, whose structure has ``image_shape`` and
    ``variance``, given numbers of inputs or outputs of each column; ValueError if these
    differ, or a variance is an output beside them."""
    given = structure.image_shape
    shape = image_shape(len(numbers[0]), given, who=CONV, name=CONV_SHAPE)
    if structure.variance == "sample" or any((n != n[0]).any() for n in numbers):
        raise ValueError(
            f"{CONV} needs equally many outputs for each pixel: column_types must be "
            '"bernoulli", "gaussian" with a column_types__variance that is not '
            '"sample", or "categorical" with as many categories in all columns '
            "(column_types__min_categories)."
        )
    return shape


def halvings(shape, n):
    """Heights and widths of images, and of n more, each half as large as those
    before."""
    found = [tuple(shape)]
    for _ in range(n):
        found.append(tuple(-(-side // 2) for side in found[-1]))
    return found


def in_blocks(x, shape, sides):
    """Rows as images in blocks, (n_rows, blocks down, rows of a block, blocks across,
    columns of a block, n_maps): x is of shape (n_rows, height * width * n_maps),
    ``shape`` begins with height, width and n_maps, and ``sides`` of a block divide the
    images."""
    (height, width, maps, *_), (rows, columns) = shape, sides
    parts = height // rows, rows, width // columns, columns, maps
    return np.asarray(x).reshape(len(x), *parts)


def split(x, shape, sides):
    """Rows by block and map, (n_rows, n_blocks * n_maps, pixels of a block), a copy;
    parameters are those of :func:`in_blocks`."""
    parts = in_blocks(x, shape, sides).transpose(0, 1, 3, 5, 2, 4)
    n_parts = prod(parts.shape[1:4])
    return parts.reshape(len(parts), n_parts, prod(sides))


def joined(parts, shape, sides):
    """Rows of which :func:`split` is given."""
    (height, width, maps, *_), (rows, columns) = shape, sides
    each = height // rows, width // columns, maps, rows, columns
    x = parts.reshape(len(parts), *each).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(len(x), height * width * maps)


def repeated(numbers, shape, sides):
    """Number of each block and map for all of its pixels, (n_rows, height * width *
    n_maps); the others are as of :func:`in_blocks`."""
    (height, width, maps, *_), (rows, columns) = shape, sides
    down, across = height // rows, width // columns
    one = np.asarray(numbers).reshape(len(numbers), down, 1, across, 1, maps)
    whole = np.broadcast_to(one, (len(one), down, rows, across, columns, maps))
    return whole.reshape(len(one), height * width * maps)
